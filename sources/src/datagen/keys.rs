//! The connector's keys and what they mean together.
//!
//! Source: `DatagenConnectorConfig`, `DatagenConnector#validate`.

use std::fs::File;
use std::io::{self, Read as _};

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigValue, Validator};

use super::avro;
use super::avro_types::Type;
use super::quickstart::{self, Quickstart};

/// A schema file may have so many bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Exactly one of these says what is made.
const SCHEMA_KEYS: [&str; 3] = ["schema.string", "schema.filename", "quickstart"];

/// All keys, in Java's order and with its descriptions: REST answers show them.
#[derive(ConfigDef, Debug)]
pub(super) struct Keys {
    /// Topic to write to
    #[config(name = "kafka.topic", kind = "string", default = required, importance = "high")]
    pub(super) topic: String,
    /// Max interval between messages (ms)
    #[config(name = "max.interval", kind = "long", default = "500", importance = "high")]
    pub(super) max_interval_ms: i64,
    /// Number of messages to send from each task, or less than 1 for unlimited
    #[config(name = "iterations", kind = "int", default = "-1", importance = "high")]
    pub(super) iterations: i32,
    /// The literal JSON-encoded Avro schema to use
    #[config(name = "schema.string", kind = "string", default = "", importance = "high")]
    pub(super) schema_string: String,
    /// Filename of schema to use
    #[config(name = "schema.filename", kind = "string", default = "", importance = "high")]
    pub(super) schema_filename: String,
    /// Name of field to use as the message key
    #[config(name = "schema.keyfield", kind = "string", default = "", importance = "high")]
    pub(super) key_field: String,
    /// Name of quickstart to use
    #[config(name = "quickstart", kind = "string", default = "", importance = "high")]
    pub(super) quickstart: String,
    /// Makes the data the same each time. Each task makes data of its own from it.
    #[config(name = "random.seed", kind = "long", default = null, importance = "low")]
    pub(super) random_seed: Option<i64>,
}

impl Keys {
    /// Parses `props`; all problems become one error of class `Config`.
    pub(super) fn of(props: &ConfigMap) -> Result<Self, ConnectError> {
        let wrong = |values: Vec<ConfigValue>| {
            let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
            ConnectError::config(problems.join("; "))
        };
        let values = validate(props);
        if values.iter().any(|value| !value.errors.is_empty()) {
            return Err(wrong(values));
        }
        Self::parse(props).map_err(wrong)
    }

    /// The ready-made schema that is asked for.
    fn ready_made(&self) -> Option<&'static Quickstart> {
        Some(self.quickstart.as_str()).filter(|name| !name.is_empty()).and_then(quickstart::named)
    }

    /// The key field; empty when there is none.
    pub(super) fn key_field(&self) -> &str {
        match (self.key_field.as_str(), self.ready_made()) {
            ("", Some(quickstart)) => quickstart.key_field,
            (name, _) => name,
        }
    }

    /// Reads the schema. Blocks when it is in a file.
    ///
    /// # Errors
    /// `Config` when it cannot be read or used.
    pub(super) fn schema(&self) -> Result<Type, ConnectError> {
        if let Some(quickstart) = self.ready_made() {
            return avro::parse(quickstart.schema);
        }
        if !self.schema_string.is_empty() {
            return avro::parse(&self.schema_string);
        }
        avro::parse(&schema_text(&self.schema_filename)?)
    }
}

/// The definition of every key.
pub(super) fn config_def() -> ConfigDef {
    let checks = [
        ("schema.string", schema_string as fn(&str, &str) -> Result<(), String>),
        ("schema.filename", schema_file),
        ("quickstart", known_quickstart),
    ];
    let mut definition = Keys::config_def();
    for (name, check) in checks {
        let key = definition.key(name).expect("the key is defined above").clone();
        definition.define(ConfigKey { validator: Validator::CustomWords(check), ..key });
    }
    definition
}

/// Validates every key, then what they mean together. One entry per key, in definition order.
pub(super) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = config_def().validate(props);
    let is_source = |value: &ConfigValue| SCHEMA_KEYS.contains(&value.name.as_str());
    let is_set = |value: &ConfigValue| is_source(value) && value.value.as_deref() != Some("");
    let count = values.iter().filter(|value| is_set(value)).count();
    if count != 1 {
        let message = format!("Must set exactly one of {}", SCHEMA_KEYS.join(", "));
        let wrong =
            values.iter_mut().filter(|value| if count == 0 { is_source(value) } else { is_set(value) });
        wrong.for_each(|value| value.errors.push(message.clone()));
        return values;
    }
    if let Ok(keys) = Keys::parse(props)
        && let Ok(schema) = keys.schema()
        && !keys.key_field.is_empty()
        && schema.schema.field(&keys.key_field).is_none()
        && let Some(value) = values.iter_mut().find(|value| value.name == "schema.keyfield")
    {
        let message = "The schema does not contain the field provided in 'schema.keyfield'";
        value.errors.push(message.to_owned());
    }
    values
}

fn schema_string(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { avro::parse(text).map(drop).map_err(|err| err.to_string()) }
}

fn schema_file(_name: &str, path: &str) -> Result<(), String> {
    let read = |path| schema_text(path).and_then(|text| avro::parse(&text)).map(drop);
    if path.is_empty() { Ok(()) } else { read(path).map_err(|err| err.to_string()) }
}

fn known_quickstart(name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || quickstart::named(text).is_some() {
        return Ok(());
    }
    Err(format!("{name} must be one out of {}", quickstart::names().join(",")))
}

/// Java finds its ready-made schemas by their file names, too.
fn schema_text(path: &str) -> Result<String, ConnectError> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => Ok(text),
        Err(err) if err.kind() == io::ErrorKind::NotFound => match quickstart::of_file(path) {
            Some(quickstart) => Ok(quickstart.schema.to_owned()),
            None => Err(ConnectError::config("Unable to find the schema file").with_source(err)),
        },
        Err(err) => Err(ConnectError::config("Unable to parse the provided schema").with_source(err)),
    }
}
