//! Objects as readers see them that share no code with the sink: Java's parquet-avro and Avro, and pyarrow.

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_testkit::objects::Objects;
use object_store::ObjectStore;
use serde_json::{Value as Json, json};

use super::companions::text_keys;
use super::*;

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

fn with(mut schema: Schema, parameters: &[(&str, &str)]) -> Schema {
    for (key, value) in parameters {
        schema.parameters.insert((*key).to_owned(), (*value).to_owned());
    }
    schema
}

fn list(item: Schema) -> Schema {
    Schema::new(Kind::Array(Arc::new(item)))
}

fn map(key: Schema, value: Schema) -> Schema {
    Schema::new(Kind::Map { key: Arc::new(key), value: Arc::new(value) })
}

fn text() -> Schema {
    Schema::new(Kind::String)
}

fn scalars() -> Vec<Field> {
    vec![
        field("tiny", Schema::new(Kind::Int8)),
        field("small", Schema::new(Kind::Int16)),
        field("int", Schema::new(Kind::Int32)),
        field("long", Schema::optional(Kind::Int64)),
        field("float", Schema::new(Kind::Float32)),
        field("double", Schema::new(Kind::Float64)),
        field("flag", Schema::new(Kind::Boolean)),
        field("text", Schema { default: Some(Value::String("d".into())), ..text() }),
        field("raw", Schema::optional(Kind::Bytes)),
        field("dec", Schema::logical_of(Logical::Decimal { scale: 2 })),
        field("day", Schema::logical_of(Logical::Date)),
        field("clock", Schema::logical_of(Logical::Time)),
        field("at", Schema { optional: true, ..Schema::logical_of(Logical::Timestamp) }),
        field("micros", Schema::new(Kind::Int64).named("io.debezium.time.MicroTimestamp")),
    ]
}

/// What Connect knows by parameters, and nested types; items of lists are optional if `item` is.
fn nested(item: Schema) -> Vec<Field> {
    let key = "io.confluent.connect.avro.Enum";
    let symbols = [(key, "shop.Color"), (&format!("{key}.RED"), "RED"), (&format!("{key}.BLUE"), "BLUE")];
    let size = ("connect.fixed.size", "4");
    let price = Schema { optional: true, ..Schema::logical_of(Logical::Decimal { scale: 2 }) };
    let branches =
        vec![field("int", Schema::optional(Kind::Int32)), field("string", Schema::optional(Kind::String))];
    let line =
        Schema::new(Kind::Struct(vec![field("q", Schema::new(Kind::Int32)), field("notes", list(text()))]));
    vec![
        field("color", with(Schema::optional(Kind::String), &symbols)),
        field("id", with(Schema::new(Kind::Bytes).named("shop.Id"), &[size])),
        field("price", with(price, &[size, ("connect.decimal.precision", "9")])),
        field("tags", list(item)),
        field("matrix", Schema { optional: true, ..list(list(Schema::new(Kind::Int32))) }),
        field("lines", list(line)),
        field("inner", Schema::optional(Kind::Struct(vec![field("x", text())])).named("shop.Inner")),
        field("counts", map(text(), Schema::optional(Kind::Int64))),
        field("by", map(Schema::optional(Kind::String), text())),
        field("union", Schema::optional(Kind::Struct(branches)).named("io.confluent.connect.avro.Union")),
    ]
}

fn order(item: Schema) -> Schema {
    let fields = scalars().into_iter().chain(nested(item)).collect();
    Schema { version: Some(3), ..Schema::new(Kind::Struct(fields)).named("shop.Order") }
}

fn string(text: &str) -> Value {
    Value::String(text.into())
}

fn bytes(bytes: &'static [u8]) -> Value {
    Value::Bytes(bytes.into())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(lakeward_api::decimal::Decimal::parse(text).unwrap())
}

fn full() -> Value {
    let line = |q, notes: &[&str]| {
        let notes = notes.iter().map(|note| string(note)).collect();
        Value::Struct(vec![Value::Int32(q), Value::Array(notes)])
    };
    let ints = |ints: &[i32]| Value::Array(ints.iter().map(|int| Value::Int32(*int)).collect());
    Value::Struct(vec![
        Value::Int8(-128),
        Value::Int16(32767),
        Value::Int32(-1),
        Value::Int64(1 << 53),
        Value::Float32(1.5),
        Value::Float64(-2.25),
        Value::Boolean(true),
        string("Zürich 東京"),
        bytes(b"ab"),
        decimal("123.45"),
        Value::Date(19_000 * 86_400_000),
        Value::Date(3_723_004),
        Value::Date(1_700_000_000_123),
        Value::Int64(1_700_000_000_123_456),
        string("BLUE"),
        bytes(b"wxyz"),
        decimal("-0.01"),
        Value::Array(vec![string("a"), string("")]),
        Value::Array(vec![ints(&[1, 2]), ints(&[]), ints(&[3])]),
        Value::Array(vec![line(1, &["n"]), line(2, &[])]),
        Value::Struct(vec![string("deep")]),
        Value::Map(vec![(string("one"), Value::Int64(1)), (string("none"), Value::Null)]),
        Value::Map(vec![(string("k"), string("v"))]),
        Value::Struct(vec![Value::Null, string("s")]),
    ])
}

