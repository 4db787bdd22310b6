//! The converter with a registry: runs, tombstones, failures, subjects, references.

use std::sync::{Arc, Mutex};

use arrow_array::{Array, ArrayRef, Int64Array, StructArray};
use lakeward_api::ErrorClass;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_registry::{
    Choice, CompatibilityLevel, Reference, SchemaText, SchemaType, Store, Writing, local,
};

use super::super::super::registry_framing::dump;
use super::super::{JsonSchemaConverter, JsonSchemaConverterPlugin};

pub(super) type Shared = Arc<Mutex<Store>>;

pub(super) fn converter(store: &Shared, settings: &[(&str, &str)]) -> JsonSchemaConverter {
    let registry = local(Arc::clone(store), Writing::default());
    JsonSchemaConverter::over(registry, ConverterRole::Value, &with_url(settings)).unwrap()
}

fn with_url(settings: &[(&str, &str)]) -> ConfigMap {
    let all = settings.iter().chain(&[("schema.registry.url", "http://registry")]);
    all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn register(store: &Shared, subject: &str, text: &str, references: Vec<Reference>) -> i32 {
    let schema = SchemaText { kind: SchemaType::Json, text: text.into(), references };
    let mut store = store.lock().unwrap();
    store.set_level(None, CompatibilityLevel::None);
    store.register(subject, schema.into(), false, None).unwrap().id
}

pub(super) fn payload(id: i32, json: &str) -> Vec<u8> {
    [&[0], id.to_be_bytes().as_slice(), json.as_bytes()].concat()
}

pub(super) fn decode(converter: &mut JsonSchemaConverter, records: &[Option<Vec<u8>>]) -> Decoded {
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| record.as_deref()).collect();
    assert!(converter.poll_decode_ready("t", &payloads).unwrap().is_ready());
    let decoded = converter.decode("t", &payloads).unwrap();
    let rows: usize = decoded.runs.iter().map(|run| run.rows.len()).sum();
    assert_eq!(rows + decoded.errors.len(), payloads.len(), "rows were lost or doubled");
    decoded
}

pub(super) fn texts(values: &Values) -> Vec<String> {
    let Values::Typed { schema, array } = values else { return vec!["tombstone".to_owned(); values.rows()] };
    (0..array.len()).map(|row| dump::value(&value_at(schema, array, row))).collect()
}

#[test]
fn runs_are_cut_where_the_schema_changes_and_at_tombstones() {
    let store = Shared::default();
    let number = register(&store, "t-value", r#"{"type":"integer"}"#, Vec::new());
    let text = register(&store, "t-value", r#"{"type":"string"}"#, Vec::new());
    let mut converter = converter(&store, &[]);
    let decoded = decode(
        &mut converter,
        &[
            Some(payload(number, "2")),
            Some(payload(number, " 4 ")),
            None,
            Some(payload(text, "\"ok\"")),
            Some(payload(number, "{")),
            Some(payload(number, "-1")),
            Some(vec![9, 0, 0, 0, 1, b'2']),
            Some(payload(77, "2")),
            Some(vec![0, 0]),
            Some(vec![]),
            Some(payload(number, "\"\u{fffd}")[..6].to_vec()),
        ],
    );
    let runs: Vec<_> = decoded.runs.iter().map(|run| (run.rows.clone(), texts(&run.values))).collect();
    let all = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        runs,
        [
            (vec![0, 1], all(&["2l", "4l"])),
            (vec![2], all(&["tombstone"])),
            (vec![3], all(&["\"ok\""])),
            (vec![5], all(&["-1l"])),
        ]
    );
    let Values::Typed { schema, .. } = &decoded.runs[2].values else { panic!("not typed") };
    assert_eq!(schema.version, Some(2), "the version is that of the registry");
    assert_eq!(decoded.errors.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [4, 6, 7, 8, 9, 10]);
    for (_, error) in &decoded.errors {
        let prefix = "Converting byte[] to Kafka Connect data failed due to serialization error of topic t: ";
        assert_eq!(error.to_string(), prefix);
        assert_eq!(error.class(), ErrorClass::Record);
        assert_eq!(error.java_class(), "org.apache.kafka.connect.errors.DataException");
    }
    let causes = ["for id 1\n", "Unknown magic byte!", "Schema 77 not found; error code: 40403"];
    for ((_, error), cause) in decoded.errors.iter().zip(causes) {
        assert!(error.trace().contains(cause), "{}", error.trace());
    }
}

#[test]
fn what_is_missing_under_a_required_field_fails_and_leaves_no_trace() {
    let store = Shared::default();
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}}}"#;
    let id = register(&store, "t-value", schema, Vec::new());
    let records = [r#"{"a":"x","b":1}"#, r#"{"a":"y"}"#, r#"{"b":2}"#, r#"{"b":3,"a":"z"}"#];
    let records = records.map(|json| Some(payload(id, json)));
    let decoded = decode(&mut converter(&store, &[]), &records);
    assert_eq!(texts(&decoded.runs[0].values), ["(\"x\",1l,)", "(\"z\",3l,)"]);
    let (row, error) = &decoded.errors[0];
    let missing = "Invalid value: null used for required field: \"b\", schema type: INT64";
    assert_eq!((*row, error.to_string()), (1, missing.to_owned()));

    let mut lenient = converter(&store, &[("use.optional.for.nonrequired", "true")]);
    let decoded = decode(&mut lenient, &records);
    assert_eq!(decoded.errors.len(), 0);
    assert_eq!(texts(&decoded.runs[0].values)[1..3], ["(\"y\",null,)", "(null,2l,)"]);
}

