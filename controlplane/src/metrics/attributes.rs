//! The attributes of the groups of a task, in Kafka's names.
//!
//! Source: `ConnectMetricsRegistry`, Kafka 4.1.

use std::sync::atomic::{AtomicU64, Ordering};

use lakeward_api::metrics::{ErrorCounters, SinkMetrics, SourceMetrics, TaskMetrics, TaskState};

/// Name and value at a time in ms.
type Attributes<T> = &'static [(&'static str, fn(&T, u64) -> f64)];

fn number(counter: &AtomicU64) -> f64 {
    counter.load(Ordering::Relaxed) as f64
}

/// Texts of `connector-metrics` besides the status.
pub(super) const TEXTS_OF_CONNECTOR: [&str; 3] = ["connector-class", "connector-type", "connector-version"];

/// Texts of `connector-task-metrics` besides the status.
pub(super) const TEXTS_OF_TASK: [&str; 11] = [
    "connector-class",
    "connector-type",
    "connector-version",
    "task-class",
    "task-version",
    "key-converter-class",
    "key-converter-version",
    "value-converter-class",
    "value-converter-version",
    "header-converter-class",
    "header-converter-version",
];

/// Numbers of `connector-task-metrics`.
pub(super) const TASK: Attributes<TaskMetrics> = &[
    ("running-ratio", |task, now_ms| task.states.share(TaskState::Running, now_ms)),
    ("pause-ratio", |task, now_ms| task.states.share(TaskState::Paused, now_ms)),
    ("offset-commit-max-time-ms", |task, now_ms| task.commit_time.max(now_ms)),
    ("offset-commit-avg-time-ms", |task, now_ms| task.commit_time.avg(now_ms)),
    ("offset-commit-success-percentage", |task, now_ms| task.commits.success_share(now_ms)),
    ("offset-commit-failure-percentage", |task, now_ms| task.commits.failure_share(now_ms)),
    ("batch-size-max", |task, now_ms| task.batch_size.max(now_ms)),
    ("batch-size-avg", |task, now_ms| task.batch_size.avg(now_ms)),
];

/// `source-task-metrics` of every source task.
pub(super) const SOURCE: Attributes<SourceMetrics> = &[
    ("source-record-poll-rate", |source, now_ms| source.poll.rate(now_ms)),
    ("source-record-poll-total", |source, _| source.poll.total() as f64),
    ("source-record-write-rate", |source, now_ms| source.write.rate(now_ms)),
    ("source-record-write-total", |source, _| source.write.total() as f64),
    ("poll-batch-max-time-ms", |source, now_ms| source.poll_time.max(now_ms)),
    ("poll-batch-avg-time-ms", |source, now_ms| source.poll_time.avg(now_ms)),
    ("source-record-active-count", |source, _| number(&source.active)),
    ("source-record-active-count-max", |source, now_ms| source.active_recent.max(now_ms)),
    ("source-record-active-count-avg", |source, now_ms| source.active_recent.avg(now_ms)),
];

/// `source-task-metrics` with exactly-once delivery.
pub(super) const TRANSACTIONS: Attributes<SourceMetrics> = &[
    ("transaction-size-min", |source, now_ms| source.transaction_size.min(now_ms)),
    ("transaction-size-max", |source, now_ms| source.transaction_size.max(now_ms)),
    ("transaction-size-avg", |source, now_ms| source.transaction_size.avg(now_ms)),
];

/// `sink-task-metrics`.
pub(super) const SINK: Attributes<SinkMetrics> = &[
    ("sink-record-read-rate", |sink, now_ms| sink.read.rate(now_ms)),
    ("sink-record-read-total", |sink, _| sink.read.total() as f64),
    ("sink-record-send-rate", |sink, now_ms| sink.send.rate(now_ms)),
    ("sink-record-send-total", |sink, _| sink.send.total() as f64),
    ("sink-record-active-count", |sink, _| number(&sink.active)),
    ("sink-record-active-count-max", |sink, now_ms| sink.active_recent.max(now_ms)),
    ("sink-record-active-count-avg", |sink, now_ms| sink.active_recent.avg(now_ms)),
    ("partition-count", |sink, _| number(&sink.partitions)),
    ("offset-commit-seq-no", |sink, _| number(&sink.commit_seq_no)),
    ("offset-commit-completion-rate", |sink, now_ms| sink.commit_completions.rate(now_ms)),
    ("offset-commit-completion-total", |sink, _| sink.commit_completions.total() as f64),
    ("offset-commit-skip-rate", |sink, now_ms| sink.commit_skips.rate(now_ms)),
    ("offset-commit-skip-total", |sink, _| sink.commit_skips.total() as f64),
    ("put-batch-max-time-ms", |sink, now_ms| sink.put_time.max(now_ms)),
    ("put-batch-avg-time-ms", |sink, now_ms| sink.put_time.avg(now_ms)),
];

/// `task-error-metrics`.
pub(super) const ERRORS: Attributes<ErrorCounters> = &[
    ("total-record-failures", |errors, _| number(&errors.record_failures)),
    ("total-record-errors", |errors, _| number(&errors.record_errors)),
    ("total-records-skipped", |errors, _| number(&errors.records_skipped)),
    ("total-retries", |errors, _| number(&errors.retries)),
    ("total-errors-logged", |errors, _| number(&errors.errors_logged)),
    ("deadletterqueue-produce-requests", |errors, _| number(&errors.dead_letter_requests)),
    ("deadletterqueue-produce-failures", |errors, _| number(&errors.dead_letter_failures)),
    ("last-error-timestamp", |errors, _| number(&errors.last_error_ms)),
];