fn sparse() -> Value {
    Value::Struct(vec![
        Value::Int8(1),
        Value::Int16(2),
        Value::Int32(3),
        Value::Null,
        Value::Float32(0.5),
        Value::Float64(0.25),
        Value::Boolean(false),
        string(""),
        Value::Null,
        decimal("-0.07"),
        Value::Date(-86_400_000),
        Value::Date(0),
        Value::Null,
        Value::Int64(-1),
        Value::Null,
        bytes(b"\x00\x01\x02\x03"),
        Value::Null,
        Value::Array(Vec::new()),
        Value::Null,
        Value::Array(Vec::new()),
        Value::Null,
        Value::Map(Vec::new()),
        Value::Map(Vec::new()),
        Value::Null,
    ])
}

fn typed(schema: &Arc<Schema>, rows: &[Value]) -> Values {
    let mut column = ColumnWriter::new(schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    Values::Typed { schema: Arc::clone(schema), array: column.finish().unwrap() }
}

/// The objects after `values` came with a key and headers each.
fn stored(pairs: &[(&str, &str)], values: Values) -> (Objects, Vec<String>) {
    let rows = values.rows() as i64;
    let flush = rows.to_string();
    let mut rig = Rig::new(&[pairs, &[("flush.size", flush.as_str())]].concat());
    rig.open(&[0]);
    let header = |row: i64| {
        let header = |key: &str, value| Header { key: key.into(), schema: None, value };
        vec![header("n", Value::Int64(row)), header("t", string("é"))]
    };
    let headers = HeaderRows::new((0..rows).map(header).collect());
    let keys: Vec<String> = (0..rows).map(|row| format!("k{row}")).collect();
    let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
    let batch = SinkBatch { values, headers, keys: text_keys(&keys), ..texts(0, 0..rows) };
    rig.task.put(batch, rig.now).unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, rows)]);
    let store = Arc::clone(&rig.store) as Arc<dyn ObjectStore>;
    let objects = Objects::new(store, "bucket".to_owned()).unwrap();
    let names = objects.names().unwrap();
    (objects, names)
}

/// Settings with their texts.
type Pairs = &'static [(&'static str, &'static str)];

const PARQUET: (&str, &str) = ("format.class", "ParquetFormat");
const LISTS: (&str, &str) = ("lakeward.parquet.write.old.list.structure", "false");
const OPTIONAL_KEYS: (&str, &str) = ("allow.optional.map.keys", "true");

#[test]
fn parquet_files_have_the_schema_and_rows_that_java_expects() {
    let optional = || Schema::optional(Kind::String);
    let cases: [(Pairs, Schema, &str); 5] = [
        (&[PARQUET], text(), "two_levels"),
        (&[PARQUET], optional(), "three_levels"),
        (&[PARQUET, LISTS], text(), "three_levels"),
        (&[PARQUET, OPTIONAL_KEYS], text(), "two_levels"),
        (&[PARQUET, ("enhanced.avro.schema.support", "false")], text(), "two_levels"),
    ];
    for (pairs, item, expected) in cases {
        let schema = Arc::new(order(item));
        let (objects, names) = stored(pairs, typed(&schema, &[full(), sparse()]));
        let file = objects.parquet_files_in_java(&names).unwrap().remove(0);
        assert_eq!(file["schema"], file[expected], "{pairs:?}");
        assert_ne!(file["two_levels"], file["three_levels"]);
        let allowed = pairs.contains(&OPTIONAL_KEYS);
        assert_eq!(file["rows"], java_rows(allowed), "{pairs:?}");
    }
}

/// The rows as Avro's generic data prints them: logical types as what they are stored as.
fn java_rows(optional_keys: bool) -> Json {
    let by = |key: &str, value: &str| match optional_keys {
        true => json!({key: value}),
        false => json!([{"key": key, "value": value}]),
    };
    let none = if optional_keys { json!({}) } else { json!([]) };
    json!([
        {
            "tiny": -128, "small": 32767, "int": -1, "long": 1_i64 << 53, "float": 1.5, "double": -2.25,
            "flag": true, "text": "Zürich 東京", "raw": "ab", "dec": "09", "day": 19000,
            "clock": 3_723_004, "at": 1_700_000_000_123_i64, "micros": 1_700_000_000_123_456_i64,
            "color": "BLUE", "id": [119, 120, 121, 122], "price": [-1, -1, -1, -1], "tags": ["a", ""],
            "matrix": [[1, 2], [], [3]],
            "lines": [{"q": 1, "notes": ["n"]}, {"q": 2, "notes": []}], "inner": {"x": "deep"},
            "counts": {"one": 1, "none": null}, "by": by("k", "v"), "union": "s",
        },
        {
            "tiny": 1, "small": 2, "int": 3, "long": null, "float": 0.5, "double": 0.25, "flag": false,
            "text": "", "raw": null, "dec": "ù", "day": -1, "clock": 0, "at": null, "micros": -1,
            "color": null, "id": [0, 1, 2, 3], "price": null, "tags": [], "matrix": null, "lines": [],
            "inner": null, "counts": {}, "by": none, "union": null,
        },
    ])
}

