//! The store of standalone mode: memory, gone with the process, as Java's.
//!
//! Source: `MemoryConfigBackingStore`, `MemoryStatusBackingStore`, Kafka 4.1.

use std::sync::Arc;

use futures::future::BoxFuture;
use lakeward_controlplane_core::config_log::{ConfigChange, LogRecord};

use super::{Barrier, ClusterView, Store, StoreError, apply_log_level};

/// Records are applied at once, by the same rules as those of the topics.
#[derive(Default)]
pub(crate) struct MemoryStore {
    view: Arc<ClusterView>,
}

impl Store for MemoryStore {
    fn view(&self) -> &Arc<ClusterView> {
        &self.view
    }

    fn write_config(&self, records: Vec<LogRecord>, _: Barrier) -> BoxFuture<'_, Result<(), StoreError>> {
        self.view.config(|state| {
            for record in &records {
                let offset = state.next_offset();
                let (key, value) = (Some(record.key.as_bytes()), record.value.as_deref().map(str::as_bytes));
                if let ConfigChange::LogLevel { logger, level } = state.apply(offset, key, value) {
                    apply_log_level(&logger, &level);
                }
            }
        });
        self.view.notify();
        Box::pin(std::future::ready(Ok(())))
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn write_status(&self, record: LogRecord) {
        self.view.apply_status(Some(record.key.as_bytes()), record.value.as_deref().map(str::as_bytes));
    }

    fn flush_status(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
