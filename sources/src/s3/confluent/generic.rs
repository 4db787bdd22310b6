//! What GENERIC makes of names: objects of any name below `topics.dir`, to the topic of the first expression
//! of `topic.regex.list` that matches the whole name. Others are left out.
//!
//! Source: documentation of the generalized Confluent S3 source. It does not say whether an expression has to
//! match the whole name; here it does.

use std::sync::Arc;

use fancy_regex::Regex;
use lakeward_formats::file::read::Packing;

use super::names::FileKind;
use crate::s3::hash::task_of;
use crate::s3::objects::{Choice, Chosen};

/// `topic.regex.list`.
#[derive(Clone, Debug)]
pub(super) struct Topics(Vec<(Arc<str>, Regex)>);

impl Topics {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(list: &[String]) -> Result<Self, String> {
        let topic = |item: &String| {
            let (topic, text) = item
                .split_once(':')
                .filter(|(topic, text)| !topic.trim().is_empty() && !text.is_empty())
                .ok_or_else(|| format!("{item} is no topic:regex"))?;
            let regex = Regex::new(&format!("^(?:{text})$"));
            let regex = regex.map_err(|err| format!("{text} is no regular expression: {err}"))?;
            Ok((topic.trim().into(), regex))
        };
        list.iter().map(topic).collect::<Result<_, String>>().map(Self)
    }

    fn of(&self, name: &str) -> Option<Arc<str>> {
        let matches = |regex: &Regex| regex.is_match(name).unwrap_or(false);
        self.0.iter().find(|(_, regex)| matches(regex)).map(|(topic, _)| Arc::clone(topic))
    }
}

/// The objects of one task: those of its folders.
pub(super) struct Listed {
    pub(super) topics: Topics,
    pub(super) kind: FileKind,
    pub(super) delimiter: String,
    pub(super) task: u32,
    pub(super) tasks: u32,
}

impl Choice for Listed {
    fn choose(&self, name: &str) -> Option<Chosen> {
        let (folder, file) = name.rsplit_once(self.delimiter.as_str()).unwrap_or(("", name));
        if file.is_empty() || task_of(folder, self.tasks) != self.task {
            return None;
        }
        let topic = self.topics.of(name)?;
        let may_be_gzip = matches!(self.kind, FileKind::Bytes | FileKind::Csv | FileKind::Json);
        let packing = if may_be_gzip && name.ends_with(".gz") { Packing::Gzip } else { Packing::None };
        Some(Chosen { topic, partition: None, key: None, packing })
    }
}

/// `file.discovery.starting.timestamp` in milliseconds: people write seconds as well.
pub(super) fn starting_ms(timestamp: i64) -> i64 {
    const SECONDS_MAX: i64 = 100_000_000_000;
    if timestamp < SECONDS_MAX { timestamp.saturating_mul(1000) } else { timestamp }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_expression_that_matches_the_whole_name_counts() {
        let list = ["a: x/.*\\.json".to_owned(), "a:x/.*\\.json".to_owned(), "b:.*n|y/.*".to_owned()];
        let topics = Topics::parse(&list).unwrap();
        let of = |name: &str| topics.of(name).map(|topic| topic.to_string());
        assert_eq!(of("x/1.json").as_deref(), Some("a"));
        assert_eq!(of("z/x/1.json").as_deref(), Some("b"));
        assert_eq!((of("y/1").as_deref(), of("z/y/1")), (Some("b"), None));
        for wrong in ["t", ":x", "t:", "t:("] {
            assert!(Topics::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn timestamps_may_be_seconds() {
        assert_eq!(
            [0, 1_700_000_000, 1_700_000_000_123].map(starting_ms),
            [0, 1_700_000_000_000, 1_700_000_000_123]
        );
    }
}
