//! Configuration definitions: one source of truth for parsing, validation and REST answers about a plugin.
//!
//! Source: `org.apache.kafka.common.config.ConfigDef`, Kafka 4.1. `#[derive(ConfigDef)]` on a struct produces
//! a [`ConfigDef`] and the typed parser from its fields.

mod parse;
mod password;

use std::collections::BTreeMap;

pub use lakeward_api_derive::ConfigDef;
pub use parse::{FromConfig, java_trim, parse_list};
pub use password::Password;

/// A connector, task or converter configuration: raw texts by name.
pub type ConfigMap = BTreeMap<String, String>;

/// Kafka's configuration value types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    /// `true` or `false`, any case.
    Boolean,
    /// A class name.
    Class,
    /// A 64-bit float.
    Double,
    /// A 32-bit integer.
    Int,
    /// Comma-separated texts.
    List,
    /// A 64-bit integer.
    Long,
    /// A text that is never shown.
    Password,
    /// A 16-bit integer.
    Short,
    /// A text; surrounding blanks are trimmed.
    String,
}

impl ConfigType {
    /// Upper-case name, as REST answers show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Class => "CLASS",
            Self::Double => "DOUBLE",
            Self::Int => "INT",
            Self::List => "LIST",
            Self::Long => "LONG",
            Self::Password => "PASSWORD",
            Self::Short => "SHORT",
            Self::String => "STRING",
        }
    }
}

/// How important a key is to its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// HIGH.
    High,
    /// LOW.
    Low,
    /// MEDIUM.
    Medium,
}

impl Importance {
    /// Upper-case name, as REST answers show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
        }
    }
}

/// How wide a form field should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// LONG.
    Long,
    /// MEDIUM.
    Medium,
    /// NONE.
    None,
    /// SHORT.
    Short,
}

impl Width {
    /// Upper-case name, as REST answers show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Long => "LONG",
            Self::Medium => "MEDIUM",
            Self::None => "NONE",
            Self::Short => "SHORT",
        }
    }
}

/// What happens when a key is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// The key is required.
    Required,
    /// The default is null.
    Null,
    /// The default, in text form.
    Text(String),
}

/// A check of a value after it was parsed.
#[derive(Clone, Copy, Debug)]
pub enum Validator {
    /// Every value of the type is fine.
    Any,
    /// A number of at least this.
    AtLeast(i64),
    /// A number between both bounds, inclusive.
    Between(i64, i64),
    /// Own check: `(name, text)` to the text after `Invalid value x for configuration k: `.
    Custom(fn(&str, &str) -> Result<(), String>),
    /// As `Custom`, but it sees a missing value, too, as `None`.
    CustomOrNull(fn(&str, Option<&str>) -> Result<(), String>),
    /// Own check that words the whole error: `(name, text)` to the error.
    CustomWords(fn(&str, &str) -> Result<(), String>),
    /// A text that is not empty.
    NonEmpty,
    /// Every value, but not none at all.
    NonNull,
    /// One of these texts, exactly.
    OneOf(&'static [&'static str]),
    /// One of these texts, in any case.
    OneOfIgnoreCase(&'static [&'static str]),
}

/// The definition of one key.
#[derive(Clone, Debug)]
pub struct ConfigKey {
    /// Name, as users write it.
    pub name: String,
    /// Value type.
    pub kind: ConfigType,
    /// What happens when it is absent.
    pub default: DefaultValue,
    /// Check after parsing.
    pub validator: Validator,
    /// Importance.
    pub importance: Importance,
    /// Documentation for users.
    pub documentation: String,
    /// Group shown in forms.
    pub group: Option<String>,
    /// Position in the group; -1 without a group.
    pub order: i32,
    /// Width in forms.
    pub width: Width,
    /// Display name.
    pub display_name: String,
    /// Keys that depend on this one.
    pub dependents: Vec<String>,
    /// Values offered to users.
    pub recommended_values: Vec<String>,
}

/// One key's outcome of a validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigValue {
    /// Name of the key.
    pub name: String,
    /// The value in use, as text; `None` when absent without default or unparsable. Passwords are hidden.
    pub value: Option<String>,
    /// Values offered to users.
    pub recommended_values: Vec<String>,
    /// All problems of this key, in Kafka's words.
    pub errors: Vec<String>,
    /// Whether forms should show it.
    pub visible: bool,
}

/// An ordered set of key definitions.
#[derive(Clone, Debug, Default)]
pub struct ConfigDef {
    keys: Vec<ConfigKey>,
}

impl ConfigKey {
    /// A key without a group, valid for every value of its type; refine it with struct update syntax.
    pub fn new(
        name: impl Into<String>,
        kind: ConfigType,
        default: DefaultValue,
        importance: Importance,
    ) -> Self {
        let name = name.into();
        Self {
            display_name: name.clone(),
            name,
            kind,
            default,
            validator: Validator::Any,
            importance,
            documentation: String::new(),
            group: None,
            order: -1,
            width: Width::None,
            dependents: Vec::new(),
            recommended_values: Vec::new(),
        }
    }

