//! Formats with schemas, and compression.

use std::io::Read as _;
use std::sync::Arc;

use lakeward_api::batch::SinkBatch;
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::rig::{Rig, keyed, typed};

/// Records `{"n": offset}` with a schema of `name`.
fn structs(first: i64, rows: usize, name: &str) -> SinkBatch {
    let mut batch = keyed(0, first, &vec![Some("k"); rows]);
    let field = Field { name: "n".into(), schema: Arc::new(Schema::new(Kind::Int64)) };
    let schema = Schema::new(Kind::Struct(vec![field])).named(name);
    let value = |offset: &i64| Value::Struct(vec![Value::Int64(*offset)]);
    batch.values = typed(schema, batch.offsets.iter().map(value));
    batch
}

fn parquet(bytes: &[u8]) -> (String, Vec<String>) {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes)).unwrap();
    let schema = reader.metadata().file_metadata().schema();
    let name = schema.name().to_owned();
    (name, reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect())
}

fn headers(rows: &[&[(&str, &str)]]) -> HeaderRows {
    let header = |(key, value): &(&str, &str)| Header {
        key: (*key).into(),
        schema: Some(Arc::new(Schema::new(Kind::String))),
        value: Value::String((*value).into()),
    };
    HeaderRows::new(rows.iter().map(|row| row.iter().map(header).collect()).collect())
}

#[test]
fn a_change_of_the_schema_begins_a_new_file() {
    for (format, ending) in [("avro", ".avro"), ("parquet", "")] {
        let mut rig = Rig::new(&[("format.output.type", format)]);
        rig.put(structs(0, 2, "One")).unwrap();
        rig.put(structs(2, 1, "One")).unwrap();
        rig.put(structs(3, 1, "Two")).unwrap();
        rig.put(structs(4, 1, "One")).unwrap();
        rig.decide();
        rig.flush();
        let names: Vec<String> = rig.objects().into_keys().collect();
        assert_eq!(names, [0, 3, 4].map(|offset| format!("logs-0-{offset}{ending}")));
        assert_eq!(rig.durable(), [(0, 5)]);
    }
}

#[test]
fn the_last_record_of_a_key_brings_its_own_schema() {
    let mut rig = Rig::new(&[("format.output.type", "parquet"), ("file.name.template", "{{key}}")]);
    rig.put(structs(0, 1, "One")).unwrap();
    let mut other = structs(1, 1, "Two");
    let field = Field { name: "m".into(), schema: Arc::new(Schema::new(Kind::Int64)) };
    let schema = Schema::new(Kind::Struct(vec![field]));
    other.values = typed(schema, [Value::Struct(vec![Value::Int64(9)])].into_iter());
    rig.put(other).unwrap();
    assert!(rig.decide().is_empty(), "nothing ends early");
    rig.wall_ms += super::rig::FLUSH_MS;
    rig.turn();
    let mut decisions = Vec::new();
    rig.task.take_decisions(&mut decisions);
    rig.task.decided(&decisions[0].partition, 2).unwrap();
    let sent_bytes = rig.in_flight.used_bytes();
    rig.decide();
    let objects = rig.objects();
    assert_eq!(parquet(&objects["k"]).1, ["{value: {m: 9}}"]);
    assert_eq!(sent_bytes, objects["k"].len() as u64, "nothing else is stored under that name");
    assert_eq!((objects.len(), rig.durable()), (1, vec![(0, 2)]));
}

#[test]
fn parquet_holds_the_chosen_fields() {
    let fields = ("format.output.fields", "key,value,offset,timestamp,headers");
    let mut rig = Rig::new(&[("format.output.type", "parquet"), fields]);
    let mut batch = structs(0, 2, "One");
    batch.headers = headers(&[&[("h", "1"), ("h", "2")], &[]]);
    rig.put(batch).unwrap();
    rig.put(structs(2, 1, "One")).unwrap();
    rig.flush();
    let (name, rows) = parquet(&rig.objects()["logs-0-0"]);
    assert_eq!(name, "io.aiven.parquet.output.schema.connector_records");
    assert_eq!(rows.len(), 3, "records without headers go to the same file");
    assert_eq!(rows[0], "{key: \"k\", value: {n: 0}, offset: 0, timestamp: 0, headers: {\"h\" -> \"2\"}}");
    assert_eq!(rows[2], "{key: \"k\", value: {n: 2}, offset: 2, timestamp: 0, headers: {}}");
}

