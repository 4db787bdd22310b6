//! A connector or task configuration as the config topic and the REST answers hold it: ordered, raw texts,
//! nulls kept.
//!
//! Source: `Map<String, String>` of `KafkaConfigBackingStore`; order matters because POST and PUT echo it.

use std::fmt;
use std::sync::Arc;

use lakeward_api::config::ConfigMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// Texts by name, in the order in which they were given. A value may be null. `Debug` shows names only:
/// values may be secrets. Clones share the texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(Vec<(Arc<str>, Option<Arc<str>>)>);

impl Properties {
    /// The value of `name`; `None` when absent or null.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entry(name).and_then(|value| value.as_deref())
    }

    /// True when `name` is present, even with a null value.
    pub fn contains(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    fn entry(&self, name: &str) -> Option<&Option<Arc<str>>> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    /// Sets `name`; a known name keeps its place, a new one is appended.
    pub fn set(&mut self, name: impl AsRef<str> + Into<Arc<str>>, value: Option<String>) {
        let value = value.map(Arc::from);
        match self.0.iter_mut().find(|(known, _)| **known == *name.as_ref()) {
            Some((_, known)) => *known = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Removes `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| **known != *name);
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_deref()))
    }

    /// The entries as plugins see them: nulls are left out.
    pub fn to_config_map(&self) -> ConfigMap {
        self.iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
    }

    /// True when both hold the same entries, in any order.
    pub fn same_entries(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|(name, value)| other.entry(name) == Some(value))
    }

    /// This configuration with `patch` merged in: a null value removes the name.
    /// Source: `ConnectUtils#patchConfig`.
    #[must_use]
    pub fn patched(&self, patch: &Self) -> Self {
        let mut merged = self.clone();
        for (name, value) in &patch.0 {
            match value {
                Some(value) => merged.set(Arc::clone(name), Some(value.as_ref().to_owned())),
                None => merged.remove(name),
            }
        }
        merged
    }

    /// Reads a JSON object of scalars; `None` for any other shape. Numbers and booleans become their text.
    pub fn from_json(value: &Value) -> Option<Self> {
        let mut properties = Self::default();
        for (name, value) in value.as_object()? {
            let text = match value {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
                Value::Array(_) | Value::Object(_) => return None,
            };
            properties.set(name.as_str(), text);
        }
        properties.0.shrink_to_fit();
        Some(properties)
    }

    /// Takes the texts that are the same in `other` from there: what is kept ten thousand times is nearly
    /// the same each time.
    pub fn share(&mut self, other: &Self) {
        for (name, value) in &mut self.0 {
            let Some((known, same)) = other.0.iter().find(|(known, _)| known == name) else { continue };
            *name = Arc::clone(known);
            if same == value {
                value.clone_from(same);
            }
        }
    }

    /// The text `Map#toString` gives: `{a=1, b=2}`.
    pub fn to_java_text(&self) -> String {
        let entry = |(name, value): (&str, Option<&str>)| format!("{name}={}", value.unwrap_or("null"));
        format!("{{{}}}", self.iter().map(entry).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

impl From<ConfigMap> for Properties {
    fn from(map: ConfigMap) -> Self {
        Self(map.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
    }
}

impl FromIterator<(String, Option<String>)> for Properties {
    fn from_iter<I: IntoIterator<Item = (String, Option<String>)>>(entries: I) -> Self {
        let mut properties = Self::default();
        for (name, value) in entries {
            properties.set(name, value);
        }
        properties
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(entries: &[(&str, Option<&str>)]) -> Properties {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn order_is_kept_and_the_last_value_wins() {
        let props = properties(&[("z", Some("1")), ("a", Some("2")), ("z", Some("3"))]);
        assert_eq!(crate::java_json::to_text(&props), r#"{"z":"3","a":"2"}"#);
        assert_eq!(props.to_java_text(), "{z=3, a=2}");
    }

    #[test]
    fn a_patch_removes_nulls_and_appends_news() {
        let patched = properties(&[("a", Some("1")), ("b", Some("2"))]).patched(&properties(&[
            ("a", None),
            ("c", Some("3")),
            ("x", None),
        ]));
        assert_eq!(patched, properties(&[("b", Some("2")), ("c", Some("3"))]));
    }

    #[test]
    fn nested_values_are_not_properties() {
        let parse = |text: &str| Properties::from_json(&serde_json::from_str(text).unwrap());
        assert_eq!(
            parse(r#"{"a":1.50,"b":true}"#),
            Some(properties(&[("a", Some("1.50")), ("b", Some("true"))]))
        );
        assert_eq!(parse(r#"{"a":{}}"#), None);
        assert_eq!(parse("[]"), None);
    }

    #[test]
    fn sharing_changes_nothing_but_where_texts_are() {
        let base = properties(&[("a", Some("1")), ("b", None), ("c", Some("3"))]);
        let before = properties(&[("c", Some("3")), ("x", Some("1")), ("a", Some("2")), ("b", None)]);
        let mut shared = before.clone();
        shared.share(&base);
        assert_eq!(shared, before);
        let place = |props: &Properties, name: &str| props.get(name).map(str::as_ptr);
        assert_eq!(place(&shared, "c"), place(&base, "c"));
        assert_ne!(place(&shared, "x"), place(&base, "a"));
    }

    #[test]
    fn debug_hides_values() {
        assert!(!format!("{:?}", properties(&[("password", Some("secret"))])).contains("secret"));
    }
}
