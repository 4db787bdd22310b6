//! How schemas are found: subjects and limits.

use lakeward_registry::settings::SubjectNameStrategy;

/// How one side of a task's records is converted; `M` is how schemas are mapped.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Rules<M> {
    pub(in super::super) mapping: M,
    pub(in super::super) subjects: Subjects,
    /// `schemas.cache.config`, at least 1.
    pub(in super::super) entries_max: usize,
}

/// Names the subjects of one side of a topic.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Subjects {
    pub(in super::super) strategy: SubjectNameStrategy,
    pub(in super::super) is_key: bool,
}

impl Subjects {
    /// `key` or `value`, for messages.
    pub(in super::super) fn side(self) -> &'static str {
        if self.is_key { "key" } else { "value" }
    }

    /// The subject of a schema in `topic`; `name` is its name.
    ///
    /// # Errors
    /// The message of a `SerializationException` when the strategy needs a name and there is none.
    pub(in super::super) fn of(self, topic: &str, name: Option<&str>) -> Result<String, String> {
        let subject = self.strategy.subject(topic, self.is_key, name);
        Ok(subject.map_err(|error| error.to_string())?.into_owned())
    }
}
