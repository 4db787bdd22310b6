//! Settings of `JsonConverter` and the choice of a reader.
//!
//! Source: `JsonConverterConfig`, Kafka 4.1. `lakeward.schema` is our own key of the connector.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, DefaultValue, Importance, Validator, Width};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};

use super::column::NullRule;
use super::declared::DeclaredReader;
use super::encode::{JsonConverter, JsonWriter, Wrapping};
use super::envelope::EnvelopeReader;
use super::infer::InferReader;
use super::schemaless::SchemalessReader;
use super::{Reader, schema_text};
use crate::FormatError;
use crate::json_text::{DecimalFormat, Form, NullForm};

/// `org.apache.kafka.connect.json.JsonConverter`.
#[derive(Clone, Copy, Debug)]
pub struct JsonConverterPlugin;

impl ConverterPlugin for JsonConverterPlugin {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.json.JsonConverter"
    }

    fn version(&self) -> &str {
        super::super::VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new(vec![
            key(SCHEMAS_ENABLE, ConfigType::Boolean, "true", Importance::High),
            key(CACHE_SIZE, ConfigType::Int, "1000", Importance::High),
            ConfigKey {
                validator: Validator::OneOfIgnoreCase(&["NUMERIC", "BASE64"]),
                ..key(DECIMAL_FORMAT, ConfigType::String, "BASE64", Importance::Low)
            },
            key(REPLACE_NULL, ConfigType::Boolean, "true", Importance::Low),
        ])
    }

    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        let values = self.config_def().validate(context.settings);
        if let Some(problem) = values.iter().flat_map(|value| &value.errors).next() {
            return Err(ConnectError::config(problem));
        }
        let value = |name: &str| {
            let found = values.iter().find(|value| value.name == name);
            found.and_then(|value| value.value.as_deref()).unwrap_or_default()
        };
        let numeric = value(DECIMAL_FORMAT).eq_ignore_ascii_case("NUMERIC");
        let decimals = if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 };
        let (nulls, null_form) = match value(REPLACE_NULL) {
            "true" => (NullRule::ReplaceWithDefault, NullForm::Default),
            _ => (NullRule::Keep, NullForm::Null),
        };
        let wrapping = if value(SCHEMAS_ENABLE) == "true" { Wrapping::Envelope } else { Wrapping::Bare };
        let entries = value(CACHE_SIZE).parse().unwrap_or(1000);
        let declared = context.connector.get(SCHEMA_KEY).map(|text| text.trim());
        let declared = declared.filter(|text| !text.is_empty() && context.role == ConverterRole::Value);
        let reader = reader(wrapping, declared, nulls, entries)?;
        let writer = JsonWriter::new(wrapping, Form { decimals, nulls: null_form, ..Form::default() });
        Ok(Box::new(JsonConverter { reader, writer }))
    }
}

fn reader(
    wrapping: Wrapping,
    declared: Option<&str>,
    nulls: NullRule,
    cache_entries: usize,
) -> Result<Box<dyn Reader>, ConnectError> {
    match (wrapping, declared) {
        (Wrapping::Envelope, None) => Ok(Box::new(EnvelopeReader::new(cache_entries, nulls))),
        (Wrapping::Envelope, Some(_)) => Err(ConnectError::config(format!(
            "{SCHEMA_KEY} describes plain JSON, but the value converter expects envelopes with their own \
             schema. Set value.converter.schemas.enable=false, or remove {SCHEMA_KEY}."
        ))),
        (Wrapping::Bare, None) => Ok(Box::new(SchemalessReader::default())),
        (Wrapping::Bare, Some("infer")) => Ok(Box::new(InferReader::default())),
        (Wrapping::Bare, Some(text)) => {
            let schema = schema_text::parse(text).map_err(|problem| FormatError::Setting {
                message: format!(
                    "Invalid value for configuration {SCHEMA_KEY}: {problem}. Set it to infer, to an Avro \
                     schema or to a JSON Schema."
                ),
            })?;
            Ok(Box::new(DeclaredReader::new(schema, nulls)))
        }
    }
}

fn key(name: &str, kind: ConfigType, default: &str, importance: Importance) -> ConfigKey {
    let (group, order, display_name, documentation) = match name {
        SCHEMAS_ENABLE => {
            ("Schemas", 0, "Enable Schemas", "Include schemas within each of the serialized values and keys.")
        }
        CACHE_SIZE => (
            "Schemas",
            1,
            "Schema Cache Size",
            "The maximum number of schemas that can be cached in this converter instance.",
        ),
        REPLACE_NULL => (
            "Serialization",
            1,
            "Replace null with default",
            "Whether to replace fields that have a default value and that are null to the default \
            value. When \
             set to true, the default value is used, otherwise null is used.",
        ),
        _ => (
            "Serialization",
            0,
            "Decimal Format",
            "Controls which format this converter will serialize decimals in. This value is case insensitive \
             and can be either 'BASE64' (default) or 'NUMERIC'",
        ),
    };
    ConfigKey {
        documentation: documentation.to_owned(),
        group: Some(group.to_owned()),
        order,
        width: Width::Medium,
        display_name: display_name.to_owned(),
        ..ConfigKey::new(name, kind, DefaultValue::Text(default.to_owned()), importance)
    }
}

const SCHEMAS_ENABLE: &str = "schemas.enable";
const CACHE_SIZE: &str = "schemas.cache.size";
const DECIMAL_FORMAT: &str = "decimal.format";
const REPLACE_NULL: &str = "replace.null.with.default";

/// The connector's key that describes plain JSON values.
const SCHEMA_KEY: &str = "lakeward.schema";
