//! Settings of `AvroConverter`.
//!
//! Source: `AvroDataConfig`, `AvroConverterConfig` and `AbstractKafkaSchemaSerDeConfig` of Confluent Schema
//! Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_registry::settings::SchemaIdSerializer;
use lakeward_registry::{RegistrySettings, http};

use super::super::registry_framing::{Subjects, Unconnected};
use super::AvroConverter;
use super::mapping::Mapping;
use super::readers::Rules;

/// `io.confluent.connect.avro.AvroConverter`.
#[derive(Clone, Copy, Debug)]
pub struct AvroConverterPlugin;

impl ConverterPlugin for AvroConverterPlugin {
    fn class(&self) -> &'static str {
        "io.confluent.connect.avro.AvroConverter"
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn config_def(&self) -> ConfigDef {
        let mut keys = RegistrySettings::config_def().keys().to_vec();
        keys.extend(mapping_keys());
        ConfigDef::new(keys)
    }

    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        let settings = RegistrySettings::parse(context.settings, context.role == ConverterRole::Key)?;
        let rules = rules(context.role, context.settings, &settings)?;
        let Some(network) = context.network else {
            return Ok(Box::new(Unconnected { format: "Avro" }));
        };
        Ok(Box::new(AvroConverter::new(http::client(&settings, network)?, rules)))
    }
}

/// The release whose behaviour the converter reproduces; REST answers show it.
const VERSION: &str = "8.0.0";

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
pub(super) fn rules(
    role: ConverterRole,
    settings: &ConfigMap,
    registry: &RegistrySettings,
) -> Result<Rules, ConnectError> {
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
    let entries_max = value("schemas.cache.config").parse().unwrap_or(1).max(1);
    let subjects = Subjects { strategy: registry.subject_names, is_key: role == ConverterRole::Key };
    // Headers need the record around the payload, which converters of this worker do not see.
    if registry.id_serializer != SchemaIdSerializer::Prefix {
        let side = subjects.side();
        return Err(ConnectError::config(format!(
            "Invalid value HeaderSchemaIdSerializer for configuration {side}.schema.id.serializer: \
             schema ids are supported at the start of payloads only. Use PrefixSchemaIdSerializer, or \
             remove the key."
        )));
    }
    Ok(Rules { mapping, subjects, entries_max })
}
