//! Files that ended, counted by what ended them, and a line in the log when schemas that take turns make a
//! storm of files.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::metrics::{EndedFiles, FileEnd};
use lakeward_api::sink::Now;

use super::S3SinkTask;

/// More files than these that end within a minute because of schemas are worth a line.
const STORM_FILES: u64 = 60;
const MINUTE: Duration = Duration::from_mins(1);

/// What a task counts.
#[derive(Debug)]
pub(super) struct Ended {
    files: Arc<EndedFiles>,
    /// The first of `by_schema` was seen then.
    since: Option<Instant>,
    /// Files that another schema ended, of at most the last minute.
    by_schema: u64,
}

impl Ended {
    /// Counts in `files`.
    pub(super) fn new(files: Arc<EndedFiles>) -> Self {
        Self { files, since: None, by_schema: 0 }
    }

    /// `files` of one part ended.
    pub(super) fn add(&mut self, end: FileEnd, files: usize) {
        self.files.add(end, files as u64);
        if end == FileEnd::SchemaChange {
            self.by_schema += files as u64;
        }
    }

    /// How many files schemas ended in the minute that is over now, if those were many.
    fn storm(&mut self, now: Instant) -> Option<u64> {
        if self.by_schema == 0 {
            return None;
        }
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) < MINUTE {
            return None;
        }
        self.since = None;
        Some(std::mem::take(&mut self.by_schema)).filter(|files| *files > STORM_FILES)
    }
}

impl S3SinkTask {
    /// Says when changes of schemas alone make many small files, and what helps.
    pub(super) fn tell_schema_storm(&mut self, now: Now) {
        let Some(files) = self.ended.storm(now.monotonic) else { return };
        let remedy = match self.layout.is_none() && !self.merges() {
            true => {
                "lakeward.schema.evolution=merge keeps compatible schemas in one file, and so does \
                 schema.compatibility (BACKWARD, FORWARD, FULL) where schemas have versions"
            }
            false => "no file can hold them together: give each of the schemas a topic of its own",
        };
        tracing::warn!(files, remedy, "changes of the schema ended many files within a minute");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_schemas_is_told_once_a_minute_and_a_breeze_never() {
        let (begin, counters) = (Instant::now(), Arc::<EndedFiles>::default());
        let mut ended = Ended::new(Arc::clone(&counters));
        let mut told = Vec::new();
        for second in 0..300 {
            // Two files a second in the first two minutes, then one every other second.
            let files = if second < 120 { 2 } else { second % 2 };
            ended.add(FileEnd::SchemaChange, files);
            ended.add(FileEnd::Records, 100);
            let now = begin + Duration::from_secs(second as u64);
            told.extend(ended.storm(now).map(|files| (second, files)));
        }
        assert_eq!(told, [(60, 122), (121, 119)]);
        assert_eq!(counters.count(FileEnd::SchemaChange), 240 + 90);
        assert_eq!(counters.count(FileEnd::Records), 30_000);
    }
}
