//! Rows that their files refuse: they have no part in where parts begin and end.
//!
//! Rotation says where rows go before anybody knows whether their files take them. Nothing that follows from
//! rows is decided while these may still be refused: [`Rotation::put`] stops there, the files take the rows,
//! and [`Rotation::settle`] takes back what they refused. So the cuts and names are those of the records that
//! are stored, however the records were batched.
//!
//! Source: `TopicPartitionWriter#writeRecord`. In Java `rotate.interval.ms` counts from the time of a refused
//! record, too; here the position behind it may be committed, and whoever goes on from there must cut alike.

use std::collections::BTreeSet;
use std::sync::Arc;

use lakeward_api::metrics::FileEnd;

use super::{BatchView, Ids, Op, PartId, Place, Rotation, Slots, time};

/// Rows of a stretch that went to no file.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    rows: BTreeSet<u32>,
    /// By part, how many of them rotation counted.
    counted: Vec<(PartId, u64)>,
}

impl Refusals {
    /// Rows that were meant for `part`.
    pub(crate) fn add(&mut self, part: PartId, rows: Vec<u32>) {
        if !rows.is_empty() {
            self.counted.push((part, rows.len() as u64));
            self.rows.extend(rows);
        }
    }

    /// Rows that rotation itself left out.
    pub(crate) fn add_uncounted(&mut self, rows: Vec<u32>) {
        self.rows.extend(rows);
    }
}

/// The rows of a batch that were put last, while they are not settled.
#[derive(Debug)]
pub(super) struct OpenEnd {
    may_refuse: bool,
    first: usize,
    /// Some of them go to files.
    is_written: bool,
    /// The row at hand is the first of something: what rows behind it do follows from it.
    is_founding: bool,
    /// The base time is that of one of them.
    has_base: bool,
    /// The encoded partition before them.
    last_name: Option<Arc<str>>,
    /// The first part that they opened, if any; none when they may not be refused.
    first_part: PartId,
}

impl Default for OpenEnd {
    fn default() -> Self {
        Self {
            may_refuse: false,
            first: 0,
            is_written: false,
            is_founding: false,
            has_base: false,
            last_name: None,
            first_part: PartId(u64::MAX),
        }
    }
}

impl Rotation {
    pub(super) fn begin_stretch(&mut self, batch: BatchView<'_>, first: usize) {
        self.open_end = OpenEnd { may_refuse: batch.may_refuse, first, ..OpenEnd::default() };
        if batch.may_refuse {
            self.open_end.last_name.clone_from(&self.last_name);
            self.open_end.first_part = PartId(self.next_part);
        }
    }

    /// Begins the time from which the interval counts.
    pub(super) fn found(&mut self, time_ms: i64) -> i64 {
        self.base_time_ms = Some(time_ms);
        self.open_end.has_base = true;
        self.open_end.is_founding = true;
        time_ms
    }

    /// The row at hand begins a group.
    pub(super) fn founds_group(&mut self) {
        self.open_end.is_founding = true;
    }

    /// Whether rows behind the one at hand follow from whether that is refused.
    pub(super) fn is_founding(&self) -> bool {
        self.open_end.may_refuse && self.open_end.is_founding
    }

    /// Whether the part at `index` may turn out to begin with its next row: it is called after the first one.
    pub(super) fn is_nascent(&self, index: usize) -> bool {
        self.open[index].id >= self.open_end.first_part
    }

    /// Whether rows go to files that may refuse them.
    pub(super) fn is_unsettled(&self) -> bool {
        self.open_end.is_written
    }

    /// Notes that rows go to files; true when these may refuse them.
    pub(super) fn wrote_unsettled(&mut self) -> bool {
        self.open_end.is_written = self.open_end.may_refuse;
        self.open_end.is_written
    }

    /// Whether nothing can be said about the next row before these are settled.
    pub(super) fn must_settle(&self) -> bool {
        self.is_unsettled() && (self.is_founding() || self.has_enough())
    }

    /// Whether the last encoded partition, which is another one than `name`, may be that of a refused row.
    pub(super) fn follows_unsettled(&self, name: &Arc<str>) -> bool {
        self.is_unsettled() && self.changes_partition(name)
    }

    /// Closes every part, unless that follows from rows which may be refused.
    pub(super) fn rotates(&mut self, end: FileEnd, slots: &mut Slots, out: &mut Vec<Op>) -> Place {
        if self.is_unsettled() {
            return Place::Unsettled;
        }
        self.rotate(end, slots, out);
        Place::Rotated
    }

    /// Takes back the rows that were refused of those that were put last, which end before row `end` of
    /// `batch`. Answers the parts that are left without rows; there are none of them here any more.
    pub(crate) fn settle(
        &mut self,
        batch: BatchView<'_>,
        end: usize,
        refusals: &Refusals,
        out: &mut Vec<Op>,
    ) -> Vec<PartId> {
        let OpenEnd { first, has_base, last_name, .. } = std::mem::take(&mut self.open_end);
        let kept = |row: &usize| !u32::try_from(*row).is_ok_and(|row| refusals.rows.contains(&row));
        if has_base {
            self.base_time_ms = (first..end).filter(kept).find_map(|row| time(batch.encoded, row));
        }
        if !refusals.rows.is_empty() {
            let name = |row: usize| match &batch.encoded.ids {
                Ids::PerRow(ids) => Arc::clone(&batch.encoded.names[ids[row] as usize]),
                Ids::Uniform => Arc::clone(&batch.encoded.names[0]),
            };
            self.last_name = (first..end).rev().find(kept).map(name).or(last_name);
        }
        for (part, rows) in &refusals.counted {
            self.record_count -= rows;
            let part = self.open.iter_mut().find(|open| open.id == *part);
            part.expect("it is open until the rows are settled").records -= rows;
        }
        let emptied = if refusals.counted.is_empty() { Vec::new() } else { self.drop_empty() };
        if self.has_enough() {
            self.rotate(FileEnd::Records, &mut Slots::new(), out);
        }
        emptied
    }

    /// Parts without rows are as if they had never been.
    fn drop_empty(&mut self) -> Vec<PartId> {
        let mut emptied = Vec::new();
        let mut places = Vec::with_capacity(self.open.len());
        let mut kept = 0;
        for part in &self.open {
            places.push((part.records > 0).then_some(kept));
            match part.records {
                0 => emptied.push(part.id),
                _ => kept += 1,
            }
        }
        if emptied.is_empty() {
            return emptied;
        }
        self.open.retain(|part| part.records > 0);
        let mut names = Vec::new();
        self.index_by_name.retain(|name, index| {
            let place = places[*index];
            match place {
                Some(place) => *index = place,
                None => names.push(Arc::clone(name)),
            }
            place.is_some()
        });
        names.iter().for_each(|name| self.forget_head(name));
        emptied
    }
}