#[test]
fn parquet_files_are_read_by_pyarrow_with_their_types() {
    let codecs = [("snappy", "SNAPPY"), ("zstd", "ZSTD"), ("brotli", "BROTLI"), ("lz4_raw", "LZ4")];
    for (codec, inside) in codecs {
        let schema = Arc::new(order(text()));
        let settings = [PARQUET, ("parquet.codec", codec)];
        let (objects, names) = stored(&settings, typed(&schema, &[full(), sparse()]));
        let file = objects.parquet_files(&names).unwrap().remove(0);
        assert_eq!(file.codec, inside);
        let types: Vec<(&str, &str)> =
            file.columns.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
        for expected in [
            ("tiny", "int32"),
            ("long", "int64"),
            ("dec", "decimal256(64, 2)"),
            ("day", "date32[day]"),
            ("clock", "time32[ms]"),
            ("at", "timestamp[ms, tz=UTC]"),
            ("micros", "int64"),
            ("id", "fixed_size_binary[4]"),
            ("price", "decimal128(9, 2)"),
            ("tags", "list<array: string not null>"),
            ("counts", "map<string, int64 ('counts')>"),
            ("inner", "struct<x: string not null>"),
            ("union", "struct<member0: int32, member1: string>"),
        ] {
            assert!(types.contains(&expected), "{expected:?} is not in {types:?}");
        }
        let row = &file.rows[0];
        assert_eq!((&row["dec"], &row["price"]), (&json!("123.45"), &json!("-0.01")));
        assert_eq!(
            (&row["id"], &row["at"]),
            (&json!("7778797a"), &json!("2023-11-14T22:13:20.123000+00:00"))
        );
        assert_eq!(row["matrix"], json!([[1, 2], [], [3]]));
        assert_eq!(row["by"], json!([{"key": "k", "value": "v"}]));
        assert_eq!(file.rows[1]["inner"], Json::Null);
    }
}

