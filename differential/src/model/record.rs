//! Records and headers.

use std::sync::Arc;

use super::schema::Schema;
use super::value::Value;

/// A schema (or none) and a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// `None` when schemaless.
    pub schema: Option<Arc<Schema>>,
    /// The value.
    pub value: Value,
}

impl Typed {
    /// No schema, no value.
    pub fn null() -> Self {
        Self { schema: None, value: Value::Null }
    }
}

/// A header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Typed,
}

/// Which kind of connector a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `SinkRecord`.
    Sink,
    /// `SourceRecord`.
    Source,
}

/// Where a record's timestamp is from, in the order of Java's `TimestampType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// `NO_TIMESTAMP_TYPE`.
    None,
    /// `CREATE_TIME`.
    Create,
    /// `LOG_APPEND_TIME`.
    LogAppend,
}

/// A record of either side.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Kind of record.
    pub side: Side,
    /// Topic.
    pub topic: Option<String>,
    /// Partition.
    pub partition: Option<i32>,
    /// Key.
    pub key: Typed,
    /// Value.
    pub value: Typed,
    /// Timestamp in ms since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Where the timestamp is from; [`TimestampType::None`] for source records.
    pub timestamp_type: TimestampType,
    /// Kafka offset of a sink record, position in the source of a source record: unique within a case.
    pub offset: i64,
    /// Headers in order.
    pub headers: Vec<Header>,
}
