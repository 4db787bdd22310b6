//! Single message transforms and predicates, a batch at a time.
//!
//! Source: `org.apache.kafka.connect.transforms.{Transformation,predicates.Predicate}`, Kafka 4.1.

use crate::ConnectError;
use crate::batch::SinkBatch;

/// The number of a source record's partition when the producer chooses one.
pub const NO_PARTITION: i32 = i32::MIN;

/// A transform. One instance per task, called from one shard.
pub trait Transform {
    /// Applies the transform to every row of `batch`.
    ///
    /// Every input row ends up in exactly one output row, one error, or nowhere (dropped on purpose). Output
    /// batches keep the input's order of rows; a row whose schema or topic differs from the row before it
    /// starts a new batch. The `Err` of the call itself fails the task (class `Fatal`, `Config`).
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError>;

    /// Said once, before the first batch, when the records come from a source connector: their offsets are
    /// row numbers without a meaning, and the number of [`SinkBatch::partition`] is that of the partition
    /// they go to, [`NO_PARTITION`] when the producer chooses one; a transform may change it.
    fn expect_source_records(&mut self) {}
}

/// The outcome of one transform call.
#[derive(Debug, Default)]
pub struct Transformed {
    /// What goes on, in row order.
    pub batches: Vec<SinkBatch>,
    /// Records that failed alone, by their offset in the input.
    pub errors: Vec<(i64, ConnectError)>,
}

impl Transformed {
    /// One batch and no error.
    pub fn one(batch: SinkBatch) -> Self {
        Self { batches: vec![batch], errors: Vec::new() }
    }
}

/// A predicate. One instance per use in a chain.
pub trait Predicate {
    /// One answer per row. Rows whose test failed have an entry in the error list instead of a meaning.
    fn test(&mut self, batch: &SinkBatch) -> Result<Tested, ConnectError>;
}

/// The answers of a predicate.
#[derive(Debug)]
pub enum Tested {
    /// The same answer for every row.
    All(bool),
    /// An answer per row.
    Rows(Vec<bool>),
}
