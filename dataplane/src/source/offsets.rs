//! Offsets of a task on their way to the store: which partitions there are, what is to be written, and what
//! was taken for a write that is not finished.
//!
//! Source: `OffsetStorageWriter`, Kafka 4.1.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::offset_store::OffsetEntry;
use lakeward_api::source::{SourceMap, SourcePosition};
use lakeward_api::value::Value;
use lakeward_dataplane_core::source_offsets::{key_text, value_text};

/// Source partitions by number, and the newest offset of each that is not stored. Memory: one entry per
/// source partition the task ever named.
pub(super) struct Offsets {
    connector: Arc<str>,
    lanes: Vec<SourceMap>,
    by_key: HashMap<String, usize>,
    last: Option<(SourceMap, usize)>,
    unstored: BTreeMap<usize, SourceMap>,
    in_flush: BTreeMap<usize, SourceMap>,
}

impl Offsets {
    pub(super) fn new(connector: Arc<str>) -> Self {
        Self {
            connector,
            lanes: Vec::new(),
            by_key: HashMap::new(),
            last: None,
            unstored: BTreeMap::new(),
            in_flush: BTreeMap::new(),
        }
    }

    /// The number of a record's source partition. Records in a row mostly share it.
    pub(super) fn lane(&mut self, position: &SourcePosition) -> usize {
        let partition = &position.partition;
        if let Some((known, lane)) = &self.last
            && Arc::ptr_eq(known, partition)
        {
            return *lane;
        }
        // What cannot be stored is told apart all the same; the flush says what is wrong with it.
        let key = key_text(&self.connector, partition).unwrap_or_else(|_| format!("{partition:?}"));
        let next = self.lanes.len();
        let lane = *self.by_key.entry(key).or_insert(next);
        if lane == next {
            self.lanes.push(Arc::clone(partition));
        }
        self.last = Some((Arc::clone(partition), lane));
        lane
    }

    /// The offset of a partition moved.
    pub(super) fn advance(&mut self, lane: usize, offset: SourceMap) {
        self.unstored.insert(lane, offset);
    }

    /// Takes what is to be written; `None` when there is nothing.
    ///
    /// # Errors
    /// Class `Record` when an offset or its partition cannot be stored; nothing is taken.
    pub(super) fn begin_flush(&mut self) -> Result<Option<Vec<OffsetEntry>>, ConnectError> {
        assert!(self.in_flush.is_empty(), "one flush at a time");
        if self.unstored.is_empty() {
            return Ok(None);
        }
        let entry = |(lane, offset): (&usize, &Arc<Value>)| {
            let key = key_text(&self.connector, &self.lanes[*lane])?;
            Ok(OffsetEntry { key, value: value_text(offset)? })
        };
        let entries = self.unstored.iter().map(entry).collect::<Result<Vec<_>, ConnectError>>()?;
        self.in_flush = std::mem::take(&mut self.unstored);
        Ok(Some(entries))
    }

    /// What was taken is stored.
    pub(super) fn flushed(&mut self) {
        self.in_flush.clear();
    }

    /// What was taken may not be stored: it is written again unless something newer is known.
    pub(super) fn flush_failed(&mut self) {
        for (lane, offset) in std::mem::take(&mut self.in_flush) {
            self.unstored.entry(lane).or_insert(offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(key: &str, value: i64) -> SourceMap {
        Arc::new(Value::Map(vec![(Value::String(key.into()), Value::Int64(value))]))
    }

    fn position(partition: i64) -> SourcePosition {
        SourcePosition { partition: map("p", partition), offset: map("o", 0) }
    }

    #[test]
    fn partitions_are_told_apart_by_their_text() {
        let mut offsets = Offsets::new("c".into());
        assert_eq!(
            [offsets.lane(&position(1)), offsets.lane(&position(2)), offsets.lane(&position(1))],
            [0, 1, 0]
        );
    }

    #[test]
    fn after_a_failed_flush_newer_offsets_win() {
        let mut offsets = Offsets::new("c".into());
        let (one, two) = (offsets.lane(&position(1)), offsets.lane(&position(2)));
        offsets.advance(one, map("o", 1));
        offsets.advance(two, map("o", 1));
        assert_eq!(offsets.begin_flush().unwrap().unwrap().len(), 2);
        offsets.advance(one, map("o", 2));
        offsets.flush_failed();
        let entries = offsets.begin_flush().unwrap().unwrap();
        let texts: Vec<_> = entries.iter().map(|entry| entry.value.clone().unwrap()).collect();
        assert_eq!(texts, [r#"{"o":2}"#, r#"{"o":1}"#]);
        offsets.flushed();
        assert_eq!(offsets.begin_flush().unwrap(), None);
    }
}
