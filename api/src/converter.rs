//! Converters: bytes of a topic to Connect values and back, a batch at a time.

use std::sync::Arc;
use std::task::Poll;

use arrow_array::{Array, BinaryArray};
use bytes::Bytes;

use crate::ConnectError;
use crate::batch::Values;
use crate::header::{HeaderValues, MixedHeaders};
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

    /// The name of the one record header that says how payloads are read; `None` when none does. Looking for
    /// headers costs time per record.
    fn payload_header(&self) -> Option<&'static str> {
        None
    }

    /// [`Converter::poll_decode_ready`] where records have [`Converter::payload_header`]: `headers` holds its
    /// last value of each record.
    fn poll_decode_ready_with(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
        _headers: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        self.poll_decode_ready(topic, payloads)
    }

    /// [`Converter::decode`] where records have [`Converter::payload_header`]: `headers` holds its last value
    /// of each record.
    fn decode_with(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
        _headers: &[Option<&[u8]>],
    ) -> Result<Decoded, ConnectError> {
        self.decode(topic, payloads)
    }

    /// Whether [`Converter::decode_column`] is the better call: when payloads become a column as they are.
    fn takes_columns(&self) -> bool {
        false
    }

    /// [`Converter::decode`] of payloads that already are one column (its nulls are Kafka's), which the
    /// decoded column may share.
    fn decode_column(&mut self, topic: &str, payloads: &BinaryArray) -> Result<Decoded, ConnectError> {
        let payloads: Vec<Option<&[u8]>> = payloads.iter().collect();
        self.decode(topic, &payloads)
    }

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

/// The outcome of one encode call: a payload per row, in one buffer.
#[derive(Debug, Default)]
pub struct Encoded {
    payloads: Payloads,
    /// A header for every record whose payload is not null, unless its last header of that name has that
    /// value already. Few converters have one.
    pub header: Option<(&'static str, Bytes)>,
    /// Rows that failed, with the reason; their payload is null and must not be used.
    pub errors: Vec<(usize, ConnectError)>,
}

#[derive(Debug)]
enum Payloads {
    Column(BinaryArray),
    Written(Written),
}

/// Payloads in one buffer.
#[derive(Debug, Default)]
struct Written {
    data: Vec<u8>,
    spans: Vec<Span>,
}

/// Where a payload is in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last one.
    pub end: usize,
}

impl Span {
    /// Kafka's null.
    pub const NULL: Self = Self { start: usize::MAX, end: 0 };
}

impl Default for Payloads {
    fn default() -> Self {
        Self::Written(Written::default())
    }
}

impl Encoded {
    /// No payload yet, room for `rows` of about `payload_bytes` each.
    pub fn with_capacity(rows: usize, payload_bytes: usize) -> Self {
        let data = Vec::with_capacity(rows.saturating_mul(payload_bytes));
        let written = Written { data, spans: Vec::with_capacity(rows) };
        Self { payloads: Payloads::Written(written), header: None, errors: Vec::new() }
    }

    /// The payloads are a column as it is; its nulls are Kafka's.
    pub fn of_column(column: BinaryArray) -> Self {
        Self { payloads: Payloads::Column(column), header: None, errors: Vec::new() }
    }

    /// Appends the payload that `write` puts at the end of the buffer. On an error what it wrote is taken
    /// back and the row is recorded as failed.
    ///
    /// # Panics
    /// When the payloads are a column.
    #[inline]
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), ConnectError>) {
        let Payloads::Written(written) = &mut self.payloads else { panic!("a column is complete") };
        let start = written.data.len();
        match write(&mut written.data) {
            Ok(()) => written.spans.push(Span { start, end: written.data.len() }),
            Err(error) => {
                written.data.truncate(start);
                self.errors.push((written.spans.len(), error));
                written.spans.push(Span::NULL);
            }
        }
    }

    /// Appends many rows at once: `write` puts their payloads at the end of the buffer, anywhere and with
    /// gaps, and says of each in turn where it is, or [`Span::NULL`]. Where it answers false, what it wrote
    /// is taken back.
    ///
    /// # Panics
    /// When the payloads are a column.
    #[inline]
    pub fn push_block(&mut self, write: impl FnOnce(&mut Vec<u8>, &mut Vec<Span>) -> bool) -> bool {
        let Payloads::Written(Written { data, spans }) = &mut self.payloads else {
            panic!("a column is complete")
        };
        let (start, rows) = (data.len(), spans.len());
        let is_written = write(data, spans);
        if !is_written {
            data.truncate(start);
            spans.truncate(rows);
        }
        is_written
    }

    /// Appends Kafka's null.
    ///
    /// # Panics
    /// When the payloads are a column.
    pub fn push_null(&mut self) {
        let Payloads::Written(written) = &mut self.payloads else { panic!("a column is complete") };
        written.spans.push(Span::NULL);
    }

    /// Row count.
    pub fn rows(&self) -> usize {
        match &self.payloads {
            Payloads::Column(column) => column.len(),
            Payloads::Written(written) => written.spans.len(),
        }
    }

    /// The payload of row `row`; `None` is Kafka's null.
    pub fn payload(&self, row: usize) -> Option<&[u8]> {
        match &self.payloads {
            Payloads::Column(column) => column.is_valid(row).then(|| column.value(row)),
            Payloads::Written(Written { data, spans }) => {
                let Span { start, end } = spans[row];
                (start <= end).then(|| &data[start..end])
            }
        }
    }
}

