//! Converters: bytes of a topic to Connect values, a batch at a time.

use crate::ConnectError;
use crate::batch::Values;

/// Turns the keys or values of a topic into Connect values.
///
/// One instance per task and side (key or value); it may keep caches and inferred schemas between calls.
pub trait Converter {
    /// Decodes `payloads` (records of one topic-partition in offset order; `None` is Kafka's null).
    ///
    /// Every input row ends up in exactly one run or one error, runs ascend by row. A record that fails alone
    /// is an entry of [`Decoded::errors`] (class `Record`); the `Err` of the call itself means nothing could
    /// be decoded (class `Retriable` for a registry that is down, `Config` for wrong settings).
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError>;

    /// Columns whose inferred type had to become JSON text, for summaries; empty for declared schemas.
    fn json_text_columns(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The outcome of one decode call.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Runs of rows that share one schema.
    pub runs: Vec<Run>,
    /// Rows that failed, with the reason.
    pub errors: Vec<(usize, ConnectError)>,
}

/// Rows that share one schema.
#[derive(Debug)]
pub struct Run {
    /// Input row of each value, ascending.
    pub rows: Vec<u32>,
    /// One value per entry of `rows`.
    pub values: Values,
}