#[test]
fn references_to_registered_schemas_are_followed() {
    let store = Shared::default();
    let point = r##"{"$id":"http://example.com/point.json","type":"object","title":"Point",
        "properties":{"x":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"integer"}}}"##;
    register(&store, "point", point, Vec::new());
    let reference = Reference { name: "point.json".to_owned(), subject: "point".to_owned(), version: 1 };
    let line = r##"{"$id":"http://example.com/line.json","type":"object","title":"Line","properties":{
        "a":{"$ref":"point.json","connect.index":0},
        "n":{"$ref":"http://example.com/point.json#/definitions/n","connect.index":1}}}"##;
    let id = register(&store, "t-value", line, vec![reference]);
    let decoded = decode(&mut converter(&store, &[]), &[Some(payload(id, r#"{"a":{"x":1},"n":2}"#))]);
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    let Values::Typed { schema, .. } = &decoded.runs[0].values else { panic!("not typed") };
    assert_eq!(
        dump::schema(schema),
        r#"STRUCT<n="Line";v=1;>("a" STRUCT<n="Point";>("x" INT64<>,),"n" INT64<>,)"#
    );

    let absent = register(&store, "t-value", r#"{"$ref":"http://example.com/other.json"}"#, Vec::new());
    let decoded = decode(&mut converter(&store, &[]), &[Some(payload(absent, "1"))]);
    assert!(decoded.errors[0].1.to_string().contains("names nothing that is registered"));
}

#[test]
fn schemas_without_a_type_are_refused_with_reasons() {
    let store = Shared::default();
    let cases = [
        ("{}", "EmptySchema"),
        (r##"{"$ref":"#"}"##, "supported"),
        (r##"{"type":"array","items":{"$ref":"#"}}"##, "supported"),
    ];
    for (schema, reason) in cases {
        let id = register(&store, "t-value", schema, Vec::new());
        let decoded = decode(&mut converter(&store, &[]), &[Some(payload(id, "{}")), None]);
        let (_, error) = &decoded.errors[0];
        assert_eq!(error.class(), ErrorClass::Record);
        assert!(error.to_string().contains(reason), "{schema}: {error}");
    }
}

fn point(name: Option<&str>, optional: bool) -> (Arc<Schema>, ArrayRef) {
    let mut schema = Schema::new(Kind::Struct(vec![Field {
        name: "x".into(),
        schema: Arc::new(Schema::new(Kind::Int64)),
    }]));
    schema.name = name.map(Into::into);
    schema.optional = optional;
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let nulls = Some(vec![true, false].into());
    let array: ArrayRef = Arc::new(StructArray::new(schema.arrow_fields(), vec![column], nulls));
    (Arc::new(schema), array)
}

#[test]
fn nulls_are_tombstones_only_under_required_schemas() {
    for (optional, expected) in [(false, None), (true, Some(&b"null"[..]))] {
        let store = Shared::default();
        let mut converter = converter(&store, &[]);
        let (schema, array) = point(Some("P"), optional);
        let values = Values::Typed { schema, array };
        assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
        let encoded = converter.encode("t", &values).unwrap();
        assert!(encoded.errors.is_empty());
        assert_eq!(encoded.payload(0), Some(payload(1, r#"{"x":1}"#).as_slice()));
        assert_eq!(encoded.payload(1).map(|payload| &payload[5..]), expected);
        assert_eq!(store.lock().unwrap().subjects(false), ["t-value"]);
    }
}

#[test]
fn subjects_are_named_by_titles_when_the_strategy_says_so() {
    let class = |name: &str| format!("io.confluent.kafka.serializers.subject.{name}");
    for (strategy, subject) in [("RecordNameStrategy", "P"), ("TopicRecordNameStrategy", "t-P")] {
        let store = Shared::default();
        let strategy = class(strategy);
        let mut converter = converter(&store, &[("value.subject.name.strategy", &strategy)]);
        let (schema, array) = point(Some("P"), false);
        let values = Values::Typed { schema, array };
        assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
        let encoded = converter.encode("t", &values).unwrap();
        assert_eq!(store.lock().unwrap().subjects(false), [subject]);
        let record = encoded.payload(0).unwrap().to_vec();
        let decoded = decode(&mut converter, &[Some(record)]);
        assert_eq!(texts(&decoded.runs[0].values), ["(1l,)"]);

        let (schema, array) = point(None, false);
        let values = Values::Typed { schema, array };
        assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
        let encoded = converter.encode("t", &values).unwrap();
        let trace = encoded.errors[0].1.trace();
        assert!(trace.contains("the message value must only be a record schema"), "{trace}");
    }
}

#[test]
fn values_without_a_schema_are_refused_one_by_one() {
    let store = Shared::default();
    let mut converter = converter(&store, &[]);
    let values = Values::Dynamic(vec![Value::Int64(1), Value::Null]);
    assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
    let encoded = converter.encode("t", &values).unwrap();
    assert_eq!((encoded.rows(), encoded.errors.len()), (2, 1));
    assert!(encoded.errors[0].1.trace().contains("without a schema"));
    assert!(encoded.payload(1).is_none());
}

#[test]
fn records_that_do_not_keep_to_their_schema_fail_when_they_are_to_be_checked() {
    let store = Shared::default();
    let schema = r#"{"type":"object","properties":{"a":{"type":"integer","minimum":3}}}"#;
    let id = register(&store, "t-value", schema, Vec::new());
    let records =
        [r#"{"a":4}"#, r#"{"a":2}"#, r#"{"a":"5"}"#, r#"{"a":6}"#].map(|json| Some(payload(id, json)));
    let decoded = decode(&mut converter(&store, &[]), &records);
    assert_eq!(texts(&decoded.runs[0].values), ["(4l,)", "(2l,)", "(0l,)", "(6l,)"], "as Java reads them");
    let decoded = decode(&mut converter(&store, &[("json.fail.invalid.schema", "true")]), &records);
    assert_eq!(texts(&decoded.runs[0].values), ["(4l,)", "(6l,)"]);
    assert_eq!(decoded.errors.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2]);
    let trace = decoded.errors[0].1.trace();
    assert!(trace.contains("#/a: 2 is not greater or equal to 3"), "{trace}");
}

#[test]
fn values_are_checked_against_the_schema_they_are_written_with() {
    let store = Shared::default();
    let latest = r#"{"type":"object","properties":{"x":{"type":"integer","maximum":1}}}"#;
    register(&store, "t-value", latest, Vec::new());
    let latest = Writing { choice: Choice::Latest { strict: false }, ..Writing::default() };
    let settings = with_url(&[("json.fail.invalid.schema", "true")]);
    let registry = local(Arc::clone(&store), latest);
    let mut converter = JsonSchemaConverter::over(registry, ConverterRole::Value, &settings).unwrap();
    let mut schema = Schema::new(Kind::Struct(vec![Field {
        name: "x".into(),
        schema: Arc::new(Schema::new(Kind::Int64)),
    }]));
    schema.name = Some("P".into());
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let array: ArrayRef = Arc::new(StructArray::new(schema.arrow_fields(), vec![column], None));
    let values = Values::Typed { schema: Arc::new(schema), array };
    assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
    let encoded = converter.encode("t", &values).unwrap();
    assert_eq!(encoded.payload(0).map(|payload| &payload[5..]), Some(br#"{"x":1}"#.as_slice()));
    assert_eq!(
        encoded.errors.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
        [1],
        "{:?}",
        encoded.payload(1)
    );
    let trace = encoded.errors[0].1.trace();
    assert!(trace.contains("\"message\": \"2 is not less or equal to 1\""), "{trace}");
}

#[test]
fn settings_that_are_not_supported_are_refused_by_name() {
    let refused = [
        ("preserve.additional.properties", "true"),
        ("decimal.format", "FLOAT"),
        ("use.optional.for.nonrequired", "perhaps"),
        ("value.schema.id.serializer", "io.confluent.kafka.serializers.schema.id.Own"),
    ];
    for (name, value) in refused {
        let settings = with_url(&[(name, value)]);
        let context = ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &settings,
            network: None,
        };
        let Err(error) = JsonSchemaConverterPlugin.new_converter(&context) else {
            panic!("{name} is accepted")
        };
        assert_eq!(error.class(), ErrorClass::Config);
        assert!(error.to_string().contains(name), "{error}");
    }
}
