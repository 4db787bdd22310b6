//! The converter with a registry: runs, paths, tombstones, failures, subjects, and both ways.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use arrow_array::{Array, StructArray};
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::rows;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_registry::{SchemaText, SchemaType, Store, Writing, local};

use super::super::super::registry_framing::dump;
use super::super::{ProtobufConverter, ProtobufConverterPlugin};

type Shared = Arc<Mutex<Store>>;

const FILE: &str = "syntax = \"proto3\"; package p; import \"other.proto\"; message A { int32 a = 1; } \
                    message B { message C { string c = 1; } q.Other other = 1; }";

fn settings(more: &[(&str, &str)]) -> ConfigMap {
    let mut all = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    all.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    all
}

fn converter(store: &Shared, more: &[(&str, &str)]) -> ProtobufConverter {
    let registry = local(Arc::clone(store), Writing::default());
    ProtobufConverter::over(registry, ConverterRole::Value, &settings(more)).unwrap()
}

fn register(store: &Shared, subject: &str, text: &str, references: Vec<lakeward_registry::Reference>) -> i32 {
    let schema = SchemaText { kind: SchemaType::Protobuf, text: text.into(), references };
    store.lock().unwrap().register(subject, schema.into(), false, None).unwrap().id
}

fn payload(id: i32, rest: &[u8]) -> Vec<u8> {
    [&[0], id.to_be_bytes().as_slice(), rest].concat()
}

fn decode(converter: &mut ProtobufConverter, records: &[Option<Vec<u8>>]) -> Decoded {
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| record.as_deref()).collect();
    assert_eq!(converter.poll_decode_ready("t", &payloads).unwrap(), Poll::Ready(()));
    let decoded = converter.decode("t", &payloads).unwrap();
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

fn with_imports(store: &Shared) -> i32 {
    register(store, "other", "syntax = \"proto3\"; package q; message Other { bool yes = 1; }", Vec::new());
    let reference =
        lakeward_registry::Reference { name: "other.proto".into(), subject: "other".into(), version: 1 };
    register(store, "t-value", FILE, vec![reference])
}

#[test]
fn runs_are_cut_where_the_message_type_changes() {
    let store = Shared::default();
    let id = with_imports(&store);
    let mut converter = converter(&store, &[]);
    let decoded = decode(
        &mut converter,
        &[
            Some(payload(id, &[0, 8, 5])),
            Some(payload(id, &[0, 8, 6, 8, 7])),
            None,
            Some(payload(id, &[4, 2, 0, 10, 1, b'x'])),
            Some(payload(id, &[2, 2, 10, 2, 8, 1])),
            Some(payload(id, &[0, 8])),
            Some(payload(id, &[2, 8])),
            Some(payload(99, &[0])),
            Some(vec![7, 0, 0, 0, 1, 0]),
        ],
    );
    let runs: Vec<_> = decoded.runs.iter().map(|run| (run.rows.clone(), values(&run.values))).collect();
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expected = [
        (vec![0, 1], texts(&["(5i,)", "(7i,)"])),
        (vec![2], texts(&["tombstone"])),
        (vec![3], texts(&["(\"x\",)"])),
        (vec![4], texts(&["((true,),)"])),
    ];
    assert_eq!(runs, expected);
    let schema = decoded.runs[0].values.schema().unwrap();
    assert_eq!((schema.name.as_deref(), schema.version), (Some("A"), Some(1)));
    let trace = |at: usize| decoded.errors[at].1.trace();
    assert!(trace(0).contains("input ended unexpectedly"), "{}", trace(0));
    assert!(trace(1).contains("Invalid message indexes: [4]"), "{}", trace(1));
    assert!(trace(2).contains("Error retrieving Protobuf schema for id 99"), "{}", trace(2));
    assert!(trace(3).ends_with("SerializationException: Unknown magic byte!\n"), "{}", trace(3));
    assert!(decoded.errors.iter().all(|(_, error)| error.class() == ErrorClass::Record));
    let first =
        "org.apache.kafka.connect.errors.DataException: Failed to deserialize data for topic t to Protobuf:";
    assert!((0..4).all(|at| trace(at).starts_with(first)));
}

