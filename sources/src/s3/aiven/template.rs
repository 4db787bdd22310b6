//! `file.name.template`: which objects are read, and what their names say.
//!
//! Source: `FilePatternUtils`: variables become groups of a regular expression that is looked for anywhere in
//! the name; everything else in the template is part of the expression.

use std::sync::Arc;

use fancy_regex::Regex;

/// A template.
#[derive(Clone, Debug)]
pub(super) struct Template {
    regex: Regex,
    pub(super) has_topic: bool,
    pub(super) has_partition: bool,
}

/// What a name says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) topic: Option<Arc<str>>,
    pub(super) partition: Option<i32>,
}

impl Template {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pattern = String::new();
        let (mut has_topic, mut has_partition) = (false, false);
        let mut rest = text;
        while let Some((before, variable)) = rest.split_once("{{") {
            let Some((inside, after)) = variable.split_once("}}") else {
                return Err("a variable is not closed by }}".to_owned());
            };
            pattern.push_str(before);
            let group = match inside.trim().split(':').next().unwrap_or_default().trim_end() {
                "topic" if !std::mem::replace(&mut has_topic, true) => "(?<topic>[a-zA-Z0-9\\-_.]+)",
                "partition" if !std::mem::replace(&mut has_partition, true) => "(?<partition>\\d+)",
                "topic" => "\\k<topic>",
                "partition" => "\\k<partition>",
                "start_offset" | "timestamp" => "(?:\\d+)",
                other => {
                    return Err(format!(
                        "variable {other} is not known; use topic, partition, start_offset and timestamp"
                    ));
                }
            };
            pattern.push_str(group);
            rest = after;
        }
        pattern.push_str(rest);
        let regex =
            Regex::new(&pattern).map_err(|err| format!("no regular expression comes of it: {err}"))?;
        Ok(Self { regex, has_topic, has_partition })
    }

    /// What a name says; `None` when it is none of the template.
    pub(super) fn read(&self, name: &str) -> Option<Parts> {
        let groups = self.regex.captures(name).ok().flatten()?;
        let partition = match groups.name("partition") {
            Some(digits) => Some(digits.as_str().parse().ok()?),
            None => None,
        };
        Some(Parts { topic: groups.name("topic").map(|topic| topic.as_str().into()), partition })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(topic: Option<&str>, partition: Option<i32>) -> Option<Parts> {
        Some(Parts { topic: topic.map(Into::into), partition })
    }

    #[test]
    fn names_are_searched_for_the_template() {
        let usual = Template::parse("{{topic}}-{{partition:padding=true}}-{{start_offset}}").unwrap();
        assert_eq!(
            usual.read("a/b/my-topic-0000000003-00000000000000000012.gz"),
            parts(Some("my-topic"), Some(3))
        );
        assert_eq!(usual.read("logo.png"), None);
        assert_eq!(usual.read("t-99999999999-1"), None);
        let any = Template::parse(".*").unwrap();
        assert!(!any.has_topic && !any.has_partition);
        assert_eq!(any.read("whatever"), parts(None, None));
        let twice =
            Template::parse("^{{topic}}/{{topic}}\\+{{ partition }}\\+{{timestamp:unit=yyyy}}$").unwrap();
        assert_eq!(twice.read("t/t+1+2020"), parts(Some("t"), Some(1)));
        assert_eq!(twice.read("t/u+1+2020"), None);
    }

    #[test]
    fn templates_that_make_no_sense_are_refused() {
        for wrong in ["{{topic", "{{key}}", "("] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }
}
