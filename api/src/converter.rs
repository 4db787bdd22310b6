//! Converters: bytes of a topic to Connect values and back, a batch at a time.

use std::ops::Range;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;

use crate::ConnectError;
use crate::batch::Values;
use crate::schema::Schema;
use crate::value::Value;

/// Turns the keys or values of a topic into Connect values and back.
///
/// One instance per task and side (key or value); it may keep caches and inferred schemas between calls. No
/// call blocks: a converter that needs a network (a schema registry) says so through the two `poll_*` calls.
pub trait Converter {
    /// Makes sure that [`Converter::decode`] of the same payloads can run without waiting. `Pending` means
    /// that a request is in flight: the task's waker will be called, then call again.
    fn poll_decode_ready(
        &mut self,
        _topic: &str,
        _payloads: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        Ok(Poll::Ready(()))
    }

    /// Decodes `payloads` (records of one topic-partition in offset order; `None` is Kafka's null).
    ///
    /// Every input row ends up in exactly one run or one error, runs ascend by row. A record that fails alone
    /// is an entry of [`Decoded::errors`] (class `Record`, or `Retriable` when only its retry may help); the
    /// `Err` of the call itself means nothing could be decoded (class `Config` for wrong settings).
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError>;

    /// Makes sure that [`Converter::encode`] of the same values can run without waiting.
    fn poll_encode_ready(&mut self, _topic: &str, _values: &Values) -> Result<Poll<()>, ConnectError> {
        Ok(Poll::Ready(()))
    }

    /// Encodes one payload per row. A row that fails alone is an entry of [`Encoded::errors`].
    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError>;

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

/// The outcome of one encode call: all payloads one after the other in one buffer.
#[derive(Debug, Default)]
pub struct Encoded {
    data: Vec<u8>,
    rows: Vec<Option<Range<usize>>>,
    /// Rows that failed, with the reason; their payload is null and must not be used.
    pub errors: Vec<(usize, ConnectError)>,
}

impl Encoded {
    /// No payload yet, room for `rows` of about `payload_bytes` each.
    pub fn with_capacity(rows: usize, payload_bytes: usize) -> Self {
        Self {
            data: Vec::with_capacity(rows.saturating_mul(payload_bytes)),
            rows: Vec::with_capacity(rows),
            errors: Vec::new(),
        }
    }

    /// Appends the payload that `write` puts at the end of the buffer. On an error what it wrote is taken
    /// back and the row is recorded as failed.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), ConnectError>) {
        let start = self.data.len();
        match write(&mut self.data) {
            Ok(()) => self.rows.push(Some(start..self.data.len())),
            Err(error) => {
                self.data.truncate(start);
                self.errors.push((self.rows.len(), error));
                self.rows.push(None);
            }
        }
    }

    /// Appends Kafka's null.
    pub fn push_null(&mut self) {
        self.rows.push(None);
    }

    /// Row count.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The payload of row `row`; `None` is Kafka's null.
    pub fn payload(&self, row: usize) -> Option<&[u8]> {
        self.rows[row].clone().map(|range| &self.data[range])
    }
}

/// Turns header values into Connect values and back, one at a time: few topics have headers.
pub trait HeaderConverter {
    /// Whether [`HeaderConverter::decode`] refuses some payloads. When it never does, headers that nothing
    /// looks at need no conversion.
    fn can_fail(&self) -> bool {
        true
    }

    /// Decodes the header `name` of a record of `topic`: its schema (`None` when schemaless) and its value.
    fn decode(
        &mut self,
        topic: &str,
        name: &str,
        payload: Option<&[u8]>,
    ) -> Result<(Option<Arc<Schema>>, Value), ConnectError>;

    /// Encodes a header value; `None` is null.
    fn encode(
        &mut self,
        topic: &str,
        name: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError>;
}