    /// What the validator has against having no value at all; nothing when that is the default.
    pub fn null_problem(&self) -> Option<String> {
        match self.default {
            DefaultValue::Null => None,
            DefaultValue::Required | DefaultValue::Text(_) => {
                parse::check_null(self.kind, &self.validator, &self.name).err()
            }
        }
    }

    /// Validates `given` (`None` when the key is absent) and returns the value in use with all problems.
    ///
    /// A value that is missing or cannot be parsed is null to the validator, which may complain as well.
    pub fn validate(&self, given: Option<&str>) -> ConfigValue {
        let mut errors = Vec::new();
        let raw = match (given, &self.default) {
            (Some(text), _) => Some(text),
            (None, DefaultValue::Text(text)) => Some(text.as_str()),
            (None, DefaultValue::Null) => None,
            (None, DefaultValue::Required) => {
                errors.push(format!(
                    "Missing required configuration \"{}\" which has no default value.",
                    self.name
                ));
                errors.extend(self.null_problem());
                None
            }
        };
        let value = raw.and_then(|text| match parse::normalise(self.kind, &self.name, text) {
            Ok(value) => {
                if let Err(problem) = parse::check(self.kind, &self.validator, &self.name, &value) {
                    errors.push(problem);
                }
                Some(if self.kind == ConfigType::Password { "[hidden]".to_owned() } else { value })
            }
            Err(problem) => {
                errors.push(problem);
                errors.extend(self.null_problem());
                None
            }
        });
        ConfigValue {
            name: self.name.clone(),
            value,
            recommended_values: self.recommended_values.clone(),
            errors,
            visible: true,
        }
    }
}

impl ConfigDef {
    /// A definition of `keys`, in order.
    pub fn new(keys: Vec<ConfigKey>) -> Self {
        Self { keys }
    }

    /// Appends `key`; a key of the same name is replaced in place.
    pub fn define(&mut self, key: ConfigKey) {
        match self.keys.iter_mut().find(|known| known.name == key.name) {
            Some(known) => *known = key,
            None => self.keys.push(key),
        }
    }

    /// Appends the keys of `other` that are not defined yet.
    pub fn extend_missing(&mut self, other: &ConfigDef) {
        for key in &other.keys {
            if self.key(&key.name).is_none() {
                self.keys.push(key.clone());
            }
        }
    }

    /// All keys, in definition order.
    pub fn keys(&self) -> &[ConfigKey] {
        &self.keys
    }

    /// The definition of `name`.
    pub fn key(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Validates every defined key; one entry per key, in definition order.
    pub fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        self.keys.iter().map(|key| key.validate(props.get(&key.name).map(String::as_str))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: ConfigType, validator: Validator) -> ConfigKey {
        ConfigKey { validator, ..ConfigKey::new("k", kind, DefaultValue::Required, Importance::High) }
    }

    #[test]
    fn errors_are_in_kafkas_words() {
        let int = key(ConfigType::Int, Validator::AtLeast(1));
        assert_eq!(
            int.validate(Some("x")).errors,
            [
                "Invalid value x for configuration k: Not a number of type INT",
                "Invalid value null for configuration k: Value must be non-null"
            ]
        );
        assert_eq!(
            int.validate(Some("0")).errors,
            ["Invalid value 0 for configuration k: Value must be at least 1"]
        );
        assert_eq!(
            int.validate(None).errors,
            [
                "Missing required configuration \"k\" which has no default value.",
                "Invalid value null for configuration k: Value must be non-null"
            ]
        );
        let optional = ConfigKey { default: DefaultValue::Null, ..int };
        assert_eq!(
            optional.validate(Some("x")).errors,
            ["Invalid value x for configuration k: Not a number of type INT"]
        );
        assert_eq!(optional.validate(None).errors, [""; 0]);
        let choice = key(ConfigType::String, Validator::OneOf(&["a", "b"]));
        assert_eq!(
            choice.validate(Some("c")).errors,
            ["Invalid value c for configuration k: String must be one of: a, b"]
        );
    }

    #[test]
    fn checks_of_lists_show_their_items_and_own_words_stand_alone() {
        let list = key(ConfigType::List, Validator::Custom(|_, _| Err("no".to_owned())));
        assert_eq!(list.validate(Some("a,b")).errors, ["Invalid value [a, b] for configuration k: no"]);
        let own = key(ConfigType::String, Validator::CustomWords(|name, text| Err(format!("{name} {text}"))));
        assert_eq!(own.validate(Some("a")).errors, ["k a"]);
        let present = key(ConfigType::String, Validator::NonNull);
        assert_eq!(present.validate(Some("")).errors, [""; 0]);
        let seen = Validator::CustomOrNull(|_, text| text.map(drop).ok_or("none".to_owned()));
        assert_eq!(key(ConfigType::String, seen).validate(Some("")).errors, [""; 0]);
        assert_eq!(
            key(ConfigType::String, seen).validate(None).errors[1..],
            ["Invalid value null for configuration k: none"]
        );
    }

    #[test]
    fn passwords_are_never_shown() {
        let value = key(ConfigType::Password, Validator::Any).validate(Some("secret"));
        assert_eq!(value.value.as_deref(), Some("[hidden]"));
    }
}
