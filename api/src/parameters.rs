//! Parameters of a schema: texts by name that keep the order in which they were given.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Parameters in the order they were first given. Two are equal whatever their order, as Java's maps are.
#[derive(Clone, Debug, Default, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// No parameter.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The text called `name`.
    pub fn get(&self, name: &str) -> Option<&String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text)
    }

    /// Whether there is a text called `name`.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a text. A name that is there keeps its place.
    pub fn insert(&mut self, name: String, text: String) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = text,
            None => self.0.push((name, text)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and texts in order.
    pub fn iter(&self) -> <&Self as IntoIterator>::IntoIter {
        self.into_iter()
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
            || (self.len() == other.len() && self.iter().all(|(name, text)| other.get(name) == Some(text)))
    }
}

impl Extend<(String, String)> for Parameters {
    fn extend<I: IntoIterator<Item = (String, String)>>(&mut self, entries: I) {
        for (name, text) in entries {
            self.insert(name, text);
        }
    }
}

impl FromIterator<(String, String)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        let mut parameters = Self::new();
        parameters.extend(entries);
        parameters
    }
}

impl From<BTreeMap<String, String>> for Parameters {
    fn from(entries: BTreeMap<String, String>) -> Self {
        Self(entries.into_iter().collect())
    }
}

type Pair = (String, String);

impl<'a> IntoIterator for &'a Parameters {
    type Item = (&'a String, &'a String);
    type IntoIter = std::iter::Map<std::slice::Iter<'a, Pair>, fn(&'a Pair) -> (&'a String, &'a String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, text)| (name, text))
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, text) in self {
            map.serialize_entry(name, text)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Parameters {
        entries.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn order_is_kept_but_does_not_count() {
        let parameters = of(&[("b", "1"), ("a", "2"), ("b", "3")]);
        let seen: Vec<(&str, &str)> =
            parameters.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(seen, [("b", "3"), ("a", "2")]);
        assert_eq!(parameters, of(&[("a", "2"), ("b", "3")]));
        assert_ne!(parameters, of(&[("a", "2"), ("b", "4")]));
        assert_ne!(parameters, of(&[("a", "2"), ("c", "3")]));
        assert_ne!(parameters, of(&[("a", "2")]));
    }
}
