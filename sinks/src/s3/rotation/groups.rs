//! Parts that share a first offset, and what happens when one of them is full before the others.
//!
//! A group is what an encoded partition holds behind [`GROUP_MARK`]: the records of a key, or, without the
//! mark, all of the topic-partition. Every part of a group may be named after the first record of the group
//! since the last cut, whichever part that went to. A full part gives its group a new first record.
//!
//! Source: `TopicPartitionRecordGrouper` and `TopicPartitionKeyRecordGrouper` of the Aiven sinks.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use lakeward_api::metrics::FileEnd;

use super::{Op, Rotation, Slots};
use crate::s3::task::SEPARATOR;

/// Before the group in an encoded partition.
pub(crate) const GROUP_MARK: char = '\u{1}';

/// How parts belong together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    /// Records after which a part is full.
    pub(crate) records_max: Option<u64>,
    /// Whether all parts of a group are called after the first record of the group.
    pub(crate) shares_head: bool,
    /// What happens when a record comes for a full part, or one of another schema.
    pub(crate) on_full: OnFull,
}

/// What happens when parts of a group are done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFull {
    /// The parts of the group are left as they are until the next cut; new ones begin.
    Detach,
    /// Nothing: a record takes the place of the one before it, whatever its schema.
    Replace,
    /// All parts of the topic-partition close.
    Rotate,
}

/// First offsets by group.
#[derive(Debug, Default)]
pub(super) struct Heads(HashMap<(Box<str>, Box<str>), i64>);

impl Heads {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Rotation {
    /// The offset that a new part of `name` is called after; `offset` is that of its first record.
    pub(super) fn head(&mut self, name: &str, offset: i64) -> i64 {
        if !self.settings.groups.is_some_and(|groups| groups.shares_head) {
            return offset;
        }
        let (topic, group) = group(name);
        match self.heads.0.entry((topic.into(), group.into())) {
            Entry::Occupied(head) => *head.get(),
            Entry::Vacant(head) => {
                head.insert(offset);
                self.founds_group();
                offset
            }
        }
    }

    /// There is no part of `name` any more: a group without parts has no first record.
    pub(super) fn forget_head(&mut self, name: &str) {
        let (topic, own) = group(name);
        if !self.index_by_name.keys().any(|name| group(name) == (topic, own)) {
            self.heads.0.remove(&(topic.into(), own.into()));
        }
    }

    /// Whether the part at `index` takes no further record.
    pub(super) fn is_full(&self, index: usize) -> bool {
        self.part_limit().is_some_and(|max| self.open[index].records >= max)
    }

    /// How many records may be added to the part at `index`, which is not full, before anything is asked.
    pub(super) fn room(&self, index: usize) -> usize {
        let until_cut = match self.is_repeating {
            true => u64::MAX,
            false => self.settings.flush_records - self.record_count,
        };
        let until_full = self.part_limit().map_or(u64::MAX, |max| max - self.open[index].records);
        usize::try_from(until_cut.min(until_full)).unwrap_or(usize::MAX)
    }

    pub(super) fn replaces(&self) -> bool {
        self.settings.groups.is_some_and(|groups| groups.on_full == OnFull::Replace)
    }

    pub(super) fn detaches(&self) -> bool {
        self.settings.groups.is_some_and(|groups| groups.on_full == OnFull::Detach)
    }

    /// Lets the parts of the group of `name` rest: the next record of the group opens a new one. There is no
    /// part for `name` then.
    pub(super) fn detach(
        &mut self,
        name: &Arc<str>,
        end: FileEnd,
        slots: &mut Slots,
        out: &mut Vec<Op>,
    ) -> Option<usize> {
        let (topic, own) = group(name);
        let mut parts = Vec::new();
        self.index_by_name.retain(|name, index| {
            let rests = group(name) == (topic, own);
            if rests {
                parts.push(self.open[*index].id);
            }
            !rests
        });
        parts.sort_unstable();
        out.push(Op::Rest { parts, end });
        self.heads.0.remove(&(topic.into(), own.into()));
        slots.fill(None);
        None
    }

    /// Records after which a part is full. Whole cuts are told while they are repeated; what rests until a
    /// cut follows from the records.
    fn part_limit(&self) -> Option<u64> {
        let counts = |groups: &Groups| groups.on_full == OnFull::Detach || !self.is_repeating;
        self.settings.groups.filter(counts).and_then(|groups| groups.records_max)
    }
}

/// The routed topic, if any, and the group of an encoded partition.
fn group(name: &str) -> (&str, &str) {
    let (topic, name) = name.split_once(SEPARATOR).unwrap_or(("", name));
    (topic, name.split_once(GROUP_MARK).map_or("", |(_, group)| group))
}
