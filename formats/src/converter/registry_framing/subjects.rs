//! How schemas are found: subjects and limits.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_registry::Registry;
use lakeward_registry::settings::SubjectNameStrategy;

/// How one side of a task's records is converted; `M` is how schemas are mapped.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Rules<M> {
    pub(in super::super) mapping: M,
    pub(in super::super) subjects: Subjects,
    /// `schemas.cache.config`, at least 1.
    pub(in super::super) entries_max: usize,
    /// Whether payloads are read as the latest version of their subject.
    pub(in super::super) resolves: bool,
    /// Whether a header may name the schema of a payload.
    pub(in super::super) reads_header: bool,
    /// Whether a header names the schema of a payload that is written.
    pub(in super::super) writes_header: bool,
}

/// Names the subjects of one side of a topic.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Subjects {
    pub(in super::super) strategy: SubjectNameStrategy,
    pub(in super::super) is_key: bool,
    /// Whether the registry is asked for the subject of a topic first.
    pub(in super::super) asks: bool,
    /// Whether `strategy` names the subject of a topic for which the registry has none.
    pub(in super::super) falls_back: bool,
}

impl Subjects {
    /// `key` or `value`, for messages.
    pub(in super::super) fn side(self) -> &'static str {
        if self.is_key { "key" } else { "value" }
    }

    /// The header that names the schema of a payload.
    pub(in super::super) fn header(self) -> &'static str {
        if self.is_key { "__key_schema_id" } else { "__value_schema_id" }
    }

    /// The subject that the registry associates with `topic`, where it is asked for one.
    pub(in super::super) fn poll_associated(
        self,
        registry: &mut dyn Registry,
        topic: &str,
    ) -> Poll<Result<Option<Arc<str>>, ConnectError>> {
        if self.asks { registry.associated(topic, self.is_key) } else { Poll::Ready(Ok(None)) }
    }

    /// The subject of a schema in `topic`; `name` is its name.
    ///
    /// # Errors
    /// The message of a `SerializationException` when the strategy needs a name and there is none.
    pub(in super::super) fn of(self, topic: &str, name: Option<&str>) -> Result<String, String> {
        if !self.falls_back {
            return Err(format!("No associated subject found for topic {topic}"));
        }
        let subject = self.strategy.subject(topic, self.is_key, name);
        Ok(subject.map_err(|error| error.to_string())?.into_owned())
    }
}
