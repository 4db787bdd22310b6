//! Converted records of one topic-partition, as a sink task receives them.

use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};

use crate::record::TopicPartition;
use crate::schema::Schema;
use crate::value::Value;

/// The keys or the values of a batch.
#[derive(Clone, Debug)]
pub enum Values {
    /// Connect would be schemaless: one dynamic value per row.
    Dynamic(Vec<Value>),
    /// Every row is null and has no schema (no keys; tombstones).
    Null {
        /// Row count.
        rows: usize,
    },
    /// Every row has the same schema.
    Typed {
        /// The Connect schema of each row.
        schema: Arc<Schema>,
        /// One element per row, of type `schema.arrow_type()`; null only where the schema is optional.
        array: ArrayRef,
    },
}

impl Values {
    /// Row count.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dynamic(values) => values.len(),
            Self::Null { rows } => *rows,
            Self::Typed { array, .. } => array.len(),
        }
    }

    /// The schema every row shares; `None` when schemaless.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        match self {
            Self::Typed { schema, .. } => Some(schema),
            Self::Dynamic(_) | Self::Null { .. } => None,
        }
    }

    /// Rows `start .. start + rows`; typed columns are shared, not copied.
    #[must_use]
    pub fn slice(&self, start: usize, rows: usize) -> Self {
        match self {
            Self::Dynamic(values) => Self::Dynamic(values[start..start + rows].to_vec()),
            Self::Null { .. } => Self::Null { rows },
            Self::Typed { schema, array } => {
                Self::Typed { schema: Arc::clone(schema), array: array.slice(start, rows) }
            }
        }
    }

    /// The columns when every row is a STRUCT.
    pub fn as_struct(&self) -> Option<(&Arc<Schema>, &StructArray)> {
        match self {
            Self::Typed { schema, array } => array.as_any().downcast_ref().map(|array| (schema, array)),
            Self::Dynamic(_) | Self::Null { .. } => None,
        }
    }
}

/// Records of one topic-partition after conversion and transforms, in offset order.
///
/// All rows share one key schema and one value schema; a change of schema starts a new batch. Offsets ascend
/// but may have gaps (compaction, transaction markers, dropped records).
#[derive(Clone, Debug)]
pub struct SinkBatch {
    /// Where the records came from.
    pub partition: TopicPartition,
    /// Offset per row.
    pub offsets: Vec<i64>,
    /// Record timestamp per row in ms since the epoch.
    pub timestamps_ms: Vec<Option<i64>>,
    /// Keys, one per row.
    pub keys: Values,
    /// Values, one per row.
    pub values: Values,
}

impl SinkBatch {
    /// Row count.
    pub fn rows(&self) -> usize {
        self.offsets.len()
    }

    /// Panics when the columns disagree about the row count: a batch like that would lose records.
    pub fn assert_consistent(&self) {
        assert_eq!(self.offsets.len(), self.timestamps_ms.len(), "timestamps do not match offsets");
        assert_eq!(self.offsets.len(), self.keys.rows(), "keys do not match offsets");
        assert_eq!(self.offsets.len(), self.values.rows(), "values do not match offsets");
    }
}
