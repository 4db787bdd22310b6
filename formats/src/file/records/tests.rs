//! Texts of records, beside those that Java's writer classes made of the same records (Aiven's cloud storage
//! connectors at 89e55a98, Kafka 4.1 converters).

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::decimal::Decimal;
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::record::TopicPartition;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{RecordField, RecordText, ValueEncoding};

fn typed(schema: Schema, rows: &[Value]) -> Values {
    let mut column = ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() }
}

fn text(value: &str) -> Value {
    Value::String(value.into())
}

fn bytes(value: &str) -> Value {
    Value::Bytes(value.as_bytes().to_vec().into())
}

fn header(key: &str, schema: Schema, value: Value) -> Header {
    Header { key: key.into(), schema: Some(Arc::new(schema)), value }
}

fn batch(
    first: i64,
    times: &[Option<i64>],
    keys: Values,
    values: Values,
    headers: Vec<Vec<Header>>,
) -> SinkBatch {
    let rows = i64::try_from(times.len()).unwrap();
    SinkBatch {
        partition: TopicPartition::new("logs", 3),
        topic: "logs".into(),
        offsets: (first..first + rows).collect(),
        timestamps_ms: times.to_vec(),
        keys,
        values,
        headers: HeaderRows::new(headers),
    }
}

fn fields(names: &str) -> Vec<RecordField> {
    names.split(',').map(|name| RecordField::named(name).unwrap()).collect()
}

/// The texts of rows, or why there is none.
fn texts(form: &RecordText, batch: &SinkBatch) -> Vec<String> {
    let (column, failed) = form.of(batch).unwrap();
    let text = |row: usize| match failed.iter().find(|(failed, _)| *failed == row) {
        Some((_, error)) => format!("{}: {error}", error.java_class()),
        None => String::from_utf8(column.value(row).to_vec()).unwrap(),
    };
    (0..batch.rows()).map(text).collect()
}

fn csv(names: &str, values: ValueEncoding, batch: &SinkBatch) -> Vec<String> {
    texts(&RecordText::Csv { fields: fields(names), values }, batch)
}

fn plain() -> SinkBatch {
    let headers = [("b", "\u{1}\u{2}"), ("t", "x")];
    let headers = headers.map(|(key, value)| header(key, Schema::new(Kind::Bytes), bytes(value)));
    batch(
        7,
        &[Some(1_700_000_000_123), None],
        typed(Schema::optional(Kind::String), &[text("k1"), Value::Null]),
        typed(Schema::optional(Kind::Bytes), &[bytes("a,b"), Value::Null]),
        vec![headers.to_vec(), Vec::new()],
    )
}

#[test]
fn lines_of_csv_are_javas() {
    use ValueEncoding::{Base64, None};
    let batch = plain();
    assert_eq!(
        csv("key,value,offset,timestamp,headers", Base64, &batch),
        ["azE=,YSxi,7,1700000000123,Yg==:AQI=;dA==:eA==;", ",,8,,"]
    );
    assert_eq!(csv("key,value", None, &batch), ["azE=,a,b", ","]);
    assert_eq!(csv("value", Base64, &batch), ["YSxi", ""]);
    assert_eq!(
        csv("timestamp,offset,value,key,value", Base64, &batch)[0],
        "1700000000123,7,YSxi,azE=,YSxi",
        "in the order that was asked for, also twice"
    );
}

#[test]
fn csv_refuses_what_java_refuses() {
    let one = |keys, values, headers| batch(1, &[Some(1)], keys, values, vec![headers]);
    let null = || Values::Null { rows: 1 };
    let value =
        |values: Values| csv("value", ValueEncoding::Base64, &one(null(), values, Vec::new())).remove(0);
    let key = |keys: Values| csv("key", ValueEncoding::Base64, &one(keys, null(), Vec::new())).remove(0);
    const DATA: &str = "org.apache.kafka.connect.errors.DataException: ";
    assert_eq!(
        value(typed(Schema::new(Kind::String), &[text("x")])),
        format!("{DATA}Record value schema type must be BYTES, STRING given")
    );
    assert_eq!(value(null()), "java.lang.NullPointerException: value schema cannot be null");
    assert_eq!(
        key(Values::Dynamic(vec![text("k")])),
        "java.lang.NullPointerException: key schema cannot be null"
    );
    assert_eq!(
        key(typed(Schema::new(Kind::Int32), &[Value::Int32(1)])),
        format!("{DATA}Record key schema type must be BYTES or STRING, INT32 given")
    );
    let headers = vec![header("s", Schema::new(Kind::String), text("v"))];
    assert_eq!(
        csv("headers", ValueEncoding::Base64, &one(null(), null(), headers)),
        [format!("{DATA}Invalid schema type for ByteArrayConverter: STRING")]
    );
}

