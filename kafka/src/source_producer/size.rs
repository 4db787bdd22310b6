//! How large a record is to Java's producer, which refuses some before they are sent.
//!
//! Source: `DefaultRecordBatch#estimateBatchSizeUpperBound`, `DefaultRecord#recordSizeUpperBound`,
//! `KafkaProducer#ensureValidRecordSize`, Kafka 4.1.

use lakeward_api::{ConnectError, ErrorClass};

use super::OutgoingRecord;

/// Java's default of `max.request.size`, in bytes.
const REQUEST_BYTES_MAX: i64 = 1_048_576;
/// Java's default of `buffer.memory`, in bytes.
const BUFFER_BYTES: i64 = 33_554_432;
/// Of a batch and of a record without its content.
const OVERHEAD_BYTES: usize = 61 + 21;

/// The limits of a producer, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    request: usize,
    buffer: usize,
}

impl Limits {
    /// `max.request.size` and `buffer.memory` as they are set.
    pub(super) fn new(request: Option<i64>, buffer: Option<i64>) -> Self {
        let bytes = |number: i64| usize::try_from(number).unwrap_or(0);
        Self {
            request: bytes(request.unwrap_or(REQUEST_BYTES_MAX)),
            buffer: bytes(buffer.unwrap_or(BUFFER_BYTES)),
        }
    }

    /// `buffer.memory`, in bytes.
    pub(super) fn buffer(self) -> usize {
        self.buffer
    }

    /// # Errors
    /// `Record`: the record is too large, in Java's words.
    pub(super) fn check(self, record: &OutgoingRecord<'_>) -> Result<(), ConnectError> {
        let bytes = upper_bound(record);
        let problem = if bytes > self.request {
            format!("{}, which is the value of the max.request.size configuration.", self.request)
        } else if bytes > self.buffer {
            "the total memory buffer you have configured with the buffer.memory configuration.".to_owned()
        } else {
            return Ok(());
        };
        Err(ConnectError::new(
            ErrorClass::Record,
            "org.apache.kafka.common.errors.RecordTooLargeException",
            format!("The message is {bytes} bytes when serialized which is larger than {problem}"),
        ))
    }
}

fn upper_bound(record: &OutgoingRecord<'_>) -> usize {
    let part = |bytes: Option<usize>| bytes.map_or(1, |bytes| varint(bytes) + bytes);
    let headers = record.headers.iter();
    let headers: usize =
        headers.map(|(name, value)| varint(name.len()) + name.len() + part(value.map(<[u8]>::len))).sum();
    OVERHEAD_BYTES
        + part(record.key.map(<[u8]>::len))
        + part(record.value.map(<[u8]>::len))
        + varint(record.headers.len())
        + headers
}

/// Bytes of a number that is not negative as a zigzag varint.
fn varint(number: usize) -> usize {
    let bits = usize::BITS - number.leading_zeros() + 1;
    (bits as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(value: &'a [u8], headers: &'a [(&'a str, Option<&'a [u8]>)]) -> OutgoingRecord<'a> {
        OutgoingRecord {
            topic: "t",
            partition: None,
            timestamp_ms: None,
            key: None,
            value: Some(value),
            headers,
        }
    }

    /// Sizes and texts of Kafka 4.1.
    #[test]
    fn sizes_are_javas() {
        assert_eq!(upper_bound(&record(b"l1", &[])), 87);
        assert_eq!(upper_bound(&record(&[0; 63], &[])), 61 + 21 + 1 + 1 + 63 + 1);
        assert_eq!(upper_bound(&record(&[0; 64], &[])), 61 + 21 + 1 + 2 + 64 + 1);
        let headers: [(&str, Option<&[u8]>); 2] = [("a", None), ("bc", Some(b"xyz"))];
        assert_eq!(upper_bound(&record(b"", &headers)), 61 + 21 + 1 + 1 + 1 + (1 + 1 + 1) + (1 + 2 + 1 + 3));
        let text = |limits: Limits| limits.check(&record(b"l1", &[])).unwrap_err().to_string();
        assert_eq!(
            text(Limits::new(Some(64), None)),
            "The message is 87 bytes when serialized which is larger than 64, which is the value of the \
             max.request.size configuration."
        );
        assert_eq!(
            text(Limits::new(None, Some(60))),
            "The message is 87 bytes when serialized which is larger than the total memory buffer you have \
             configured with the buffer.memory configuration."
        );
        assert!(Limits::new(Some(87), Some(87)).check(&record(b"l1", &[])).is_ok());
    }
}
