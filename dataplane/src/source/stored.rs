//! What a task sees of the offsets of earlier runs.

use std::sync::Arc;

use lakeward_api::offset_store::OffsetStore;
use lakeward_api::source::{SourceMap, StoredOffsets};
use lakeward_api::value::Value;
use lakeward_dataplane_core::source_offsets::{key_text, parse_value};

/// The offsets of one connector. Offsets that cannot be read count as none, with a line in the log, as in
/// Java.
pub(super) struct TaskOffsets {
    connector: Arc<str>,
    store: Arc<dyn OffsetStore>,
}

impl TaskOffsets {
    pub(super) fn new(connector: Arc<str>, store: Arc<dyn OffsetStore>) -> Self {
        Self { connector, store }
    }
}

impl StoredOffsets for TaskOffsets {
    fn offset(&self, partition: &Value) -> Option<SourceMap> {
        let key = key_text(&self.connector, partition)
            .inspect_err(|err| {
                tracing::error!(connector = %self.connector, error = %err, "a partition cannot be looked up");
            })
            .ok()?;
        let stored = self.store.get(key.as_bytes())?;
        match parse_value(&stored) {
            Ok(Value::Null) => None,
            Ok(offset) => Some(Arc::new(offset)),
            Err(err) => {
                tracing::error!(connector = %self.connector, error = %err, "a stored offset cannot be read");
                None
            }
        }
    }
}
