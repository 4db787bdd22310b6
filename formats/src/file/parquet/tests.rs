//! Files are read back with the Parquet crate's own readers.

mod avro_types;
mod defaults;
mod settings;

use std::collections::HashMap;

use arrow_array::builder::{BinaryBuilder, Int32Builder, Int64Builder, MapBuilder, MapFieldNames};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array, Int8Array, Int64Array, StringArray, StructArray};
use arrow_array::{Date32Array, Time32MillisecondArray, TimestampMillisecondArray};
use lakeward_api::ErrorClass;
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::schema::{Field, Logical};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::printer::print_schema;

use super::*;
use crate::converter::JsonConverterPlugin;
use crate::random::Random;

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

fn record(fields: Vec<Field>) -> Arc<Schema> {
    Arc::new(Schema::new(Kind::Struct(fields)))
}

fn list(item: Schema) -> Schema {
    Schema::optional(Kind::Array(Arc::new(item)))
}

fn string_map(value: Schema) -> Schema {
    Schema::optional(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: Arc::new(value) })
}

fn write(options: ParquetOptions, schema: &Arc<Schema>, batches: &[Values]) -> Bytes {
    let mut part = ParquetFormat::new(options).new_part(Some(schema)).unwrap();
    let mut file = Vec::new();
    for batch in batches {
        part.write(batch).unwrap();
        file.extend(part.take_ready());
    }
    file.extend(part.finish().unwrap());
    Bytes::from(file.concat())
}

fn typed(schema: &Arc<Schema>, columns: Vec<ArrayRef>) -> Values {
    let array = StructArray::new(schema.arrow_fields(), columns, None);
    Values::Typed { schema: Arc::clone(schema), array: Arc::new(array) }
}

fn schema_text(file: &Bytes) -> String {
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let mut text = Vec::new();
    print_schema(&mut text, reader.metadata().file_metadata().schema());
    String::from_utf8(text).unwrap()
}

fn read(file: &Bytes) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

/// JSON records under a declared Avro schema.
fn decoded(schema: &str, records: &[&str]) -> Values {
    let settings = ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
    let connector = ConfigMap::from([("lakeward.schema".to_owned(), schema.to_owned())]);
    let mut converter = JsonConverterPlugin
        .new_converter(&ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &connector,
            network: None,
        })
        .unwrap();
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_bytes())).collect();
    let mut decoded = converter.decode("t", &payloads).unwrap();
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    decoded.runs.remove(0).values
}

