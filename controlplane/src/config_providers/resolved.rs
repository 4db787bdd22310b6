//! A configuration with its variables replaced, and the way back to texts that may be shown.
//!
//! Source: `ConfigTransformer#transform`, `AbstractHerder#reverseTransform`, Kafka 4.1.

use lakeward_api::secrets::Secrets;
use lakeward_controlplane_core::Properties;

use super::variables::{Variable, variables};

/// Equal values of other names are put back as variables from this length on: a short one may be equal by
/// chance.
const EQUAL_MIN: usize = 8;

/// A configuration whose variables were replaced. Its values may be secrets: show texts about it only after
/// [`Resolved::hide`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    properties: Properties,
    /// Names whose value has a variable, with the raw text and the replaced one.
    variable: Vec<Replaced>,
    secrets: Secrets,
}

#[derive(Clone)]
struct Replaced {
    name: String,
    raw: String,
    value: String,
}

impl std::fmt::Debug for Replaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Replaced").field(&self.name).finish()
    }
}

impl Resolved {
    /// A configuration without variables, or whose variables stay.
    pub(crate) fn literal(raw: Properties) -> Self {
        Self { properties: raw, ..Self::default() }
    }

    /// Replaces what `value_of` knows in the values of all names that `may_replace`.
    pub(super) fn new(
        raw: &Properties,
        may_replace: impl Fn(&str) -> bool,
        value_of: impl Fn(&Variable<'_>) -> Option<String>,
    ) -> Self {
        let mut hidden = Vec::new();
        let mut variable = Vec::new();
        let mut replace = |name: &str, text: &str| {
            if !may_replace(name) || variables(text).next().is_none() {
                return text.to_owned();
            }
            let (mut value, mut at) = (String::new(), 0);
            for found in variables(text) {
                value.push_str(&text[at..found.start]);
                match value_of(&found) {
                    Some(known) => {
                        value.push_str(&known);
                        hidden.push((known, found.text.to_owned()));
                    }
                    None => value.push_str(found.text),
                }
                at = found.end();
            }
            value.push_str(&text[at..]);
            hidden.push((value.clone(), text.to_owned()));
            variable.push(Replaced { name: name.to_owned(), raw: text.to_owned(), value: value.clone() });
            value
        };
        let properties =
            raw.iter().map(|(name, value)| (name.to_owned(), value.map(|text| replace(name, text))));
        let properties = properties.collect();
        Self { properties, variable, secrets: Secrets::new(hidden) }
    }

    /// The configuration as plugins use it.
    pub(crate) fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Whether any value has a variable.
    pub(crate) fn has_variables(&self) -> bool {
        !self.variable.is_empty()
    }

    /// Whether both were given as the same texts.
    pub(crate) fn is_same_text(&self, other: &Self) -> bool {
        let raw = |resolved: &Self| -> Properties {
            let entry = |(name, value): (&str, Option<&str>)| {
                let text = resolved.raw(name).or(value).map(str::to_owned);
                (name.to_owned(), text)
            };
            resolved.properties.iter().map(entry).collect()
        };
        raw(self).same_entries(&raw(other))
    }

    /// What texts about this configuration must not show.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// `text` with resolved values replaced by their variables.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.secrets.hide(text).into_owned()
    }

    /// The text of `name` as it was given, if it has a variable.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.variable.iter().find(|replaced| replaced.name == name).map(|replaced| replaced.raw.as_str())
    }

    /// A task configuration as it may be stored: names whose connector value has a variable get that text
    /// back. Unlike Java other names do, too, when a connector copied such a value there.
    pub(crate) fn reversed(&self, task: Properties) -> Properties {
        if self.variable.is_empty() {
            return task;
        }
        let back = |name: &str, value: &str| {
            let copied = |replaced: &&Replaced| replaced.value == value && value.len() >= EQUAL_MIN;
            let text = self.raw(name).or_else(|| self.variable.iter().find(copied).map(|known| &*known.raw));
            text.unwrap_or(value).to_owned()
        };
        task.iter().map(|(name, value)| (name.to_owned(), value.map(|value| back(name, value)))).collect()
    }
}
