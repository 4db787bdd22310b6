//! Payloads behind the head of a schema registry, under schemas whose payloads can claim more than they hold.

use std::sync::{Arc, Mutex};

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_formats::converter::avro::AvroConverter;
use lakeward_formats::converter::json_schema::JsonSchemaConverter;
use lakeward_formats::converter::protobuf::ProtobufConverter;
use lakeward_registry::{Registry, SchemaText, SchemaType, Store, Writing, local};

use super::Decoder;
use super::converters::of_converter;

/// Payloads start with a zero byte and the number of their schema.
const MAGIC: [u8; 5] = [0, 0, 0, 0, 1];

/// Schemas with their languages and what they are about.
pub(super) const SCHEMAS: [(SchemaType, &str, &str); 13] = [
    (
        SchemaType::Avro,
        "record",
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":{"type":
        "map","values":["null","double"]}},{"name":"c","type":{"type":"fixed","name":"F","size":16}},
        {"name":"d","type":{"type":"array","items":"bytes"}},{"name":"e","type":["null","long","string"]}]}"#,
    ),
    (SchemaType::Avro, "empty items", r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#),
    (
        SchemaType::Avro,
        "nested items",
        r#"{"type":"array","items":{"type":"array","items":{"type":"array","items":"null"}}}"#,
    ),
    (SchemaType::Avro, "decimal", r#"{"type":"bytes","logicalType":"decimal","precision":60,"scale":10}"#),
    (
        SchemaType::Protobuf,
        "scalars",
        r#"syntax = "proto3"; enum E { A = 0; B = 1; } message M { string a = 1; bytes b = 2; int64 c = 3;
        repeated sint32 d = 4; map<string, double> e = 5; E f = 6; oneof g { string h = 7; fixed64 i = 8; }
        optional bool j = 9; repeated E k = 10; repeated string l = 11; }"#,
    ),
    (
        SchemaType::Protobuf,
        "messages",
        r#"syntax = "proto2"; message W { optional int32 a = 1 [default = 7]; required string b = 2; }
        message R { repeated I i = 1; map<int32, I> m = 2; message I { repeated J j = 1; optional I2 k = 2; }
        message I2 { optional W w = 3; } message J { } oneof o { J x = 4; I2 y = 5; } }"#,
    ),
    (
        SchemaType::Protobuf,
        "logical",
        r#"syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/type/date.proto";
        import "google/protobuf/wrappers.proto"; import "confluent/type/decimal.proto";
        import "google/type/timeofday.proto";
        message L { google.protobuf.Timestamp a = 1; repeated google.type.Date b = 2;
        google.type.TimeOfDay c = 3; repeated confluent.type.Decimal d = 4;
        repeated google.protobuf.Int64Value e = 5; google.protobuf.StringValue f = 6; }"#,
    ),
    (
        SchemaType::Protobuf,
        "messages in themselves",
        r#"syntax = "proto2"; message T { optional T a = 1; repeated U b = 2; map<string, T> c = 3;
        oneof o { T d = 4; int64 e = 5; } } message U { required int32 f = 1; optional T g = 2; }"#,
    ),
    (
        SchemaType::Protobuf,
        "empty messages",
        r#"syntax = "proto3"; message A { } message N { repeated P p = 1; message P { repeated Q q = 1; }
        message Q { repeated A a = 1; } }"#,
    ),
    (
        SchemaType::Json,
        "object",
        r#"{"type":"object","title":"T","properties":{"a":{"type":"integer"},"b":{"type":"string"},
        "c":{"oneOf":[{"type":"null"},{"type":"string"},{"type":"array","items":{"type":"number"}},
        {"type":"object","properties":{"a":{"type":"string"}}}]},
        "d":{"type":"array","connect.type":"map","items":{"type":"object","properties":{
        "key":{"type":"integer"},"value":{"type":"string"}}}},"schema":{"type":"object"},
        "e":{"type":"object","connect.type":"map","additionalProperties":{"type":"boolean"}}}}"#,
    ),
    (
        SchemaType::Json,
        "nested items",
        r#"{"type":"array","items":{"type":"array","items":{"type":"array","items":{"type":"object"}}}}"#,
    ),
    (
        SchemaType::Json,
        "decimal",
        r#"{"type":"array","items":{"type":"number","title":"org.apache.kafka.connect.data.Decimal",
        "connect.type":"bytes","connect.version":1,"connect.parameters":{"scale":"2"}}}"#,
    ),
    (
        SchemaType::Json,
        "alternatives",
        r#"{"oneOf":[{"type":"string"},{"type":"integer","connect.type":"int8"},{"type":"array","items":
        {"oneOf":[{"type":"number"},{"type":"boolean"},{"type":"object","properties":{"a":{"type":"null"},
        "b":{"enum":["x",1,null]}}}]}}]}"#,
    ),
];

/// One decoder per schema.
pub(super) fn decoders() -> Vec<Decoder> {
    SCHEMAS.into_iter().map(|(kind, what, text)| decoder(kind, what, text)).collect()
}

/// A decoder of payloads of one schema.
pub(super) fn decoder(kind: SchemaType, what: &str, text: &str) -> Decoder {
    let store = Arc::new(Mutex::new(Store::default()));
    let registered = store.lock().expect("nobody else has it").register(
        "t-value",
        written(kind, text).into(),
        false,
        None,
    );
    assert_eq!(registered.expect("a valid schema").id, 1, "the head of payloads names schema 1");
    let converter = over(kind, store).expect("the settings are right");
    let class = match kind {
        SchemaType::Avro => "AvroConverter",
        SchemaType::Json => "JsonSchemaConverter",
        SchemaType::Protobuf => "ProtobufConverter",
    };
    of_converter(format!("{class} {what}"), converter)
}

/// `payload` behind the head of a registry's payload.
pub(super) fn with_magic(payload: Vec<u8>) -> Vec<u8> {
    [MAGIC.to_vec(), payload].concat()
}

/// A schema without references.
pub(super) fn written(kind: SchemaType, text: &str) -> SchemaText {
    SchemaText { kind, text: text.into(), references: Vec::new() }
}

/// The converter of a language over a registry in memory.
pub(super) fn over(kind: SchemaType, store: Arc<Mutex<Store>>) -> Result<Box<dyn Converter>, ConnectError> {
    converter(kind, local(store, Writing::default()), &[])
}

/// The converter of a language that asks `registry`, with more `settings` than its address.
pub(super) fn converter(
    kind: SchemaType,
    registry: Box<dyn Registry>,
    settings: &[(&str, &str)],
) -> Result<Box<dyn Converter>, ConnectError> {
    let settings = [&[("schema.registry.url", "http://registry")], settings].concat();
    let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings: ConfigMap = settings.collect();
    let role = ConverterRole::Value;
    Ok(match kind {
        SchemaType::Avro => Box::new(AvroConverter::over(registry, role, &settings)?),
        SchemaType::Json => Box::new(JsonSchemaConverter::over(registry, role, &settings)?),
        SchemaType::Protobuf => Box::new(ProtobufConverter::over(registry, role, &settings)?),
    })
}