#[test]
fn flat_types_have_parquet_avros_schema_and_values() {
    let logical = |logical| Schema::logical_of(logical);
    let schema = Arc::new(
        Schema::new(Kind::Struct(vec![
            field("b", Schema::new(Kind::Int8)),
            field("l", Schema::optional(Kind::Int64)),
            field("d", Schema::new(Kind::Float64)),
            field("s", Schema::optional(Kind::String)),
            field("y", Schema::optional(Kind::Bytes)),
            field("dec", logical(Logical::Decimal { scale: 2 })),
            field("big", logical(Logical::Decimal { scale: 65 })),
            field("date", logical(Logical::Date)),
            field("time", logical(Logical::Time)),
            field("ts", logical(Logical::Timestamp)),
        ]))
        .named("a.b.Order"),
    );
    let bytes = |values: [&[u8]; 2]| -> ArrayRef {
        let mut builder = BinaryBuilder::new();
        values.iter().for_each(|value| builder.append_value(value));
        Arc::new(builder.finish())
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int8Array::from(vec![-5, 7])),
        Arc::new(Int64Array::from(vec![None, Some(1 << 40)])),
        Arc::new(Float64Array::from(vec![1.5, f64::NAN])),
        Arc::new(StringArray::from(vec![Some("é"), None])),
        bytes([b"\x00", b""]),
        bytes([&[0, 0x9c], &[0xff]]),
        bytes([&[1], &[2]]),
        Arc::new(Date32Array::from(vec![3, 4])),
        Arc::new(Time32MillisecondArray::from(vec![0, 86_399_999])),
        Arc::new(TimestampMillisecondArray::from(vec![-1, 1]).with_timezone("UTC")),
    ];
    let file = write(ParquetOptions::default(), &schema, &[typed(&schema, columns.clone())]);
    assert_eq!(
        schema_text(&file),
        "message a.b.Order {\n  REQUIRED INT32 b;\n  OPTIONAL INT64 l;\n  REQUIRED DOUBLE d;\n  \
         OPTIONAL BYTE_ARRAY s (STRING);\n  OPTIONAL BYTE_ARRAY y;\n  \
         REQUIRED BYTE_ARRAY dec (DECIMAL(64,2));\n  REQUIRED BYTE_ARRAY big;\n  REQUIRED INT32 date \
         (DATE);\n  \
         REQUIRED INT32 time (TIME(MILLIS,true));\n  REQUIRED INT64 ts (TIMESTAMP(MILLIS,true));\n}\n"
    );
    let reader = SerializedFileReader::new(file).unwrap();
    let footer = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let footer: HashMap<_, _> =
        footer.iter().map(|pair| (pair.key.as_str(), pair.value.as_deref())).collect();
    assert_eq!((footer.len(), footer["writer.model.name"]), (2, Some("avro")));
    let avro = footer["parquet.avro.schema"].unwrap();
    assert!(avro.starts_with(r#"{"type":"record","name":"Order","namespace":"a.b","fields":["#), "{avro}");
    let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(rows.len(), 2);
    for expected in
        ["b: -5", "l: null", "s: \"é\"", "dec: 1.56", "date: 1970-01-04", "ts: 1969-12-31 23:59:59.999"]
    {
        assert!(rows[0].contains(expected), "{expected} not in {}", rows[0]);
    }
}

const NESTED: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"tags","type":["null",{"type":"array","items":ITEM}]},
    {"name":"matrix","type":{"type":"array","items":{"type":"array","items":"int"}},"default":[]},
    {"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[
        {"name":"q","type":"int"},{"name":"n","type":["null","string"]}]}},"default":[]},
    {"name":"in","type":["null",{"type":"record","name":"I","fields":[{"name":"x","type":["null","long"]}]}]},
    {"name":"m","type":["null",{"type":"map","values":["null","double"]}]}]}"#;

const NESTED_RECORDS: [&str; 4] = [
    r#"{"tags":["a","b"],"matrix":[[1,2],[],[3]],"lines":[{"q":1,"n":"x"},{"q":2}],"in":{"x":5},
        "m":{"k":1.5,"l":null}}"#,
    r#"{}"#,
    r#"{"tags":[],"in":{},"m":{}}"#,
    r#"{"tags":["c"],"matrix":[[]],"lines":[{"q":3}],"in":{"x":null}}"#,
];

fn read_back_equals(values: &Values, file: &Bytes) {
    let (_, records) = values.as_struct().unwrap();
    let rows = |array: &dyn Array| -> Vec<String> {
        // The readers name list items differently; what they hold is compared as text, without types.
        let text = format!("{array:?}");
        let lines = text.lines().filter(|line| !line.contains("Array"));
        lines.map(|line| line.split_once(" (").map_or(line, |(name, _)| name).to_owned()).collect()
    };
    let batches = read(file);
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].num_rows(), records.len());
    for (written, stored) in records.columns().iter().zip(batches[0].columns()) {
        assert_eq!(written.null_count(), stored.null_count());
        assert_eq!(rows(written), rows(stored));
    }
}

