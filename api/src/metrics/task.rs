//! The groups of one task: `connector-task-metrics`, `sink-task-metrics`, `source-task-metrics`.
//!
//! Written by the task's shard, a few stores per batch; read by whoever shows them.
//!
//! Source: `WorkerTask.TaskMetricsGroup`, `WorkerSinkTask.SinkTaskMetricsGroup`,
//! `AbstractWorkerSourceTask.SourceTaskMetricsGroup`, Kafka 4.1.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::{
    EndedFiles, ErrorCounters, Meter, Outcomes, StateTimes, StoreConditions, Window, Windowed, ms_of,
};

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Takes records out of topics.
    Sink,
    /// Puts records into topics.
    Source,
}

/// How a commit of offsets ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It will be tried again.
    Failed,
    /// The offsets are stored.
    Stored,
}

/// Everything that is counted about one instance of a task.
#[derive(Debug)]
pub struct TaskMetrics {
    /// Status, running and pause ratio.
    pub states: StateTimes,
    /// Records per batch: polled ones of a source, delivered ones of a sink.
    pub batch_size: Windowed,
    /// Times of successful commits, ms.
    pub commit_time: Windowed,
    /// Ends of commits.
    pub commits: Outcomes,
    /// What went wrong.
    pub errors: Arc<ErrorCounters>,
    /// Of a sink task.
    pub sink: Option<SinkMetrics>,
    /// Of a source task.
    pub source: Option<SourceMetrics>,
}

/// What is counted about a sink task only.
#[derive(Debug)]
pub struct SinkMetrics {
    /// What the sink guarantees, in words; empty until it was made, and for sinks that say nothing.
    pub delivery: OnceLock<String>,
    /// What its store does about conditions; empty for sinks of other places.
    pub conditions: OnceLock<Arc<StoreConditions>>,
    /// Records consumed, before transforms.
    pub read: Meter,
    /// Records given to the sink.
    pub send: Meter,
    /// Times of put calls, ms.
    pub put_time: Windowed,
    /// Records consumed beyond what is committed.
    pub active: AtomicU64,
    /// The same over time.
    pub active_recent: Windowed,
    /// Assigned partitions.
    pub partitions: AtomicU64,
    /// The number of the last commit.
    pub commit_seq_no: AtomicU64,
    /// Successful commits.
    pub commit_completions: Meter,
    /// Answers to commits that nobody waited for any more.
    pub commit_skips: Meter,
    /// Files of sinks that write files.
    pub files: Arc<EndedFiles>,
}

/// What is counted about a source task only.
#[derive(Debug)]
pub struct SourceMetrics {
    /// Records polled, before transforms.
    pub poll: Meter,
    /// Records written to topics.
    pub write: Meter,
    /// Times of polls that brought records, ms.
    pub poll_time: Windowed,
    /// Records polled and neither acknowledged nor left out.
    pub active: AtomicU64,
    /// The same over time.
    pub active_recent: Windowed,
    /// Records per transaction; with exactly-once delivery only.
    pub transaction_size: Windowed,
}

impl TaskMetrics {
    /// Of a task that is made now.
    pub fn new(kind: TaskKind, window: Window) -> Self {
        Self {
            states: StateTimes::new(ms_of(Instant::now())),
            batch_size: Windowed::new(window),
            commit_time: Windowed::new(window),
            commits: Outcomes::new(window),
            errors: Arc::default(),
            sink: (kind == TaskKind::Sink).then(|| SinkMetrics::new(window)),
            source: (kind == TaskKind::Source).then(|| SourceMetrics::new(window)),
        }
    }

    /// A commit ended, after `took` if that is known.
    pub fn commit_ended(&self, outcome: CommitOutcome, took: Option<Duration>, now: Instant) {
        let now_ms = ms_of(now);
        match outcome {
            CommitOutcome::Failed => self.commits.failure(now_ms),
            CommitOutcome::Stored => {
                if let Some(took) = took {
                    self.commit_time.record(milliseconds(took), now_ms);
                }
                self.commits.success(now_ms);
                if let Some(sink) = &self.sink {
                    sink.commit_completions.add(1, now_ms);
                }
            }
        }
    }

