//! Topics that a source connector creates, and which are known to be there.
//!
//! Source: `TopicCreation`, `TopicCreationGroup`, `SourceConnectorConfig`, KIP-158, Kafka 4.1.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigMap, parse_list};
use lakeward_kafka::admin::{Admin, TopicOutcome};
use lakeward_kafka::source_topics::SourceTopic;
use lakeward_transforms::JavaRegex;

use super::bridged::{Answer, Bridged};

const PREFIX: &str = "topic.creation.";
const DEFAULT: &str = "default";

/// The groups of `topic.creation.groups` in order, the default group last.
pub(super) struct TopicGroups(Vec<Group>);

struct Group {
    name: String,
    include: Vec<JavaRegex>,
    exclude: Vec<JavaRegex>,
    partitions: i32,
    replication_factor: i32,
    settings: Vec<(String, String)>,
}

impl TopicGroups {
    /// The groups of a connector; `None` when it has no `topic.creation.*` settings.
    ///
    /// # Errors
    /// `Config` when a setting is missing or wrong.
    pub(super) fn read(config: &ConfigMap) -> Result<Option<Self>, ConnectError> {
        if !config.keys().any(|name| name.starts_with(PREFIX)) {
            return Ok(None);
        }
        let names = config.get("topic.creation.groups").map(|names| parse_list(names)).unwrap_or_default();
        let default = Group::read(config, DEFAULT, None)?;
        let mut groups = Vec::new();
        for name in names.iter().filter(|name| *name != DEFAULT) {
            groups.push(Group::read(config, name, Some(&default))?);
        }
        groups.push(default);
        Ok(Some(Self(groups)))
    }

    fn first_match(&self, topic: &str) -> Result<&Group, ConnectError> {
        for group in &self.0 {
            if group.matches(topic)? {
                return Ok(group);
            }
        }
        Err(ConnectError::fatal(format!("no topic creation group matches {topic}")))
    }
}

impl Group {
    fn read(config: &ConfigMap, name: &str, default: Option<&Self>) -> Result<Self, ConnectError> {
        let prefix = format!("{PREFIX}{name}.");
        let own: BTreeMap<&str, &str> = config
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(prefix.as_str())?, value.trim())))
            .collect();
        let number = |key: &str, fallback: Option<i32>| {
            let name = format!("{prefix}{key}");
            match own.get(key) {
                Some(text) => {
                    text.parse::<i32>().ok().filter(|number| *number == -1 || *number > 0).ok_or_else(|| {
                        ConnectError::config(format!("Invalid value {text} for configuration {name}"))
                    })
                }
                None => fallback.ok_or_else(|| {
                    ConnectError::config(format!(
                        "Missing required configuration \"{name}\" which has no default value."
                    ))
                }),
            }
        };
        // Whatever the default group lists, it takes every topic.
        let patterns = |key: &str| match (default, own.get(key)) {
            (Some(_), Some(list)) => {
                parse_list(list).iter().map(|pattern| regex(&prefix, key, pattern)).collect()
            }
            _ => Ok(Vec::new()),
        };
        let known = ["include", "exclude", "partitions", "replication.factor"];
        let settings = own.iter().filter(|(key, _)| !known.contains(*key));
        Ok(Self {
            name: name.to_owned(),
            include: patterns("include")?,
            exclude: patterns("exclude")?,
            replication_factor: number("replication.factor", default.map(|group| group.replication_factor))?,
            partitions: number("partitions", default.map(|group| group.partitions))?,
            settings: settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        })
    }

    fn matches(&self, topic: &str) -> Result<bool, ConnectError> {
        if self.name == DEFAULT {
            return Ok(true);
        }
        let any = |patterns: &[JavaRegex]| -> Result<bool, ConnectError> {
            patterns.iter().try_fold(false, |found, pattern| Ok(found || pattern.matches(topic)?))
        };
        Ok(!any(&self.exclude)? && any(&self.include)?)
    }
}

fn regex(prefix: &str, key: &str, pattern: &str) -> Result<JavaRegex, ConnectError> {
    JavaRegex::new(pattern).map_err(|problem| {
        ConnectError::config(format!("Invalid value {pattern} for configuration {prefix}{key}: {problem}"))
    })
}

/// Which topics are known to exist, and the creation under way.
pub(super) struct Topics {
    groups: Option<TopicGroups>,
    known: HashSet<Arc<str>>,
    pending: Option<Answer<TopicOutcome>>,
}

impl Topics {
    pub(super) fn new(groups: Option<TopicGroups>) -> Self {
        Self { groups, known: HashSet::new(), pending: None }
    }

    /// Makes sure that `topic` exists; pending means that the pipeline is woken and asks again.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer, `Fatal` when it refuses.
    pub(super) fn poll_ready(
        &mut self,
        topic: &Arc<str>,
        admin: Option<&Admin>,
        bridged: &Bridged,
    ) -> Result<Poll<()>, ConnectError> {
        let (Some(groups), Some(admin)) = (&self.groups, admin) else { return Ok(Poll::Ready(())) };
        if self.known.contains(topic) {
            return Ok(Poll::Ready(()));
        }
        if let Some(pending) = &mut self.pending {
            let Some(answer) = pending.take() else { return Ok(Poll::Pending) };
            self.pending = None;
            if answer? == TopicOutcome::Created {
                tracing::info!(%topic, "topic created");
            }
            self.known.insert(Arc::clone(topic));
            return Ok(Poll::Ready(()));
        }
        let group = groups.first_match(topic)?;
        let wanted = SourceTopic {
            name: topic.to_string(),
            partitions: group.partitions,
            replication_factor: group.replication_factor,
            settings: group.settings.clone(),
        };
        tracing::debug!(%topic, group = group.name, "first record for a topic");
        let admin = admin.clone();
        self.pending = Some(bridged.start(async move { admin.find_or_create(&wanted).await }));
        Ok(Poll::Pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(entries: &[(&str, &str)]) -> Result<Option<TopicGroups>, ConnectError> {
        let entries = entries.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()));
        TopicGroups::read(&entries.collect())
    }

    const DEFAULTS: [(&str, &str); 2] = [("default.partitions", "3"), ("default.replication.factor", "-1")];

    #[test]
    fn the_first_group_that_includes_and_does_not_exclude_a_topic_wins() {
        let mut entries = DEFAULTS.to_vec();
        entries.extend([
            ("groups", "logs, default, all"),
            ("logs.include", "log-.*,audit"),
            ("logs.exclude", "log-x"),
            ("logs.cleanup.policy", "compact"),
            ("all.include", "log-.*"),
            ("all.partitions", "1"),
            ("default.exclude", ".*"),
        ]);
        let groups = groups(&entries).unwrap().unwrap();
        let found = |topic: &str| {
            let group = groups.first_match(topic).unwrap();
            (group.name.clone(), group.partitions, group.replication_factor)
        };
        assert_eq!(found("log-a"), ("logs".to_owned(), 3, -1));
        assert_eq!(found("log-x"), ("all".to_owned(), 1, -1));
        assert_eq!(found("my-log-a"), ("default".to_owned(), 3, -1));
        assert_eq!(groups.0[0].settings, [("cleanup.policy".to_owned(), "compact".to_owned())]);
    }

    #[test]
    fn the_default_group_must_be_complete() {
        assert!(groups(&[]).unwrap().is_none());
        let err = groups(&[("default.replication.factor", "1")]).err().unwrap();
        let expected = "Missing required configuration \"topic.creation.default.partitions\" which has no \
                        default value.";
        assert_eq!(err.to_string(), expected);
    }
}