#[test]
fn required_items_make_two_level_lists() {
    let values = decoded(&NESTED.replace("ITEM", "\"string\""), &NESTED_RECORDS);
    let file = write(ParquetOptions::default(), values.schema().unwrap(), std::slice::from_ref(&values));
    let text = schema_text(&file);
    let expected = [
        "message R {",
        "  OPTIONAL group tags (LIST) {",
        "    REPEATED BYTE_ARRAY array (STRING);",
        "  }",
        "  REQUIRED group matrix (LIST) {",
        "    REPEATED group array (LIST) {",
        "      REPEATED INT32 array;",
        "    }",
        "  }",
        "  REQUIRED group lines (LIST) {",
        "    REPEATED group array {",
        "      REQUIRED INT32 q;",
        "      OPTIONAL BYTE_ARRAY n (STRING);",
        "    }",
        "  }",
        "  OPTIONAL group in {",
        "    OPTIONAL INT64 x;",
        "  }",
        "  OPTIONAL group m (MAP) {",
        "    REPEATED group key_value (MAP_KEY_VALUE) {",
        "      REQUIRED BYTE_ARRAY key (STRING);",
        "      OPTIONAL DOUBLE value;",
        "    }",
        "  }",
        "}",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    read_back_equals(&values, &file);
}

#[test]
fn one_optional_item_makes_every_list_three_levels() {
    let records = NESTED_RECORDS.map(|record| record.replace("\"b\"", "null"));
    let records = records.each_ref().map(String::as_str);
    let values = decoded(&NESTED.replace("ITEM", "[\"null\",\"string\"]"), &records);
    let file = write(ParquetOptions::default(), values.schema().unwrap(), std::slice::from_ref(&values));
    let text = schema_text(&file);
    assert!(text.contains("REPEATED group list {\n      OPTIONAL BYTE_ARRAY element (STRING);"), "{text}");
    assert!(text.contains("REQUIRED INT32 element;") && !text.contains(" array"), "{text}");
    read_back_equals(&values, &file);
}

#[test]
fn maps_with_other_keys_are_lists_of_pairs() {
    let map = Schema::optional(Kind::Map {
        key: Arc::new(Schema::new(Kind::Int32)),
        value: Arc::new(Schema::optional(Kind::Int64)),
    });
    let schema = record(vec![field("m", map), field("plain", string_map(list(Schema::new(Kind::Int32))))]);
    let names =
        || Some(MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() });
    let mut pairs = MapBuilder::new(names(), Int32Builder::new(), Int64Builder::new());
    pairs.keys().append_value(1);
    pairs.values().append_value(10);
    pairs.append(true).unwrap();
    let absent = arrow_array::new_null_array(schema.arrow_fields()[1].data_type(), 1);
    let columns: Vec<ArrayRef> = vec![Arc::new(pairs.finish()), absent];
    let file = write(ParquetOptions::default(), &schema, &[typed(&schema, columns)]);
    let text = schema_text(&file);
    assert!(
        text.contains(
            "OPTIONAL group m (LIST) {\n    REPEATED group array {\n      REQUIRED INT32 \
        key;\n      OPTIONAL INT64 value;"
        ),
        "{text}"
    );
    let batch = &read(&file)[0];
    let pair = batch.column(0).as_list::<i32>().value(0);
    assert_eq!(pair.as_struct().column(1).as_primitive::<Int64Type>().value(0), 10);
}

fn numbers(schema: &Arc<Schema>, rows: std::ops::Range<i64>) -> Values {
    let texts: StringArray = rows.clone().map(|row| Some(format!("text {row:07}"))).collect();
    typed(schema, vec![Arc::new(Int64Array::from_iter_values(rows)), Arc::new(texts)])
}

fn numbers_schema() -> Arc<Schema> {
    record(vec![field("n", Schema::new(Kind::Int64)), field("s", Schema::new(Kind::String))])
}

#[test]
fn every_codec_reads_back_under_its_extension() {
    let schema = numbers_schema();
    let extensions = HashMap::from([
        ("none", ".parquet"),
        ("snappy", ".snappy.parquet"),
        ("gzip", ".gz.parquet"),
        ("brotli", ".br.parquet"),
        ("lz4", ".lz4hadoop.parquet"),
        ("lz4_raw", ".lz4raw.parquet"),
        ("zstd", ".zstd.parquet"),
    ]);
    for (name, extension) in extensions {
        let codec = ParquetCodec::from_name(name).unwrap();
        let options = ParquetOptions { codec, ..Default::default() };
        assert_eq!(ParquetFormat::new(options.clone()).extension(), extension);
        let file = write(options, &schema, &[numbers(&schema, 0..500), numbers(&schema, 500..1000)]);
        let sum: i64 = read(&file)
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
            .sum();
        assert_eq!(sum, 999 * 500, "{name}");
    }
    assert_eq!(ParquetCodec::from_name("lzo").unwrap_err().class(), ErrorClass::Config);
}

