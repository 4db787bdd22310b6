//! Settings of a transform or predicate, read through its definition.

use std::collections::BTreeMap;

use lakeward_api::ConnectError;
use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance, Validator, parse_list,
};

/// Values in use by key, defaults filled in.
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads `given`. The `Err` is the first problem in definition order, as Kafka reports it.
    pub(crate) fn read(def: &ConfigDef, given: &ConfigMap) -> Result<Self, ConnectError> {
        let mut values = BTreeMap::new();
        for value in def.validate(given) {
            if let Some(problem) = value.errors.into_iter().next() {
                return Err(ConnectError::config(problem));
            }
            if let Some(text) = value.value {
                values.insert(value.name, text);
            }
        }
        Ok(Self(values))
    }

    /// The text of a key; `None` when it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The text of a key that is required or has a default.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    /// The items of a LIST.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        parse_list(self.text(key))
    }

    /// A BOOLEAN.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.text(key) == "true"
    }
}

/// A required key.
pub(crate) fn required(name: &str, kind: ConfigType, importance: Importance, doc: &str) -> ConfigKey {
    ConfigKey {
        documentation: doc.to_owned(),
        ..ConfigKey::new(name, kind, DefaultValue::Required, importance)
    }
}

/// A key whose default is `default`; `None` is null.
pub(crate) fn with_default(
    name: &str,
    kind: ConfigType,
    default: Option<&str>,
    importance: Importance,
    doc: &str,
) -> ConfigKey {
    let default = default.map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned()));
    ConfigKey { documentation: doc.to_owned(), ..ConfigKey::new(name, kind, default, importance) }
}

/// A LIST that must have an item.
pub(crate) fn non_empty_list(name: &str, doc: &str) -> ConfigKey {
    ConfigKey {
        validator: Validator::Custom(|_, text| match text {
            "" => Err("Empty list".to_owned()),
            _ => Ok(()),
        }),
        ..required(name, ConfigType::List, Importance::High, doc)
    }
}

/// The key `replace.null.with.default`.
pub(crate) fn replace_null_key() -> ConfigKey {
    with_default(
        REPLACE_NULL,
        ConfigType::Boolean,
        Some("true"),
        Importance::Medium,
        "Whether to replace fields that have a default value and that are null to the default value. When \
         set to true, the default value is used, otherwise null is used.",
    )
}

/// Whether null fields are read as their defaults.
pub(crate) const REPLACE_NULL: &str = "replace.null.with.default";
