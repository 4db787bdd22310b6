//! Settings of `JsonSchemaConverter`.
//!
//! Source: `JsonSchemaDataConfig` and `KafkaJsonSchemaSerializerConfig` of Confluent Schema Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, Validator};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};

use super::super::registry_framing::{
    GENERALIZED_SUMS, IGNORE_DEFAULTS, OwnSettings, VERSION, config_def, connected, flag, key,
};
use super::convert::JsonSchema;
use super::union::is_union;
use super::validation::Dialects;
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
        config_def::<JsonSchema>()
    }

    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        connected::<JsonSchema>(context)
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
    /// `json.fail.invalid.schema`, and how schemas are read then (`ignore.modern.dialects`).
    pub(super) validation: Option<Dialects>,
    /// `decimal.format`, `ignore.default.for.nullables`.
    pub(super) form: Form,
}

/// How schemas are mapped.
///
/// # Errors
/// The problem with a setting that is not honoured, with the remedy.
pub(super) fn mapping(settings: &OwnSettings) -> Result<Mapping, String> {
    if settings.flag(PRESERVE) {
        let why = "members that a schema does not name have no column";
        return Err(format!("Invalid value true for configuration {PRESERVE}: {why}. Remove the key."));
    }
    let numeric = settings.text(DECIMAL_FORMAT).eq_ignore_ascii_case("NUMERIC");
    let form = Form {
        decimals: if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 },
        nulls: if settings.flag(IGNORE_DEFAULTS) { NullForm::Null } else { NullForm::Default },
        dialect: Dialect::Registered { is_union },
    };
    Ok(Mapping {
        generalized_sums: settings.flag(GENERALIZED_SUMS),
        flatten_singletons: settings.flag(FLATTEN_SINGLETONS),
        optional_nonrequired: settings.flag(OPTIONAL_NONREQUIRED),
        additional_properties: settings.flag(ADDITIONAL_PROPERTIES),
        validation: settings
            .flag(VALIDATE)
            .then(|| if settings.flag(OLDER_DIALECTS) { Dialects::Older } else { Dialects::All }),
        form,
    })
}

/// The keys that change how schemas are mapped.
pub(super) fn keys() -> Vec<ConfigKey> {
    use Importance::{Low, Medium};
    let decimals = "How decimals are written: BASE64 or NUMERIC, in any case";
    vec![
        flag(
            ADDITIONAL_PROPERTIES,
            true,
            Medium,
            "Whether written schemas allow members that they do not name",
        ),
        flag(
            OPTIONAL_NONREQUIRED,
            false,
            Medium,
            "Whether properties that a schema does not require are optional fields",
        ),
        flag(
            OLDER_DIALECTS,
            false,
            Low,
            "Whether schemas of the dialects after draft 7 are read as draft 7, which is always done but for \
             checks",
        ),
        ConfigKey {
            validator: Validator::OneOfIgnoreCase(&["BASE64", "NUMERIC"]),
            ..key(DECIMAL_FORMAT, ConfigType::String, "BASE64", Low, decimals)
        },
        flag(FLATTEN_SINGLETONS, true, Low, "Whether a union of one type is that type"),
        flag(PRESERVE, false, Medium, "Whether members that a schema does not name are kept; not supported"),
        flag(VALIDATE, false, Medium, "Whether records that do not keep to all rules of their schema fail"),
    ]
}

const ADDITIONAL_PROPERTIES: &str = "object.additional.properties";
const DECIMAL_FORMAT: &str = "decimal.format";
const FLATTEN_SINGLETONS: &str = "flatten.singleton.unions";
const OLDER_DIALECTS: &str = "ignore.modern.dialects";
const OPTIONAL_NONREQUIRED: &str = "use.optional.for.nonrequired";
const PRESERVE: &str = "preserve.additional.properties";
const VALIDATE: &str = "json.fail.invalid.schema";
