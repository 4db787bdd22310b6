//! Converters that ask a schema registry, each over one of its own in memory.

use std::sync::{Arc, Mutex};

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_formats::converter::avro::AvroConverter;
use lakeward_formats::converter::json_schema::JsonSchemaConverter;
use lakeward_formats::converter::protobuf::ProtobufConverter;
use lakeward_registry::{CompatibilityLevel, SchemaText, SchemaType, Store, Writing, local};

use super::{converters, not_configured};
use crate::case::{Answer, Failure, Items, Setup};

/// The registry of a case.
pub(super) type Registry = Arc<Mutex<Store>>;

/// Bytes in front of a body: zero and the id of the schema.
const HEAD: usize = 5;

/// The language of a converter that asks a registry.
pub(super) fn language(class: &str) -> Option<SchemaType> {
    match class.rsplit('.').next()? {
        "AvroConverter" => Some(SchemaType::Avro),
        "JsonSchemaConverter" => Some(SchemaType::Json),
        "ProtobufConverter" => Some(SchemaType::Protobuf),
        _ => None,
    }
}

/// The answers to `items`.
///
/// # Errors
/// The answer to all of them when a schema or a setting is refused.
pub(super) fn run(
    kind: SchemaType,
    setup: &Setup,
    settings: &ConfigMap,
    items: &Items,
) -> Result<Vec<Answer>, Answer> {
    let (mut converter, registry) = converter(kind, setup, settings)?;
    let answers = match items {
        Items::Decode(payloads) => converters::decode(&mut *converter, setup, payloads),
        Items::Encode(values) => converters::encode(&mut *converter, setup, values),
        Items::Recode(payloads) => converters::recode(&mut *converter, setup, payloads),
        _ => vec![Answer::Broken("no such case with a registry".to_owned()); items.len()],
    };
    Ok(answers.into_iter().map(|answer| registered(answer, &registry)).collect())
}

/// The converter of a case and its registry, which never lets a converter wait.
///
/// # Errors
/// The answer to all items when a schema or a setting is refused.
pub(super) fn converter(
    kind: SchemaType,
    setup: &Setup,
    settings: &ConfigMap,
) -> Result<(Box<dyn Converter>, Registry), Answer> {
    let registry = registry(kind, setup)?;
    let mut settings = settings.clone();
    settings.insert("schema.registry.url".to_owned(), "http://registry".to_owned());
    let converter = over(kind, setup, &settings, Arc::clone(&registry));
    Ok((converter.map_err(|err| not_configured(&err))?, registry))
}

fn over(
    kind: SchemaType,
    setup: &Setup,
    settings: &ConfigMap,
    registry: Registry,
) -> Result<Box<dyn Converter>, ConnectError> {
    let role = if setup.is_key { ConverterRole::Key } else { ConverterRole::Value };
    let registry = local(registry, Writing::default());
    Ok(match kind {
        SchemaType::Avro => Box::new(AvroConverter::over(registry, role, settings)?),
        SchemaType::Json => Box::new(JsonSchemaConverter::over(registry, role, settings)?),
        SchemaType::Protobuf => Box::new(ProtobufConverter::over(registry, role, settings)?),
    })
}

fn registry(kind: SchemaType, setup: &Setup) -> Result<Registry, Answer> {
    let mut store = Store::default();
    store.set_level(None, CompatibilityLevel::None);
    let subject = format!("{}-{}", setup.topic, if setup.is_key { "key" } else { "value" });
    for (at, text) in setup.schemas.iter().enumerate() {
        let schema = SchemaText { kind, text: text.as_str().into(), references: Vec::new() };
        let registered = store.register(&subject, schema.into(), false, None);
        let registered = registered.map_err(|err| refused(err.to_string()))?;
        // The same schema in other words has no id of its own.
        if usize::try_from(registered.id).ok() != Some(at + 1) {
            return Err(refused("schema refused".to_owned()));
        }
    }
    Ok(Arc::new(Mutex::new(store)))
}

/// What both sides say of a text that is no schema.
fn refused(message: String) -> Answer {
    Answer::NotConfigured(Failure {
        class: "org.apache.kafka.common.errors.SerializationException".to_owned(),
        message: Some(message),
        causes: Vec::new(),
    })
}

/// Says of a payload what its schema is.
fn registered(answer: Answer, registry: &Registry) -> Answer {
    let Answer::Bytes(Some(payload)) = answer else { return answer };
    let Some((head, body)) = payload.split_first_chunk::<HEAD>() else {
        return Answer::Broken("the payload ends within its head".to_owned());
    };
    let [0, id @ ..] = head else { return Answer::Broken("the payload does not start with zero".to_owned()) };
    let store = registry.lock().expect("nobody panicked with it");
    match store.schema(i32::from_be_bytes(*id)) {
        Ok(schema) => Answer::Registered { schema: schema.schema.text.to_string(), body: body.to_vec() },
        Err(err) => Answer::Broken(err.to_string()),
    }
}