fn sample() -> Values {
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let map = Kind::Map {
        key: Arc::new(Schema::new(Kind::String)),
        value: Arc::new(Schema::optional(Kind::Float64)),
    };
    let mut counted = Schema::optional(Kind::Int8);
    counted.default = Some(Value::Int8(5));
    let inner = Schema::optional(Kind::Struct(vec![field("n", Schema::new(Kind::Int64))]));
    let schema = Schema::optional(Kind::Struct(vec![
        field("text", Schema::new(Kind::String)),
        field("counted", counted),
        field("numbers", Schema::optional(Kind::Array(Arc::new(Schema::new(Kind::Int32))))),
        field("by", Schema::new(map).named("sums")),
        field("inner", inner),
    ]))
    .named("my.pack.Record");
    let rows = [
        Value::Struct(vec![
            Value::String("long enough to need two bytes ".repeat(8).as_str().into()),
            Value::Int8(5),
            Value::Array(vec![Value::Int32(0), Value::Int32(-1)]),
            Value::Map(vec![(Value::String("".into()), Value::Float64(-0.0))]),
            Value::Struct(vec![Value::Int64(i64::MIN)]),
        ]),
        Value::Null,
        Value::Struct(vec![
            Value::String("".into()),
            Value::Null,
            Value::Array(Vec::new()),
            Value::Map(Vec::new()),
            Value::Null,
        ]),
    ];
    let mut column = rows::ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() }
}

#[test]
fn what_was_written_is_registered_and_read_back() {
    let store = Shared::default();
    let mut converter = converter(&store, &[]);
    let values = sample();
    assert_eq!(converter.poll_encode_ready("t", &values).unwrap(), Poll::Ready(()));
    let encoded = converter.encode("t", &values).unwrap();
    assert!(encoded.errors.is_empty(), "{:?}", encoded.errors);
    assert_eq!(encoded.payload(1), None);
    // The default stands in for null, and is written.
    assert_eq!(encoded.payload(2), Some(&[0, 0, 0, 0, 1, 0, 16, 5][..]));
    let text = include_str!("written.proto");
    let registered = store.lock().unwrap().registered(Some("t-value"), 1).unwrap();
    assert_eq!(registered.schema.text.trim(), text.trim());
    let records: Vec<_> = (0..3).map(|row| encoded.payload(row).map(<[u8]>::to_vec)).collect();
    let decoded = decode(&mut converter, &records);
    let long = "long enough to need two bytes ".repeat(8);
    let first = format!("(\"{long}\",5b,[0i,-1i,],{{\"\":d:8000000000000000,}},(-9223372036854775808l,),)");
    assert_eq!(self::values(&decoded.runs[0].values), [first]);
    assert_eq!(self::values(&decoded.runs[2].values), ["(\"\",5b,[],{},null,)"]);
}

#[test]
fn subjects_follow_the_message() {
    let store = Shared::default();
    let strategy = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy";
    let mut converter = converter(&store, &[("value.subject.name.strategy", strategy)]);
    assert_eq!(converter.poll_encode_ready("t", &sample()).unwrap(), Poll::Ready(()));
    assert_eq!(store.lock().unwrap().subjects(false), ["t-my.pack.Record"]);
    let records = [Some(payload(1, &[0, 10, 1, b'x']))];
    assert_eq!(decode(&mut converter, &records).runs.len(), 1);
}

fn encode_one(schema: Schema, value: &Value) -> Result<Vec<u8>, ConnectError> {
    let array = rows::constant(&schema, value, 1).unwrap();
    let values = Values::Typed { schema: Arc::new(schema), array };
    let mut converter = converter(&Shared::default(), &[]);
    assert_eq!(converter.poll_encode_ready("t", &values).unwrap(), Poll::Ready(()));
    let mut encoded = converter.encode("t", &values).unwrap();
    match encoded.errors.pop() {
        Some((_, error)) => Err(error),
        None => Ok(encoded.payload(0).unwrap().to_vec()),
    }
}

