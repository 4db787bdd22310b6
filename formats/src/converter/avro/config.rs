//! Settings of `AvroConverter`.
//!
//! Source: `AvroDataConfig`, `AvroConverterConfig` and `AbstractKafkaSchemaSerDeConfig` of Confluent Schema
//! Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance};
use lakeward_api::plugin::ConverterRole;

use super::mapping::Mapping;
use super::readers::Rules;
use super::subject::{Strategy, Subjects};

/// The keys that change how schemas are mapped.
pub(super) fn mapping_keys() -> Vec<ConfigKey> {
    use Importance::{Low, Medium};
    let key = |name: &str, kind: ConfigType, default: &str, importance: Importance, documentation: &str| {
        ConfigKey {
            documentation: documentation.to_owned(),
            ..ConfigKey::new(name, kind, DefaultValue::Text(default.to_owned()), importance)
        }
    };
    let flag = |name: &str, default: &str, importance: Importance, documentation: &str| {
        key(name, ConfigType::Boolean, default, importance, documentation)
    };
    vec![
        flag(
            "generalized.sum.type.support",
            "false",
            Medium,
            "Whether enums and unions are mapped in the way that all formats of the registry share",
        ),
        flag(
            "ignore.default.for.nullables",
            "false",
            Medium,
            "Whether null stays null when it is written to a field with a default",
        ),
        key("schemas.cache.config", ConfigType::Int, "1000", Low, "How many converted schemas are kept"),
        flag(
            "enhanced.avro.schema.support",
            "false",
            Medium,
            "Whether enums stay enums and names keep their namespace",
        ),
        flag(
            "scrub.invalid.names",
            "false",
            Medium,
            "Whether characters that Avro does not allow in names are replaced",
        ),
        flag("connect.meta.data", "true", Low, "Whether Avro schemas are annotated with what Connect knows"),
        flag(
            "discard.type.doc.default",
            "false",
            Low,
            "Whether only the docs and defaults of Avro fields are kept",
        ),
        flag(
            "allow.optional.map.keys",
            "false",
            Low,
            "Whether maps with optional texts as keys are written as Avro maps",
        ),
        flag("flatten.singleton.unions", "true", Low, "Whether a union of one type is that type"),
    ]
}

/// How one side of a task's records is converted.
///
/// # Errors
/// `Config` for values that are not of their type, and for features this worker does not have.
pub(super) fn rules(role: ConverterRole, settings: &ConfigMap) -> Result<Rules, ConnectError> {
    let values = ConfigDef::new(mapping_keys()).validate(settings);
    if let Some(problem) = values.iter().flat_map(|value| &value.errors).next() {
        return Err(ConnectError::config(problem));
    }
    let value = |name: &str| {
        let found = values.iter().find(|value| value.name == name);
        found.and_then(|value| value.value.as_deref()).unwrap_or_default()
    };
    let flag = |name: &str| value(name) == "true";
    let mapping = Mapping {
        generalized_sums: flag("generalized.sum.type.support"),
        ignore_defaults: flag("ignore.default.for.nullables"),
        enhanced: flag("enhanced.avro.schema.support"),
        scrub: flag("scrub.invalid.names"),
        meta_data: flag("connect.meta.data"),
        discard_docs: flag("discard.type.doc.default"),
        optional_map_keys: flag("allow.optional.map.keys"),
        flatten_singletons: flag("flatten.singleton.unions"),
    };
    let subjects = Subjects { role, strategy: strategy(role, settings)? };
    check_wire_format(role, settings)?;
    let entries_max = value("schemas.cache.config").parse().unwrap_or(1).max(1);
    Ok(Rules { mapping, subjects, entries_max })
}

fn side(role: ConverterRole) -> &'static str {
    if role == ConverterRole::Key { "key" } else { "value" }
}

fn strategy(role: ConverterRole, settings: &ConfigMap) -> Result<Strategy, ConnectError> {
    let key = format!("{}.subject.name.strategy", side(role));
    let Some(class) = settings.get(&key).map(|class| class.trim()) else { return Ok(Strategy::TopicName) };
    Strategy::from_class(class).ok_or_else(|| {
        ConnectError::config(format!(
            "Invalid value {class} for configuration {key}: Class {class} could not be found. Use \
             TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy of \
             io.confluent.kafka.serializers.subject."
        ))
    })
}

/// Ids in headers need the record's headers, which converters of this worker do not see.
fn check_wire_format(role: ConverterRole, settings: &ConfigMap) -> Result<(), ConnectError> {
    for (suffix, known) in [
        ("schema.id.serializer", &["PrefixSchemaIdSerializer"][..]),
        ("schema.id.deserializer", &["DualSchemaIdDeserializer", "PrefixSchemaIdDeserializer"][..]),
    ] {
        let key = format!("{}.{suffix}", side(role));
        let Some(class) = settings.get(&key).map(|class| class.trim()) else { continue };
        let simple = class.strip_prefix("io.confluent.kafka.serializers.schema.id.").unwrap_or(class);
        if !known.contains(&simple) {
            return Err(ConnectError::config(format!(
                "Invalid value {class} for configuration {key}: schema ids are supported at the start of \
                 payloads only. Use {}, or remove the key.",
                known[0]
            )));
        }
    }
    Ok(())
}
