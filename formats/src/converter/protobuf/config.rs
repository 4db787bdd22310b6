//! Settings of `ProtobufConverter`.
//!
//! Source: `ProtobufDataConfig`, `ProtobufConverterConfig` and `AbstractKafkaSchemaSerDeConfig` of Confluent
//! Schema Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_registry::settings::SchemaIdSerializer;
use lakeward_registry::{RegistrySettings, http};

use super::super::registry_framing::{Subjects, Unconnected};
use super::ProtobufConverter;
use super::mapping::Mapping;
use super::readers::Rules;

/// `io.confluent.connect.protobuf.ProtobufConverter`.
#[derive(Clone, Copy, Debug)]
pub struct ProtobufConverterPlugin;

impl ConverterPlugin for ProtobufConverterPlugin {
    fn class(&self) -> &'static str {
        "io.confluent.connect.protobuf.ProtobufConverter"
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
            return Ok(Box::new(Unconnected { format: "Protobuf" }));
        };
        Ok(Box::new(ProtobufConverter::new(http::client(&settings, network)?, rules)))
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
        flag("enhanced.protobuf.schema.support", "false", Medium, "Whether names keep their package"),
        flag(
            "scrub.invalid.names",
            "false",
            Medium,
            "Whether characters that Protobuf does not allow in names are replaced",
        ),
        flag("int.for.enums", "false", Medium, "Whether enums are integers"),
        flag(
            "optional.for.nullables",
            "false",
            Medium,
            "Whether fields that may be null have the label optional",
        ),
        flag("optional.for.proto2", "true", Medium, "Whether optional fields of proto2 may be null"),
        flag(
            "wrapper.for.nullables",
            "false",
            Medium,
            "Whether scalars that may be null are wrapper messages",
        ),
        flag(
            "wrapper.for.raw.primitives",
            "true",
            Medium,
            "Whether a wrapper message that is the whole value is a plain scalar",
        ),
        flag("generate.struct.for.nulls", "false", Medium, "Whether an absent message is one without fields"),
        flag("generate.index.for.unions", "true", Low, "Whether the names of oneofs end with their index"),
        flag("flatten.unions", "false", Low, "Whether members of oneofs are fields of the message"),
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
        enhanced: flag("enhanced.protobuf.schema.support"),
        scrub: flag("scrub.invalid.names"),
        int_enums: flag("int.for.enums"),
        optionals: flag("optional.for.nullables"),
        proto2_optionals: flag("optional.for.proto2"),
        wrappers: flag("wrapper.for.nullables"),
        raw_wrappers: flag("wrapper.for.raw.primitives"),
        null_structs: flag("generate.struct.for.nulls"),
        union_index: flag("generate.index.for.unions"),
        flatten_unions: flag("flatten.unions"),
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