#[test]
fn row_groups_close_at_their_memory_limit_and_on_demand() {
    let schema = numbers_schema();
    let options = ParquetOptions { row_group_bytes_max: 200_000, ..Default::default() };
    let mut part = ParquetFormat::new(options).new_part(Some(&schema)).unwrap();
    let mut file = Vec::new();
    let mut most = 0;
    for batch in 0..100 {
        part.write(&numbers(&schema, batch * 1000..(batch + 1) * 1000)).unwrap();
        most = most.max(part.buffered_bytes());
        if batch == 50 {
            part.flush_early().unwrap();
        }
        file.extend(part.take_ready());
        if batch == 50 {
            assert!(part.buffered_bytes() < 16_384, "{}", part.buffered_bytes());
        }
    }
    assert!(most < 900_000, "{most}");
    file.extend(part.finish().unwrap());
    let reader = SerializedFileReader::new(Bytes::from(file.concat())).unwrap();
    assert!(reader.metadata().num_row_groups() > 3, "{}", reader.metadata().num_row_groups());
    assert_eq!(reader.metadata().file_metadata().num_rows(), 100_000);
}

#[test]
fn rows_are_worth_the_tables_that_they_open() {
    let schema = numbers_schema();
    let part = |options| ParquetFormat::new(options).new_part(Some(&schema)).unwrap();
    let mut tables = part(ParquetOptions::default());
    let worth = tables.worth_bytes();
    tables.write(&numbers(&schema, 0..1)).unwrap();
    let least = tables.buffered_bytes();
    assert!(worth / 2 <= least && least < worth, "a number and a text: {worth} {least}");
    tables.write(&numbers(&schema, 1..4_000)).unwrap();
    assert!(tables.buffered_bytes() > worth, "{worth} {}", tables.buffered_bytes());
    let plain = part(ParquetOptions { dictionary_bytes_max: None, ..Default::default() });
    assert_eq!(plain.worth_bytes(), 0);
    let sorting = vec![ParquetSorting { column: "n".to_owned(), descending: false }];
    let sorted = part(ParquetOptions { sorting, ..Default::default() });
    assert_eq!(sorted.worth_bytes(), 0, "rows wait in the part");
}

#[test]
fn a_part_without_rows_is_a_valid_file() {
    let schema = numbers_schema();
    let file = write(ParquetOptions::default(), &schema, &[numbers(&schema, 0..0)]);
    assert!(read(&file).iter().all(|batch| batch.num_rows() == 0));
    assert_eq!(SerializedFileReader::new(file).unwrap().metadata().file_metadata().num_rows(), 0);
}

#[test]
fn values_that_are_no_structs_are_refused_with_a_remedy() {
    let format = ParquetFormat::new(ParquetOptions::default());
    let problem = |schema: Option<Schema>| {
        let err = format.new_part(schema.map(Arc::new).as_ref()).err().unwrap();
        (err.class(), err.to_string())
    };
    let (class, text) = problem(None);
    assert_eq!(class, ErrorClass::Config);
    assert!(text.contains("lakeward.schema"));
    assert_eq!(problem(Some(Schema::new(Kind::String))).1, "Avro schema must be a record.");
    let empty = Schema::new(Kind::Struct(vec![field("e", Schema::new(Kind::Struct(vec![])))]));
    let (class, text) = problem(Some(empty));
    assert_eq!(class, ErrorClass::Record);
    assert!(text.contains("record.e"), "{text}");
}

#[test]
fn null_records_are_refused_before_anything_is_written() {
    let schema = Arc::new(Schema { optional: true, ..(*numbers_schema()).clone() });
    let mut part = ParquetFormat::new(ParquetOptions::default()).new_part(Some(&schema)).unwrap();
    let array = Arc::new(StructArray::new_null(schema.arrow_fields(), 1));
    let err = part.write(&Values::Typed { schema, array }).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Record);
}

#[test]
fn inferred_columns_read_back_whatever_their_shape() {
    for seed in 0..100 {
        let mut random = Random(seed);
        let mut records: Vec<String> = (0..random.below(20) + 1).map(|_| random.object(3)).collect();
        records.push("{\"always\":1}".to_owned());
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let values = decoded("infer", &records);
        let file = write(ParquetOptions::default(), values.schema().unwrap(), std::slice::from_ref(&values));
        read_back_equals(&values, &file);
    }
}