    /// The sink took a batch of `records`.
    pub fn put(&self, records: usize, took: Duration, now: Instant) {
        let now_ms = ms_of(now);
        self.batch_size.record(records as f64, now_ms);
        if let Some(sink) = &self.sink {
            sink.send.add(records as u64, now_ms);
            sink.put_time.record(milliseconds(took), now_ms);
        }
    }

    /// A poll of the source brought `records`.
    pub fn polled(&self, records: usize, took: Duration, now: Instant) {
        let now_ms = ms_of(now);
        self.batch_size.record(records as f64, now_ms);
        if let Some(source) = &self.source {
            source.poll.add(records as u64, now_ms);
            source.poll_time.record(milliseconds(took), now_ms);
            source.set_active(source.active.load(Ordering::Relaxed) + records as u64, now_ms);
        }
    }

    /// Polled records are done with: `written` to topics, `left_out` by a transform or by tolerance.
    pub fn written(&self, written: usize, left_out: usize, now: Instant) {
        let Some(source) = &self.source else { return };
        let (now_ms, done) = (ms_of(now), (written + left_out) as u64);
        if done > 0 {
            source.write.add(written as u64, now_ms);
            source.set_active(source.active.load(Ordering::Relaxed).saturating_sub(done), now_ms);
        }
    }

    /// A transaction with `records` was committed.
    pub fn transaction(&self, records: usize, now: Instant) {
        if let Some(source) = &self.source {
            source.transaction_size.record(records as f64, ms_of(now));
        }
    }
}

impl Default for TaskMetrics {
    /// Of a sink task, over Kafka's window.
    fn default() -> Self {
        Self::new(TaskKind::Sink, Window::default())
    }
}

impl SinkMetrics {
    fn new(window: Window) -> Self {
        Self {
            delivery: OnceLock::new(),
            conditions: OnceLock::new(),
            read: Meter::new(window),
            send: Meter::new(window),
            put_time: Windowed::new(window),
            active: AtomicU64::new(0),
            active_recent: Windowed::new(window),
            partitions: AtomicU64::new(0),
            commit_seq_no: AtomicU64::new(0),
            commit_completions: Meter::new(window),
            commit_skips: Meter::new(window),
            files: Arc::default(),
        }
    }

    /// `records` are consumed beyond what is committed.
    pub fn set_active(&self, records: u64, now_ms: u64) {
        self.active.store(records, Ordering::Relaxed);
        self.active_recent.record(records as f64, now_ms);
    }
}

impl SourceMetrics {
    fn new(window: Window) -> Self {
        Self {
            poll: Meter::new(window),
            write: Meter::new(window),
            poll_time: Windowed::new(window),
            active: AtomicU64::new(0),
            active_recent: Windowed::new(window),
            transaction_size: Windowed::new(window),
        }
    }

    fn set_active(&self, records: u64, now_ms: u64) {
        self.active.store(records, Ordering::Relaxed);
        self.active_recent.record(records as f64, now_ms);
    }
}

/// Whole ms, as Java measures.
fn milliseconds(took: Duration) -> f64 {
    took.as_millis() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_counts_what_is_polled_and_not_done() {
        let metrics = TaskMetrics::new(TaskKind::Source, Window::default());
        let now = Instant::now();
        metrics.polled(10, Duration::from_millis(7), now);
        metrics.written(4, 1, now);
        let source = metrics.source.as_ref().unwrap();
        assert_eq!(source.active.load(Ordering::Relaxed), 5);
        assert_eq!((source.poll.total(), source.write.total()), (10, 4));
        let now_ms = ms_of(now);
        assert_eq!((source.active_recent.max(now_ms), source.active_recent.avg(now_ms)), (10.0, 7.5));
        assert_eq!(source.poll_time.max(now_ms), 7.0);
        assert!(metrics.sink.is_none());
    }

    #[test]
    fn a_failed_commit_has_no_time() {
        let metrics = TaskMetrics::default();
        let now = Instant::now();
        metrics.commit_ended(CommitOutcome::Failed, Some(Duration::from_millis(900)), now);
        metrics.commit_ended(CommitOutcome::Stored, Some(Duration::from_millis(30)), now);
        let now_ms = ms_of(now);
        assert_eq!((metrics.commit_time.max(now_ms), metrics.commits.failure_share(now_ms)), (30.0, 0.5));
        assert_eq!(metrics.sink.as_ref().unwrap().commit_completions.total(), 1);
    }
}
