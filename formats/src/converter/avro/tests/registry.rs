//! The converter with a registry: runs, tombstones, failures, subjects.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use arrow_array::{Array, Int32Array, StringArray, StructArray};
use lakeward_api::ErrorClass;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::rows;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_registry::{SchemaText, SchemaType, Store, Writing, local};

use super::super::super::registry_framing::dump;
use super::super::AvroConverter;

type Shared = Arc<Mutex<Store>>;

fn converter(store: &Shared, settings: &[(&str, &str)]) -> AvroConverter {
    let mut all = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let registry = local(Arc::clone(store), Writing::default());
    AvroConverter::over(registry, ConverterRole::Value, &all).unwrap()
}

fn register(store: &Shared, subject: &str, text: &str) -> i32 {
    let schema = SchemaText { kind: SchemaType::Avro, text: text.into(), references: Vec::new() };
    store.lock().unwrap().register(subject, schema.into(), false, None).unwrap().id
}

fn payload(id: i32, value: &[u8]) -> Vec<u8> {
    [&[0], id.to_be_bytes().as_slice(), value].concat()
}

fn decode(converter: &mut AvroConverter, payloads: &[Option<&[u8]>]) -> Decoded {
    assert_eq!(converter.poll_decode_ready("t", payloads).unwrap(), Poll::Ready(()));
    let decoded = converter.decode("t", payloads).unwrap();
    let rows: usize = decoded.runs.iter().map(|run| run.rows.len()).sum();
    assert_eq!(rows + decoded.errors.len(), payloads.len(), "rows were lost or doubled");
    decoded
}

fn values(values: &Values) -> Vec<String> {
    match values {
        Values::Dynamic(values) => values.iter().map(dump::value).collect(),
        Values::Null { rows } => vec!["tombstone".to_owned(); *rows],
        Values::Shaped(_) => panic!("not a shape"),
        Values::Typed { schema, array } => {
            (0..array.len()).map(|row| dump::value(&rows::value_at(schema, array, row))).collect()
        }
    }
}

#[test]
fn runs_are_cut_where_the_schema_changes_and_at_tombstones() {
    let store = Shared::default();
    let int = register(&store, "t-value", "\"int\"");
    store.lock().unwrap().set_level(None, lakeward_registry::CompatibilityLevel::None);
    let text = register(&store, "t-value", "\"string\"");
    let mut converter = converter(&store, &[]);
    let records = [
        Some(payload(int, &[2])),
        Some(payload(int, &[4])),
        None,
        Some(payload(text, &[4, b'o', b'k'])),
        Some(payload(int, &[0x80])),
        Some(payload(int, &[1])),
        Some(vec![9, 0, 0, 0, 1, 2]),
        Some(payload(77, &[2])),
    ];
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| record.as_deref()).collect();
    let decoded = decode(&mut converter, &payloads);
    let runs: Vec<_> = decoded.runs.iter().map(|run| (run.rows.clone(), values(&run.values))).collect();
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        runs,
        [
            (vec![0, 1], texts(&["1i", "2i"])),
            (vec![2], texts(&["tombstone"])),
            (vec![3], texts(&["\"ok\""])),
            (vec![5], texts(&["-1i"])),
        ]
    );
    let Values::Typed { schema, .. } = &decoded.runs[2].values else { panic!("not typed") };
    assert_eq!(schema.version, Some(2), "the version is that of the registry");
    let traces: Vec<String> = decoded.errors.iter().map(|(_, error)| error.trace()).collect();
    assert_eq!(decoded.errors.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [4, 6, 7]);
    for (trace, cause) in traces.iter().zip([
        "Error deserializing Avro message for id 1\nCaused by: java.io.EOFException",
        "SerializationException: Unknown magic byte!",
        "Error retrieving Avro value schema for id 77",
    ]) {
        let start =
            "org.apache.kafka.connect.errors.DataException: Failed to deserialize data for topic t to Avro:";
        assert!(trace.starts_with(start) && trace.contains(cause), "{trace}");
    }
    assert!(decoded.errors.iter().all(|(_, error)| error.class() == ErrorClass::Record));
}

