//! Where the control plane keeps what must outlive a moment: configurations and statuses.
//!
//! Owns the seam between the herder and its two homes: the internal topics (distributed) and memory
//! (standalone). What the herder believes is only what was read back.

mod kafka;
mod memory;
mod refusal;
mod single_writer;

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use lakeward_controlplane_core::config_log::{ClusterState, LogRecord};
use lakeward_controlplane_core::status::StatusBoard;
use tokio::sync::Notify;

pub(crate) use kafka::{KafkaStore, PartitionCounts, client_id};
pub(crate) use memory::MemoryStore;

/// What was read so far. Locks are held for look-ups only, never across an await.
#[derive(Default)]
pub(crate) struct ClusterView {
    config: Mutex<ClusterState>,
    status: Mutex<StatusBoard>,
    changed: Notify,
}

impl ClusterView {
    /// Looks at (or takes from) the cluster state.
    pub(crate) fn config<R>(&self, look: impl FnOnce(&mut ClusterState) -> R) -> R {
        look(&mut self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the statuses.
    pub(crate) fn status<R>(&self, look: impl FnOnce(&mut StatusBoard) -> R) -> R {
        look(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies a record of the status topic.
    pub(crate) fn apply_status(&self, key: Option<&[u8]>, value: Option<&[u8]>) {
        let has_overtaken = self.status(|board| {
            board.apply(key, value);
            board.has_overtaken()
        });
        if has_overtaken {
            self.notify();
        }
    }

    /// Wakes the herder.
    pub(crate) fn notify(&self) {
        self.changed.notify_one();
    }

    /// Resolves when the cluster state may have changed since the last call. Cancel safe.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Sets a log level that was written for every worker.
fn apply_log_level(logger: &str, level: &str) {
    match level.parse() {
        Ok(level) => drop(crate::loggers::board().set(logger, level)),
        Err(()) => tracing::warn!(logger, level, "ignored an unknown log level of the config topic"),
    }
}

/// Whether a write waits until its records were read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    /// Acknowledged is enough.
    Acknowledged,
    /// Its records were read, and so was everything before them.
    ReadBack,
}

/// A write or a read of the store failed; the text is for the client.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct StoreError {
    /// What failed.
    pub(crate) message: String,
}

/// The home of configurations and statuses.
pub(crate) trait Store: Send + Sync {
    /// What was read so far.
    fn view(&self) -> &Arc<ClusterView>;

    /// Writes records to the config topic, in order. One budget of 30 s covers write and read back.
    fn write_config(
        &self,
        records: Vec<LogRecord>,
        barrier: Barrier,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Makes this worker the only one that [`Store::write_config`] works for, where the worker file asks for
    /// that.
    fn claim(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Reads the config topic to its end.
    fn refresh(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Queues a status record; it shows when it was read back.
    fn write_status(&self, record: LogRecord);

    /// Waits until queued statuses are stored, or a few seconds have passed.
    fn flush_status(&self) -> BoxFuture<'_, ()>;
}

/// A store of source offsets for tests that never ask for it: nothing is opened.
#[cfg(test)]
pub(crate) fn unopened_offsets() -> Arc<dyn lakeward_api::offset_store::OffsetStores> {
    use lakeward_kafka::offset_store::{KafkaOffsetStores, OffsetTopicSettings};
    let isolation = lakeward_kafka::log::Isolation::Uncommitted;
    Arc::new(KafkaOffsetStores::new(OffsetTopicSettings { worker: Arc::default(), isolation }))
}
