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

/// Source partitions by number, and the newest offset of each that is not stored.
///
/// Memory: one entry per source partition that has records on their way or an offset to be stored; the
/// numbers of the others are used again. [`Offsets::is_full`] says when no further ones should be added.
pub(super) struct Offsets {
    connector: Arc<str>,
    /// By lane; `None` is free.
    lanes: Vec<Option<SourceMap>>,
    free: Vec<usize>,
    by_key: HashMap<Box<str>, usize>,
    last: Option<(SourceMap, usize)>,
    unstored: BTreeMap<usize, SourceMap>,
    in_flush: BTreeMap<usize, SourceMap>,
}

/// From so many offsets on they are stored before their time.
const UNSTORED_MANY: usize = 50_000;
/// With so many source partitions on their way, nothing is polled until some are stored.
const LANES_MAX: usize = 250_000;

impl Offsets {
    pub(super) fn new(connector: Arc<str>) -> Self {
        Self {
            connector,
            lanes: Vec::new(),
            free: Vec::new(),
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
        let key = self.key(partition);
        let lane = match self.by_key.get(&key) {
            Some(lane) => *lane,
            None => {
                let lane = self.free.pop().unwrap_or(self.lanes.len());
                if lane == self.lanes.len() {
                    self.lanes.push(None);
                }
                self.lanes[lane] = Some(Arc::clone(partition));
                self.by_key.insert(key, lane);
                lane
            }
        };
        self.last = Some((Arc::clone(partition), lane));
        lane
    }

    fn key(&self, partition: &Value) -> Box<str> {
        // What cannot be stored is told apart all the same; the flush says what is wrong with it.
        let key = key_text(&self.connector, partition).unwrap_or_else(|_| format!("{partition:?}"));
        key.into()
    }

    /// True when there are so many offsets to store that they should not wait for their time.
    pub(super) fn are_many(&self) -> bool {
        self.unstored.len() >= UNSTORED_MANY
    }

    /// True when records of further source partitions have to wait until offsets are stored.
    pub(super) fn is_full(&self) -> bool {
        self.by_key.len() >= LANES_MAX
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
            let partition = self.lanes[*lane].as_ref().expect("a lane with an offset is in use");
            let key = key_text(&self.connector, partition)?;
            Ok(OffsetEntry { key, value: value_text(offset)? })
        };
        let entries = self.unstored.iter().map(entry).collect::<Result<Vec<_>, ConnectError>>()?;
        self.in_flush = std::mem::take(&mut self.unstored);
        Ok(Some(entries))
    }

    /// What was taken is stored. Lanes without a newer offset that are `idle`, without records on their way,
    /// are free.
    pub(super) fn flushed(&mut self, mut is_idle: impl FnMut(usize) -> bool) {
        for (lane, _) in std::mem::take(&mut self.in_flush) {
            if self.unstored.contains_key(&lane) || !is_idle(lane) {
                continue;
            }
            if let Some(partition) = self.lanes[lane].take() {
                let key = self.key(&partition);
                self.by_key.remove(&key);
                self.free.push(lane);
            }
            self.last.take_if(|(_, last)| *last == lane);
        }
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
        offsets.flushed(|_| true);
        assert_eq!(offsets.begin_flush().unwrap(), None);
    }

    #[test]
    fn lanes_are_used_again_when_their_offsets_are_stored() {
        let mut offsets = Offsets::new("c".into());
        for partition in 0..100_000 {
            let position = position(partition);
            let lane = offsets.lane(&position);
            offsets.advance(lane, map("o", partition));
            if partition % 10 == 9 {
                assert_eq!(offsets.begin_flush().unwrap().unwrap().len(), 10);
                offsets.flushed(|_| true);
            }
        }
        assert_eq!((offsets.lanes.len(), offsets.by_key.len(), offsets.free.len()), (10, 0, 10));
        assert!(offsets.last.is_none());
    }

    #[test]
    fn a_lane_with_records_on_their_way_or_a_newer_offset_stays() {
        let mut offsets = Offsets::new("c".into());
        let lanes: Vec<usize> = (0..3).map(|partition| offsets.lane(&position(partition))).collect();
        lanes.iter().for_each(|lane| offsets.advance(*lane, map("o", 1)));
        offsets.begin_flush().unwrap();
        offsets.advance(lanes[1], map("o", 2));
        offsets.flushed(|lane| lane != lanes[2]);
        assert_eq!(offsets.free, [lanes[0]]);
        assert_eq!([offsets.lane(&position(1)), offsets.lane(&position(2))], [lanes[1], lanes[2]]);
        assert_eq!(offsets.lane(&position(7)), lanes[0], "a free number stands for another partition");
        offsets.advance(lanes[0], map("o", 9));
        let entries = offsets.begin_flush().unwrap().unwrap();
        let texts: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(texts, [r#"["c",{"p":7}]"#, r#"["c",{"p":1}]"#]);
    }
}
