//! `$name` in case files: built-in values, and names that are made up when they are first used.
//!
//! A name that starts with `shared` lives as long as its file's worker, any other as long as its case. An
//! upper case letter after the dollar sign (`Cast$Key`) is no variable, nor is `${…}`; `$$` is a dollar sign.

use std::collections::BTreeMap;

use lakeward_testkit::unique;

/// Values by name.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Sets a value, replacing an old one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The value of `name`; made up and kept when there is none.
    pub fn get(&mut self, name: &str) -> String {
        let make = || unique(&name.replace('_', "-"));
        self.0.entry(name.to_owned()).or_insert_with(make).clone()
    }

    /// Those that outlive a case.
    #[must_use]
    pub fn shared(&self) -> Self {
        let kept =
            self.0.iter().filter(|(name, _)| name.starts_with("shared") || BUILT_IN.contains(&&***name));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// `text` with every variable replaced.
    pub fn expand(&mut self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            expanded.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                expanded.push('$');
                rest = after;
                continue;
            }
            let end = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
            let (name, behind) = after.split_at(end);
            if let Some((_, short)) = SHORTHANDS.iter().find(|(known, _)| *known == name) {
                expanded.push_str(&self.expand(short));
            } else if name.starts_with(|c: char| c.is_ascii_lowercase()) {
                expanded.push_str(&self.get(name));
            } else {
                expanded.push('$');
                expanded.push_str(name);
            }
            rest = behind;
        }
        expanded.push_str(rest);
        expanded
    }
}

/// What the runner sets for the whole life of a worker.
const BUILT_IN: [&str; 9] = [
    "admin_authority",
    "authority",
    "bootstrap",
    "config_topic",
    "group",
    "login",
    "offset_topic",
    "second_authority",
    "status_topic",
];

/// Members of connector configurations that nearly every case needs. They name no other shorthand.
const SHORTHANDS: [(&str, &str); 2] = [
    (
        "filesink",
        "\"connector.class\":\"org.apache.kafka.connect.file.FileStreamSinkConnector\",\
         \"tasks.max\":\"1\",\"topics\":\"$t\",\"file\":\"$dir/out.txt\"",
    ),
    (
        "filesource",
        "\"connector.class\":\"org.apache.kafka.connect.file.FileStreamSourceConnector\",\
         \"tasks.max\":\"1\",\"topic\":\"$t\",\"file\":\"$dir/in.txt\"",
    ),
];

fn is_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_value_and_other_dollars_stay() {
        let mut variables = Variables::default();
        variables.set("a", "one");
        assert_eq!(variables.expand("$a/$a-x Cast$Key ${file:x} $$a"), "one/one-x Cast$Key ${file:x} $a");
        let made = variables.expand("$topic");
        assert!(made.starts_with("topic-"), "{made}");
        assert_eq!(variables.expand("$topic"), made);
        assert_ne!(variables.shared().expand("$topic"), made);
    }
}
