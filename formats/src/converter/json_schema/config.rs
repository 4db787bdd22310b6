//! Settings of `JsonSchemaConverter`.
//!
//! Source: `JsonSchemaDataConfig`, `KafkaJsonSchemaSerializerConfig` and `AbstractKafkaSchemaSerDeConfig` of
//! Confluent Schema Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance, Validator,
};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_registry::settings::SchemaIdSerializer;
use lakeward_registry::{RegistrySettings, http};

use super::super::registry_framing::{self, Subjects, Unconnected};
use super::JsonSchemaConverter;
use super::union::is_union;
use crate::json_text::{DecimalFormat, Dialect, Form, NullForm};

/// `io.confluent.connect.json.JsonSchemaConverter`.
#[derive(Clone, Copy, Debug)]
pub struct JsonSchemaConverterPlugin;

impl ConverterPlugin for JsonSchemaConverterPlugin {
    fn class(&self) -> &'static str {
        "io.confluent.connect.json.JsonSchemaConverter"
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
            return Ok(Box::new(Unconnected { format: "JSON Schema" }));
        };
        Ok(Box::new(JsonSchemaConverter::new(http::client(&settings, network)?, rules)))
    }
}

/// How schemas are mapped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    /// `generalized.sum.type.support`.
    pub(super) generalized_sums: bool,
    /// `flatten.singleton.unions`.
    pub(super) flatten_singletons: bool,
    /// `use.optional.for.nonrequired`.
    pub(super) optional_nonrequired: bool,
    /// `object.additional.properties`.
    pub(super) additional_properties: bool,
    /// `decimal.format`, `ignore.default.for.nullables`.
    pub(super) form: Form,
}

pub(super) type Rules = registry_framing::Rules<Mapping>;

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
    for (name, why) in [
        (PRESERVE, "members that a schema does not name have no column"),
        (VALIDATE, "payloads are checked against their types only"),
    ] {
        if flag(name) {
            return Err(ConnectError::config(format!(
                "Invalid value true for configuration {name}: {why}. Remove the key."
            )));
        }
    }
    let subjects = Subjects { strategy: registry.subject_names, is_key: role == ConverterRole::Key };
    // Headers need the record around the payload, which converters of this worker do not see.
    if registry.id_serializer != SchemaIdSerializer::Prefix {
        let side = subjects.side();
        return Err(ConnectError::config(format!(
            "Invalid value HeaderSchemaIdSerializer for configuration {side}.schema.id.serializer: schema \
             ids are supported at the start of payloads only. Use PrefixSchemaIdSerializer, or remove \
             the key."
        )));
    }
    let numeric = value(DECIMAL_FORMAT).eq_ignore_ascii_case("NUMERIC");
    let form = Form {
        decimals: if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 },
        nulls: if flag(IGNORE_DEFAULTS) { NullForm::Null } else { NullForm::Default },
        dialect: Dialect::Registered { is_union },
    };
    let mapping = Mapping {
        generalized_sums: flag("generalized.sum.type.support"),
        flatten_singletons: flag("flatten.singleton.unions"),
        optional_nonrequired: flag("use.optional.for.nonrequired"),
        additional_properties: flag("object.additional.properties"),
        form,
    };
    let entries_max = value("schemas.cache.config").parse().unwrap_or(1).max(1);
    Ok(Rules { mapping, subjects, entries_max })
}

/// The keys that change how schemas are mapped.
fn mapping_keys() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Int};
    use Importance::{Low, Medium};
    let rows = [
        (
            "generalized.sum.type.support",
            Boolean,
            "false",
            Medium,
            "Whether enums and unions are mapped in the way that all formats of the registry share",
        ),
        (
            IGNORE_DEFAULTS,
            Boolean,
            "false",
            Medium,
            "Whether null stays null when it is written to a field with a default",
        ),
        ("schemas.cache.config", Int, "1000", Low, "How many converted schemas are kept"),
        (
            "object.additional.properties",
            Boolean,
            "true",
            Medium,
            "Whether written schemas allow members that they do not name",
        ),
        (
            "use.optional.for.nonrequired",
            Boolean,
            "false",
            Medium,
            "Whether properties that a schema does not require are optional fields",
        ),
        (
            "ignore.modern.dialects",
            Boolean,
            "false",
            Low,
            "Whether schemas of the dialects after draft 7 are read as draft 7, which is always done",
        ),
        (
            DECIMAL_FORMAT,
            ConfigType::String,
            "BASE64",
            Low,
            "How decimals are written: BASE64 or NUMERIC, in any case",
        ),
        ("flatten.singleton.unions", Boolean, "true", Low, "Whether a union of one type is that type"),
        (
            PRESERVE,
            Boolean,
            "false",
            Medium,
            "Whether members that a schema does not name are kept; not supported",
        ),
        (
            VALIDATE,
            Boolean,
            "false",
            Medium,
            "Whether payloads are checked against all rules of their schema; not supported",
        ),
    ];
    rows.into_iter().map(key).collect()
}

fn key(
    (name, kind, default, importance, documentation): (&str, ConfigType, &str, Importance, &str),
) -> ConfigKey {
    ConfigKey {
        documentation: documentation.to_owned(),
        validator: match name {
            DECIMAL_FORMAT => Validator::OneOfIgnoreCase(&["BASE64", "NUMERIC"]),
            _ => Validator::Any,
        },
        ..ConfigKey::new(name, kind, DefaultValue::Text(default.to_owned()), importance)
    }
}

const DECIMAL_FORMAT: &str = "decimal.format";
const IGNORE_DEFAULTS: &str = "ignore.default.for.nullables";
const PRESERVE: &str = "preserve.additional.properties";
const VALIDATE: &str = "json.fail.invalid.schema";

/// The release whose behaviour the converter reproduces; REST answers show it.
const VERSION: &str = "8.0.0";
