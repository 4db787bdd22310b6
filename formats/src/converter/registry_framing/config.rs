//! Settings that all converters of a registry have, and how a plugin makes a converter of them.
//!
//! Source: `AbstractDataConfig`, `AbstractKafkaSchemaSerDeConfig` of Confluent Schema Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, DefaultValue, Importance,
};
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::plugin::{ConverterContext, ConverterRole};
use lakeward_registry::settings::{SchemaIdDeserializer, SchemaIdSerializer};
use lakeward_registry::{Reading, RegistrySettings, http};

use super::converter::FramedConverter;
use super::format::Format;
use super::subjects::{Rules, Subjects};

/// The release whose behaviour the converters reproduce; REST answers show it.
pub(in super::super) const VERSION: &str = "8.0.0";
/// Whether all formats map unions and enums in one way.
pub(in super::super) const GENERALIZED_SUMS: &str = "generalized.sum.type.support";
/// Whether null stays null where there is a default.
pub(in super::super) const IGNORE_DEFAULTS: &str = "ignore.default.for.nullables";
const CACHE_SIZE: &str = "schemas.cache.config";

/// All keys of a converter.
pub(in super::super) fn config_def<F: Format>() -> ConfigDef {
    let mut keys = RegistrySettings::config_def().keys().to_vec();
    keys.extend(mapping_keys::<F>());
    ConfigDef::new(keys)
}

/// A converter that asks the registry which its settings name.
///
/// # Errors
/// `Config` when a setting is wrong.
pub(in super::super) fn connected<F: Format>(
    context: &ConverterContext<'_>,
) -> Result<Box<dyn Converter>, ConnectError> {
    let settings = RegistrySettings::parse(context.settings, context.role == ConverterRole::Key)?;
    let rules = rules::<F>(context.role, context.settings, &settings)?;
    let Some(network) = context.network else {
        return Ok(Box::new(Unconnected { format: F::READING.format }));
    };
    Ok(Box::new(FramedConverter::<F>::new(http::client(&settings, network)?, rules, &settings)))
}

/// How one side of a task's records is converted.
///
/// # Errors
/// `Config` for values that are not of their type, and for features this worker does not have.
pub(in super::super) fn rules<F: Format>(
    role: ConverterRole,
    settings: &ConfigMap,
    registry: &RegistrySettings,
) -> Result<Rules<F::Mapping>, ConnectError> {
    let own = OwnSettings(ConfigDef::new(mapping_keys::<F>()).validate(settings));
    if let Some(problem) = own.0.iter().flat_map(|value| &value.errors).next() {
        return Err(ConnectError::config(problem));
    }
    let mapping = F::mapping(&own).map_err(ConnectError::config)?;
    let entries_max = own.text(CACHE_SIZE).parse().unwrap_or(1).max(1);
    let associations = registry.associations.as_ref();
    let subjects = Subjects {
        strategy: registry.subject_names,
        is_key: role == ConverterRole::Key,
        asks: associations.is_some(),
        falls_back: associations.is_none_or(|associations| associations.falls_back),
    };
    Ok(Rules {
        mapping,
        subjects,
        entries_max,
        resolves: registry.reading != Reading::AsWritten,
        reads_header: registry.id_deserializer == SchemaIdDeserializer::Dual,
        writes_header: registry.id_serializer == SchemaIdSerializer::Header,
    })
}

/// The keys that change how schemas are mapped.
fn mapping_keys<F: Format>() -> Vec<ConfigKey> {
    use Importance::{Low, Medium};
    let mut keys = vec![
        flag(
            GENERALIZED_SUMS,
            false,
            Medium,
            "Whether enums and unions are mapped in the way that all formats of the registry share",
        ),
        flag(
            IGNORE_DEFAULTS,
            false,
            Medium,
            "Whether null stays null when it is written to a field with a default",
        ),
        key(CACHE_SIZE, ConfigType::Int, "1000", Low, "How many converted schemas are kept"),
    ];
    keys.extend(F::keys());
    keys
}

/// The definition of a key that is `true` or `false`.
pub(in super::super) fn flag(
    name: &str,
    default: bool,
    importance: Importance,
    documentation: &str,
) -> ConfigKey {
    key(name, ConfigType::Boolean, if default { "true" } else { "false" }, importance, documentation)
}

/// The definition of a key.
pub(in super::super) fn key(
    name: &str,
    kind: ConfigType,
    default: &str,
    importance: Importance,
    documentation: &str,
) -> ConfigKey {
    ConfigKey {
        documentation: documentation.to_owned(),
        ..ConfigKey::new(name, kind, DefaultValue::Text(default.to_owned()), importance)
    }
}

/// Validated values of the keys that change how schemas are mapped.
pub(in super::super) struct OwnSettings(Vec<ConfigValue>);

impl OwnSettings {
    /// The text in use; empty when there is none.
    pub(in super::super) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|value| value.name == name);
        found.and_then(|value| value.value.as_deref()).unwrap_or_default()
    }

    /// Whether a flag is on.
    pub(in super::super) fn flag(&self, name: &str) -> bool {
        self.text(name) == "true"
    }
}

/// A converter whose settings are right, made where there is no network: it converts nothing.
struct Unconnected {
    /// `Protobuf`.
    format: &'static str,
}

impl Unconnected {
    fn error(&self) -> ConnectError {
        ConnectError::fatal(format!("The {} converter was made without a network", self.format))
    }
}

impl Converter for Unconnected {
    fn decode(&mut self, _topic: &str, _payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        Err(self.error())
    }

    fn encode(&mut self, _topic: &str, _values: &Values) -> Result<Encoded, ConnectError> {
        Err(self.error())
    }
}
