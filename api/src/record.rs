//! Records as they come from Kafka, before conversion, and the coordinates they are addressed by.

use std::fmt;
use std::sync::Arc;

/// One partition of one topic. Cheap to clone: the name is shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Names partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A position in one topic-partition: the offset of the next record (so "all below it").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Where.
    pub partition: TopicPartition,
    /// The offset of the next record.
    pub next_offset: i64,
}

/// A position of a group, and the text that is committed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedPosition {
    /// The position.
    pub position: Position,
    /// The text; empty is none.
    pub metadata: String,
}

/// One header as the broker stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawHeader<'a> {
    /// Name: UTF-8 by convention, not checked.
    pub name: &'a [u8],
    /// Value bytes; `None` is null.
    pub value: Option<&'a [u8]>,
}

/// One record as the broker stores it. The bytes are borrowed from the fetch they came in.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Offset within the topic-partition.
    pub offset: i64,
    /// Record timestamp in ms since the epoch; `None` when the record has none.
    pub timestamp_ms: Option<i64>,
    /// Key bytes; `None` is Kafka's null.
    pub key: Option<&'a [u8]>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}