#[test]
fn scalars_are_googles_wrappers() {
    let text = encode_one(Schema::new(Kind::String), &Value::String("a".into())).unwrap();
    assert_eq!(text, [0, 0, 0, 0, 1, 2, 14, 10, 1, b'a']);
    assert_eq!(encode_one(Schema::new(Kind::Int16), &Value::Int16(0)).unwrap(), [0, 0, 0, 0, 1, 2, 8]);
    let store = Shared::default();
    let id =
        register(&store, "t-value", "import \"google/protobuf/wrappers.proto\"; message M {}", Vec::new());
    assert_eq!(id, 1);
    let array = Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Int32))));
    let refused = encode_one(array, &Value::Array(Vec::new())).unwrap_err();
    assert_eq!(refused.java_class(), "java.lang.IllegalArgumentException");
    assert_eq!(refused.to_string(), "Unsupported root schema of type ARRAY");
}

#[test]
fn schemas_that_no_message_can_have_fail_their_rows() {
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let nested =
        Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Int8)))))));
    let refused = |fields: Vec<Field>, value: Value| {
        encode_one(Schema::new(Kind::Struct(fields)), &Value::Struct(vec![value])).unwrap_err().to_string()
    };
    assert_eq!(refused(vec![field("a", nested)], Value::Array(Vec::new())), "Array cannot be nested");
    let odd = refused(vec![field("a-b", Schema::new(Kind::Int8))], Value::Int8(1));
    assert!(odd.contains("\"a-b\" is not a valid identifier."), "{odd}");
    let holes = Schema::new(Kind::Array(Arc::new(Schema::optional(Kind::Int32))));
    let holes = refused(vec![field("a", holes)], Value::Array(vec![Value::Null]));
    assert!(holes.contains("null as an element"), "{holes}");
}

#[test]
fn values_without_a_schema_fail_alone() {
    let mut converter = converter(&Shared::default(), &[]);
    let values = Values::Dynamic(vec![Value::Null, Value::Int32(1)]);
    assert_eq!(converter.poll_encode_ready("t", &values).unwrap(), Poll::Ready(()));
    let encoded = converter.encode("t", &values).unwrap();
    assert_eq!((encoded.rows(), encoded.payload(0), encoded.errors.len()), (2, None, 1));
    assert_eq!(encoded.errors[0].1.java_class(), "java.lang.NullPointerException");
}

#[test]
fn messages_without_fields_have_rows() {
    let store = Shared::default();
    let id = register(&store, "t-value", "syntax = \"proto3\"; message E {}", Vec::new());
    let decoded =
        decode(&mut converter(&store, &[]), &[Some(payload(id, &[0])), Some(payload(id, &[0, 8, 1]))]);
    let Values::Typed { array, .. } = &decoded.runs[0].values else { panic!("no columns") };
    assert_eq!(array.as_any().downcast_ref::<StructArray>().unwrap().len(), 2);
}

#[test]
fn settings_are_checked_without_a_network() {
    let settings = |more: &[(&str, &str)]| settings(more);
    let connector = ConfigMap::new();
    let make = |settings: &ConfigMap| {
        let context =
            ConverterContext { role: ConverterRole::Value, settings, connector: &connector, network: None };
        ProtobufConverterPlugin.new_converter(&context).map(drop)
    };
    assert!(make(&settings(&[])).is_ok());
    assert!(make(&ConfigMap::new()).is_err(), "a registry is required");
    let error = make(&settings(&[("flatten.unions", "maybe")])).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Config);
    let error = make(&settings(&[("value.schema.id.serializer", "mine")])).unwrap_err();
    assert!(error.to_string().contains("value.schema.id.serializer"), "{error}");
    assert!(ProtobufConverterPlugin.config_def().key("optional.for.proto2").is_some());
}