#[test]
fn avro_files_hold_the_same_rows_to_java() {
    let schema = Arc::new(order(text()));
    let pairs = [("format.class", "AvroFormat"), ("avro.codec", "deflate")];
    let (objects, names) = stored(&pairs, typed(&schema, &[full(), sparse()]));
    let file = objects.avro_files(&names).unwrap().remove(0);
    assert_eq!((&file["codec"], &file["rows"]), (&json!("deflate"), &java_rows(false)));
    let named = |name: &str| {
        let fields = file["schema"]["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap()["type"].clone()
    };
    assert_eq!(named("tiny"), json!({"type": "int", "connect.type": "int8"}));
    assert_eq!(named("color")[1]["symbols"], json!(["RED", "BLUE"]));
    assert_eq!((&named("id")["type"], &named("id")["size"]), (&json!("fixed"), &json!(4)));
    assert_eq!(file["schema"]["connect.version"], 3);
    let plain = [
        ("format.class", "AvroFormat"),
        ("connect.meta.data", "false"),
        ("enhanced.avro.schema.support", "false"),
    ];
    let (objects, names) = stored(&plain, typed(&schema, &[full()]));
    let file = objects.avro_files(&names).unwrap().remove(0);
    assert!(!file["schema"].to_string().contains("\"connect."), "{}", file["schema"]);
    assert!(!file["schema"].to_string().contains("\"enum\""));
}

/// Java's `Struct#get` answers the default of a field that is null.
#[test]
fn a_null_in_a_field_with_a_default_is_the_default_in_avro_and_parquet() {
    let defaulted = |schema: Schema, default| Schema { optional: true, default: Some(default), ..schema };
    let line = vec![field("n", defaulted(Schema::new(Kind::Int64), Value::Int64(7)))];
    let fields = vec![
        field("s", defaulted(text(), string("d"))),
        field("at", defaulted(Schema::logical_of(Logical::Timestamp), Value::Date(1_700_000_000_000))),
        field("plain", Schema::optional(Kind::Int32)),
        field("lines", list(Schema::new(Kind::Struct(line)).named("shop.Line"))),
    ];
    let schema = Arc::new(Schema::new(Kind::Struct(fields)).named("shop.Order"));
    let lines =
        |lines: &[Value]| Value::Array(lines.iter().map(|n| Value::Struct(vec![n.clone()])).collect());
    let rows = [
        Value::Struct(vec![Value::Null, Value::Null, Value::Null, lines(&[Value::Null, Value::Int64(1)])]),
        Value::Struct(vec![string("x"), Value::Date(5), Value::Int32(2), lines(&[])]),
    ];
    let expected = json!([
        {"s": "d", "at": 1_700_000_000_000_i64, "plain": null, "lines": [{"n": 7}, {"n": 1}]},
        {"s": "x", "at": 5, "plain": 2, "lines": []},
    ]);
    let (objects, names) = stored(&[PARQUET], typed(&schema, &rows));
    assert_eq!(objects.parquet_files_in_java(&names).unwrap()[0]["rows"], expected);
    let (objects, names) = stored(&[("format.class", "AvroFormat")], typed(&schema, &rows));
    assert_eq!(objects.avro_files(&names).unwrap()[0]["rows"], expected);
}

#[test]
fn keys_and_headers_are_what_java_would_read_back() {
    let schema = Arc::new(Schema::new(Kind::Struct(vec![field("a", text())])).named("shop.Small"));
    let rows = || typed(&schema, &[Value::Struct(vec![string("x")]), Value::Struct(vec![string("y")])]);
    let with = |format: &'static str| {
        let pairs = [
            ("format.class", format),
            ("store.kafka.keys", "true"),
            ("keys.format.class", format),
            ("store.kafka.headers", "true"),
            ("headers.format.class", format),
        ];
        stored(&pairs, rows())
    };
    let headers = |row: &str| json!([{"key": "n", "value": row}, {"key": "t", "value": "é"}]);
    let (objects, names) = with("AvroFormat");
    let base = "topics/t/partition=0/t+0+0000000000";
    let expected = [format!("{base}.avro"), format!("{base}.headers.avro"), format!("{base}.keys.avro")];
    assert_eq!(names, expected);
    let files = objects.avro_files(&names).unwrap();
    assert_eq!(files[0]["rows"], json!([{"a": "x"}, {"a": "y"}]));
    assert_eq!(files[1]["rows"], json!([headers("0"), headers("1")]));
    assert_eq!(files[2]["rows"], json!(["k0", "k1"]));
    assert_eq!(files[2]["schema"], json!(["null", "string"]));
    assert_eq!(files[1]["schema"]["items"]["name"], "ConnectDefault");

    let (objects, names) = with("ParquetFormat");
    let expected = ["headers.snappy.parquet", "keys.snappy.parquet", "snappy.parquet"];
    assert_eq!(names, expected.map(|end| format!("{base}.{end}")));
    let files = objects.parquet_files_in_java(&names).unwrap();
    for file in &files {
        assert_eq!(file["schema"], file["two_levels"]);
    }
    assert_eq!(files[0]["rows"], json!([{"headers": headers("0")}, {"headers": headers("1")}]));
    assert_eq!(files[1]["rows"], json!([{"key": "k0"}, {"key": "k1"}]));
    assert!(files[1]["schema"].as_str().unwrap().starts_with("message RecordKey {"));
    assert!(files[0]["schema"].as_str().unwrap().starts_with("message RecordHeaders {"));
}

#[test]
fn sorted_row_groups_and_bloom_filters_do_not_bother_readers() {
    let fields = vec![field("n", Schema::new(Kind::Int64)), field("s", text())];
    let schema = Arc::new(Schema::new(Kind::Struct(fields)).named("shop.Pair"));
    let rows: Vec<Value> = (0..2000_i64)
        .map(|row| Value::Struct(vec![Value::Int64(row * 7 % 100), string(&format!("s{row:05}"))]))
        .collect();
    let pairs = [
        PARQUET,
        ("lakeward.parquet.sorting.columns", "n desc,s"),
        ("lakeward.parquet.bloom.filter.columns", "s"),
        ("lakeward.parquet.column.codecs", "s:zstd"),
        ("lakeward.parquet.page.rows", "300"),
    ];
    let (objects, names) = stored(&pairs, typed(&schema, &rows));
    let mut expected: Vec<(i64, String)> =
        (0..2000_i64).map(|row| (row * 7 % 100, format!("s{row:05}"))).collect();
    expected.sort_by_key(|(n, s)| (-n, s.clone()));
    let expected: Vec<Json> = expected.into_iter().map(|(n, s)| json!({"n": n, "s": s})).collect();
    let java = objects.parquet_files_in_java(&names).unwrap().remove(0);
    assert_eq!(java["rows"].as_array().unwrap(), &expected);
    assert_eq!(objects.parquet_files(&names).unwrap()[0].rows, expected);
}