#[test]
fn a_single_field_may_stand_alone() {
    let bare = [
        ("format.output.type", "parquet"),
        ("format.output.envelope", "false"),
        ("format.output.fields", "value"),
    ];
    let mut rig = Rig::new(&bare);
    rig.put(structs(0, 1, "One")).unwrap();
    rig.flush();
    assert_eq!(parquet(&rig.objects()["logs-0-0"]), ("One".into(), vec!["{n: 0}".into()]));
    let map = |first: i64, names: &[&str]| {
        let mut batch = keyed(0, first, &[Some("k")]);
        let schema = Schema::new(Kind::Map {
            key: Arc::new(Schema::new(Kind::String)),
            value: Arc::new(Schema::new(Kind::Int32)),
        });
        let entry = |name: &&str| (Value::String((*name).into()), Value::Int32(1));
        batch.values = typed(schema, [Value::Map(names.iter().map(entry).collect())].into_iter());
        batch
    };
    let mut rig = Rig::new(&bare);
    rig.put(map(0, &["a", "b"])).unwrap();
    rig.put(map(1, &["b", "a"])).unwrap();
    rig.put(map(2, &["c"])).unwrap();
    rig.decide();
    rig.flush();
    let objects = rig.objects();
    assert_eq!(parquet(&objects["logs-0-0"]).1, ["{a: 1, b: 1}", "{a: 1, b: 1}"]);
    assert_eq!(parquet(&objects["logs-0-2"]).1, ["{c: 1}"], "other keys make another schema");
}

#[test]
fn records_need_schemas_for_avro_and_parquet() {
    let mut rig = Rig::new(&[("format.output.type", "avro")]);
    let mut batch = keyed(0, 0, &[Some("k")]);
    batch.keys = lakeward_api::batch::Values::Null { rows: 1 };
    let error = rig.put(batch).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.connect.errors.SchemaProjectorException");
    assert_eq!(error.to_string(), "Record must have schemas for key and value");
}

#[test]
fn headers_of_several_types_have_no_place_in_one_map() {
    let fields = ("format.output.fields", "headers");
    let mut rig = Rig::new(&[("format.output.type", "avro"), fields]);
    let mut batch = keyed(0, 0, &[Some("k")]);
    let header = |key: &str, kind: Kind, value: Value| Header {
        key: key.into(),
        schema: Some(Arc::new(Schema::new(kind))),
        value,
    };
    batch.headers = HeaderRows::new(vec![vec![
        header("a", Kind::Int8, Value::Int8(1)),
        header("b", Kind::Boolean, Value::Boolean(true)),
    ]]);
    assert_eq!(
        rig.put(batch).unwrap_err().to_string(),
        "Header schema Schema{BOOLEAN} for 'b' is not the same as the already defined map type: \
         Schema{INT8}. To force the same type, consider using StringConverter or similar."
    );
}

#[test]
fn json_is_an_array_or_lines() {
    let fields = ("format.output.fields", "key,offset");
    let mut rig = Rig::new(&[("format.output.type", "json"), fields]);
    rig.put(keyed(0, 0, &[Some("a"), None])).unwrap();
    rig.flush();
    assert_eq!(rig.texts(), ["logs-0-0=[\n{\"offset\":0,\"key\":\"a\"},\n{\"offset\":1,\"key\":null}\n]"]);
    let bare = ("format.output.envelope", "false");
    let mut rig = Rig::new(&[("format.output.type", "JSONL"), bare, ("format.output.fields", "KEY")]);
    rig.put(keyed(0, 0, &[Some("a"), None])).unwrap();
    rig.flush();
    assert_eq!(rig.texts(), ["logs-0-0=\"a\"\nnull"]);
}

#[test]
fn files_are_compressed_as_they_are_called_and_with_gzip_unless_anything_is_said() {
    let read = |compression: Option<&str>, name: &str| {
        let mut pairs = vec![("format.output.fields", "offset")];
        pairs.extend(compression.map(|name| ("file.compression.type", name)));
        let mut rig = Rig::new(&pairs);
        rig.put(keyed(0, 0, &[None; 3])).unwrap();
        rig.flush();
        rig.objects().remove(name).unwrap()
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(read(Some("GZIP"), "logs-0-0.gz").as_slice())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "0\n1\n2");
    assert!(read(Some("zstd"), "logs-0-0.zst").starts_with(b"\x28\xb5\x2f\xfd"));
    assert!(read(Some("snappy"), "logs-0-0.snappy").starts_with(b"\x82SNAPPY\0"));
    assert_eq!(read(None, "logs-0-0"), b"0\n1\n2");
}