fn order() -> (Schema, Value) {
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let inner = Schema::new(Kind::Struct(vec![field("x", Schema::new(Kind::Int32))]));
    let texts = Kind::Array(Arc::new(Schema::new(Kind::String)));
    let map =
        Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: Arc::new(Schema::new(Kind::Int32)) };
    let schema = Schema::new(Kind::Struct(vec![
        field("name", Schema::new(Kind::String)),
        field("amount", Schema::logical_of(Logical::Decimal { scale: 2 })),
        field("price", Schema::new(Kind::Float64)),
        field("f", Schema::new(Kind::Float32)),
        field("raw", Schema::new(Kind::Bytes)),
        field("at", Schema::logical_of(Logical::Timestamp)),
        field("day", Schema::logical_of(Logical::Date)),
        field("opt", Schema::optional(Kind::Int64)),
        field("in", inner),
        field("tags", Schema::new(texts)),
        field("m", Schema::new(map)),
    ]));
    let value = Value::Struct(vec![
        text("Zoë \"q\""),
        Value::Decimal(Decimal::parse("12.34").unwrap()),
        Value::Float64(1.0E10),
        Value::Float32(1.1),
        Value::Bytes(vec![0, 1].into()),
        Value::Date(1_700_000_000_123),
        Value::Date(86_400_000 * 19_000),
        Value::Null,
        Value::Struct(vec![Value::Int32(5)]),
        Value::Array(vec![text("a"), text("b")]),
        Value::Map(vec![(text("k"), Value::Int32(1))]),
    ]);
    (schema.named("Order"), value)
}

const ORDER: &str = "{\"name\":\"Zoë \\\"q\\\"\",\"amount\":\"BNI=\",\"price\":1.0E10,\"f\":1.1,\
    \"raw\":\"AAE=\",\"at\":1700000000123,\"day\":19000,\"opt\":null,\"in\":{\"x\":5},\
    \"tags\":[\"a\",\"b\"],\"m\":{\"k\":1}}";

#[test]
fn objects_of_json_are_javas() {
    let all = RecordText::Json { fields: RecordField::ALL.to_vec() };
    let (schema, value) = order();
    let string = || Schema::new(Kind::String);
    let headers = vec![
        header("s", string(), text("v")),
        header("i", Schema::new(Kind::Int32), Value::Int32(5)),
        header("s", string(), text("w")),
    ];
    let keys = typed(string(), &[text("k1")]);
    let first = batch(7, &[Some(1_700_000_000_123)], keys, typed(schema, &[value]), vec![headers]);
    assert_eq!(
        texts(&all, &first),
        [format!(
            "{{\"headers\":[{{\"key\":\"s\",\"value\":\"v\"}},{{\"key\":\"i\",\"value\":5}},\
             {{\"key\":\"s\",\"value\":\"w\"}}],\"offset\":7,\"value\":{ORDER},\"key\":\"k1\",\
             \"timestamp\":\"2023-11-14T22:13:20.123Z\"}}"
        )]
    );
    assert_eq!(texts(&RecordText::JsonBare { field: RecordField::Value }, &first), [ORDER]);
    assert_eq!(
        texts(&RecordText::Json { fields: fields("value") }, &first),
        [format!("{{\"value\":{ORDER}}}")]
    );
    let null = || Values::Null { rows: 1 };
    let second = batch(8, &[None], null(), null(), vec![Vec::new()]);
    assert_eq!(
        texts(&all, &second),
        ["{\"headers\":[],\"offset\":8,\"value\":null,\"key\":null,\"timestamp\":null}"]
    );
    let map = Value::Map(vec![
        (text("a"), Value::Int64(1)),
        (text("list"), Value::Array(vec![Value::Int64(1), text("x"), Value::Boolean(true)])),
    ]);
    let keys = Values::Dynamic(vec![Value::Map(vec![(text("id"), Value::Int64(1))])]);
    let third = batch(9, &[Some(1_700_000_000_000)], keys, Values::schemaless(vec![map]), vec![Vec::new()]);
    assert_eq!(
        texts(&all, &third),
        ["{\"headers\":[],\"offset\":9,\"value\":{\"a\":1,\"list\":[1,\"x\",true]},\"key\":{\"id\":1},\
          \"timestamp\":\"2023-11-14T22:13:20Z\"}"]
    );
    let keys = typed(Schema::new(Kind::Int64), &[Value::Int64(5)]);
    let last =
        batch(10, &[Some(-62_135_596_800_001)], keys, typed(string(), &[text("plain")]), vec![Vec::new()]);
    assert_eq!(
        texts(&all, &last),
        ["{\"headers\":[],\"offset\":10,\"value\":\"plain\",\"key\":5,\
          \"timestamp\":\"0000-12-31T23:59:59.999Z\"}"]
    );
    let bare = |field| texts(&RecordText::JsonBare { field }, &last).remove(0);
    assert_eq!(bare(RecordField::Timestamp), "\"0000-12-31T23:59:59.999Z\"");
    assert_eq!(bare(RecordField::Headers), "[]");
    assert_eq!(bare(RecordField::Key), "5");
}

#[test]
fn nulls_are_null_whatever_the_default_says() {
    let schema = Schema { default: Some(text("d")), ..Schema::optional(Kind::String) };
    let values = typed(schema, &[Value::Null, text("x")]);
    let batch = batch(0, &[None, None], Values::Null { rows: 2 }, values, vec![Vec::new(), Vec::new()]);
    assert_eq!(texts(&RecordText::JsonBare { field: RecordField::Value }, &batch), ["null", "\"x\""]);
}