/// Turns header values into Connect values and back.
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

    /// Decodes the header `name` of many records; rows that failed are in the list and their value has no
    /// meaning.
    fn decode_column(
        &mut self,
        topic: &str,
        name: &str,
        payloads: &[Option<&[u8]>],
    ) -> (HeaderValues, Vec<(usize, ConnectError)>) {
        decode_rows(self, topic, name, payloads)
    }

    /// Encodes the header `name` of `rows` records.
    fn encode_column(&mut self, topic: &str, name: &str, values: &HeaderValues, rows: usize) -> Encoded {
        encode_rows(self, topic, name, values, rows)
    }

    /// Encodes a header value; `None` is null.
    fn encode(
        &mut self,
        topic: &str,
        name: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError>;
}

/// Decodes the header `name` of many records one by one.
pub fn decode_rows<C: HeaderConverter + ?Sized>(
    converter: &mut C,
    topic: &str,
    name: &str,
    payloads: &[Option<&[u8]>],
) -> (HeaderValues, Vec<(usize, ConnectError)>) {
    let mut errors = Vec::new();
    let mut decode = |(row, payload): (usize, &Option<&[u8]>)| {
        converter.decode(topic, name, *payload).unwrap_or_else(|err| {
            errors.push((row, err));
            (None, Value::Null)
        })
    };
    let values: MixedHeaders = payloads.iter().enumerate().map(&mut decode).collect();
    (HeaderValues::Mixed(values), errors)
}

/// Encodes the header `name` of `rows` records one by one.
pub fn encode_rows<C: HeaderConverter + ?Sized>(
    converter: &mut C,
    topic: &str,
    name: &str,
    values: &HeaderValues,
    rows: usize,
) -> Encoded {
    let mut encoded = Encoded::with_capacity(rows, 16);
    for row in 0..rows {
        let (schema, value) = values.row(row);
        match converter.encode(topic, name, schema.as_deref(), &value) {
            Ok(None) => encoded.push_null(),
            Ok(Some(bytes)) => encoded.push(|data| {
                data.extend_from_slice(&bytes);
                Ok(())
            }),
            Err(err) => encoded.push(|_| Err(err)),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_keeps_its_own_payload() {
        let mut encoded = Encoded::default();
        let mut expected = Vec::new();
        for row in 0..200_usize {
            match row % 7 {
                2 => encoded.push_null(),
                5 => encoded.push(|data| {
                    data.extend_from_slice(b"half");
                    Err(ConnectError::data("refused"))
                }),
                length => encoded.push(|data| {
                    data.resize(data.len() + length, row as u8);
                    Ok(())
                }),
            }
            expected.push((row % 7 != 2 && row % 7 != 5).then(|| vec![row as u8; row % 7]));
        }
        assert_eq!(encoded.rows(), 200);
        let found: Vec<_> = (0..200).map(|row| encoded.payload(row).map(<[u8]>::to_vec)).collect();
        assert_eq!(found, expected);
        let failed: Vec<usize> = encoded.errors.iter().map(|(row, _)| *row).collect();
        assert_eq!(failed, (0..200).filter(|row| row % 7 == 5).collect::<Vec<_>>());
    }

    #[test]
    fn a_block_may_leave_gaps_and_be_taken_back() {
        let mut encoded = Encoded::default();
        encoded.push(|data| {
            data.extend_from_slice(b"first");
            Ok(())
        });
        let write = |data: &mut Vec<u8>, spans: &mut Vec<Span>| {
            data.extend_from_slice(b"-second--third");
            spans.extend([Span { start: 6, end: 12 }, Span::NULL, Span { start: 14, end: 19 }]);
        };
        assert!(!encoded.push_block(|data, spans| {
            write(data, spans);
            false
        }));
        assert_eq!(encoded.rows(), 1);
        assert!(encoded.push_block(|data, spans| {
            write(data, spans);
            true
        }));
        let found: Vec<_> = (0..encoded.rows()).map(|row| encoded.payload(row)).collect();
        assert_eq!(found, [Some(b"first".as_slice()), Some(b"second"), None, Some(b"third")]);
    }
}