#[test]
fn null_under_a_nullable_root_ends_the_task() {
    let store = Shared::default();
    let id = register(&store, "t-value", r#"["null","string"]"#);
    let mut converter = converter(&store, &[]);
    let (null, text) = (payload(id, &[0]), payload(id, &[2, 2, b'x']));
    let decoded = decode(&mut converter, &[Some(&null), Some(&text)]);
    assert_eq!(values(&decoded.runs[0].values), ["\"x\""]);
    let (row, error) = &decoded.errors[0];
    assert_eq!(
        (*row, error.class(), error.java_class()),
        (0, ErrorClass::Fatal, "java.lang.NullPointerException")
    );
}

#[test]
fn what_is_written_is_read_back_under_every_subject() {
    let strategy = "value.subject.name.strategy";
    let class = |name: &str| format!("io.confluent.kafka.serializers.subject.{name}");
    for (name, subject) in [
        ("TopicNameStrategy", "t-value"),
        ("RecordNameStrategy", "a.R"),
        ("TopicRecordNameStrategy", "t-a.R"),
    ] {
        let store = Shared::default();
        let mut converter = converter(&store, &[(strategy, &class(name))]);
        let field = |name: &str, kind| Field { name: name.into(), schema: Arc::new(Schema::optional(kind)) };
        let schema =
            Schema::optional(Kind::Struct(vec![field("id", Kind::Int32), field("text", Kind::String)]));
        let mut schema = schema.named("a.R");
        // A nullable record is a union, which names no subject.
        schema.optional = false;
        let columns = StructArray::new(
            schema.arrow_fields(),
            vec![
                Arc::new(Int32Array::from(vec![Some(7), None])),
                Arc::new(StringArray::from(vec![None, Some("é")])),
            ],
            None,
        );
        let typed = Values::Typed { schema: Arc::new(schema), array: Arc::new(columns) };
        assert_eq!(converter.poll_encode_ready("t", &typed).unwrap(), Poll::Ready(()));
        let encoded = converter.encode("t", &typed).unwrap();
        assert!(encoded.errors.is_empty(), "{:?}", encoded.errors);
        assert_eq!(store.lock().unwrap().subjects(false), [subject]);
        assert_eq!(encoded.payload(0).unwrap(), [0, 0, 0, 0, 1, 2, 14, 0]);
        let decoded = decode(&mut converter, &[encoded.payload(0), encoded.payload(1)]);
        assert_eq!(values(&decoded.runs[0].values), ["(7i,null,)", "(null,\"é\",)"], "{name}");
    }
}

#[test]
fn schemaless_values_travel_as_anything() {
    let store = Shared::default();
    let mut converter = converter(&store, &[]);
    let text = |text: &str| Value::String(text.into());
    let map = Value::Map(vec![
        (text("a"), Value::Array(vec![Value::Int64(1), Value::Null, Value::Boolean(true)])),
        (Value::Int32(3), Value::Float64(0.5)),
    ]);
    let dynamic = Values::Dynamic(vec![map, Value::Null, Value::Int8(-4), Value::Date(5)]);
    assert_eq!(converter.poll_encode_ready("t", &dynamic).unwrap(), Poll::Ready(()));
    let encoded = converter.encode("t", &dynamic).unwrap();
    assert_eq!(encoded.payload(1), None);
    let [(3, error)] = encoded.errors.as_slice() else { panic!("{:?}", encoded.errors) };
    assert_eq!(error.to_string(), "Unknown Java type for schemaless data: class java.util.Date");
    let decoded = decode(&mut converter, &[encoded.payload(0), encoded.payload(2)]);
    let expected = ["{\"a\":[1l,null,true,],3i:d:3fe0000000000000,}", "-4i"];
    assert_eq!(values(&decoded.runs[0].values), expected);
}

#[test]
fn bytes_have_no_length_and_null_rows_are_tombstones() {
    let store = Shared::default();
    let mut converter = converter(&store, &[]);
    let schema = Arc::new(Schema::new(Kind::Bytes));
    let array = rows::constant(&schema, &Value::Bytes(vec![1, 2].into()), 1).unwrap();
    let typed = Values::Typed { schema, array };
    assert_eq!(converter.poll_encode_ready("t", &typed).unwrap(), Poll::Ready(()));
    let encoded = converter.encode("t", &typed).unwrap();
    assert_eq!(encoded.payload(0).unwrap(), [0, 0, 0, 0, 1, 1, 2]);
    let decoded = decode(&mut converter, &[encoded.payload(0)]);
    assert_eq!(values(&decoded.runs[0].values), ["x0102"]);

    let schema = Arc::new(Schema::optional(Kind::String));
    let array: Arc<dyn Array> = Arc::new(StringArray::from(vec![None, Some("a")]));
    let typed = Values::Typed { schema, array };
    assert_eq!(converter.poll_encode_ready("u", &typed).unwrap(), Poll::Ready(()));
    let encoded = converter.encode("u", &typed).unwrap();
    assert_eq!((encoded.payload(0), encoded.payload(1).unwrap()[5..].to_vec()), (None, vec![2, 2, b'a']));
}
