//! Rotation: which rows go to which part, and when all parts of a topic-partition are closed together (a
//! cut).
//!
//! A state machine without IO or clock, one per topic-partition. It consumes batches column-wise and answers
//! with operations; it never sees values. Source: `TopicPartitionWriter`, Confluent S3 sink:
//! `checkRotationOrAppend`, `rotateOnTime`, `commitFiles`.

mod groups;
mod record_time;
mod refusals;
mod schedule;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::metrics::FileEnd;
use lakeward_api::schema::Schema;

use super::compatibility::{Compatibility, Verdict};
use super::partitioner::{Encoded, Ids, Times};

pub(crate) use groups::{GROUP_MARK, Groups, OnFull};
use record_time::time;
pub(crate) use refusals::Refusals;
pub(crate) use schedule::Schedule;

/// When parts are closed.
#[derive(Clone, Debug)]
pub(crate) struct RotationSettings {
    /// Records over all open parts after which they close; at least 1.
    pub(crate) flush_records: u64,
    /// Record-time span; only for time-based partitioners.
    pub(crate) interval: Option<Interval>,
    /// Wall-clock rotation.
    pub(crate) schedule: Option<Schedule>,
    /// How parts belong together, where a part may be full before the others are.
    pub(crate) groups: Option<Groups>,
    /// Most parts open at once.
    pub(crate) open_parts_max: Option<usize>,
    /// Which schemas an open part takes.
    pub(crate) compatibility: Compatibility,
    /// Where null values go when they are written: to go there and back is no change of the partition.
    pub(crate) tombstone_partition: Option<Arc<str>>,
}

/// Rotation by record time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    /// Close when a record is this much later than the first one; above 0.
    pub(crate) interval_ms: i64,
    /// What a record of another encoded partition does.
    pub(crate) on_partition_change: PartitionChange,
}

/// What a change of the encoded partition does under `rotate.interval.ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartitionChange {
    /// Parts stay open.
    Keep,
    /// All parts close.
    Rotate,
}

/// Identifies a part within its topic-partition; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PartId(pub(crate) u64);

/// What the task must do, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Begin a part.
    Open {
        /// Its id.
        part: PartId,
        /// Its encoded partition.
        encoded_partition: Arc<str>,
        /// Offset of its first record.
        start_offset: i64,
    },
    /// Leave rows of the batch out: their schema cannot be judged (see [`Compatibility::refusal`]).
    Refuse {
        /// Which rows of the batch.
        rows: Rows,
    },
    /// Leave these parts as they are until the next cut: they get no further rows.
    Rest {
        /// Which parts.
        parts: Vec<PartId>,
        /// What ended them.
        end: FileEnd,
    },
    /// Complete every open part; once all are stored, everything below `next_offset` is durable.
    Rotate {
        /// Last written offset + 1.
        next_offset: i64,
        /// What ended those that did not rest.
        end: FileEnd,
    },
    /// Append rows of the batch to a part.
    Write {
        /// Which part.
        part: PartId,
        /// Which rows of the batch.
        rows: Rows,
    },
}

/// Rows of a batch, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// These rows.
    Indices(Vec<u32>),
    /// Rows `start .. start + rows`.
    Range {
        /// First row.
        start: usize,
        /// How many.
        rows: usize,
    },
}

impl Rows {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Indices(rows) => rows.len(),
            Self::Range { rows, .. } => *rows,
        }
    }
}

/// The columns of a batch that rotation looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchView<'a> {
    /// Offset per row.
    pub(crate) offsets: &'a [i64],
    /// Encoded partition and time per row.
    pub(crate) encoded: &'a Encoded,
    /// The schema all rows share; `None` when schemaless.
    pub(crate) schema: Option<&'a Arc<Schema>>,
    /// Whether the files may refuse rows, which [`Rotation::settle`] is told then.
    pub(crate) may_refuse: bool,
}

/// The state of one topic-partition.
#[derive(Debug)]
pub(crate) struct Rotation {
    settings: Arc<RotationSettings>,
    open: Vec<OpenPart>,
    /// Open parts that got rows of the current batch: most of many did not.
    touched: Vec<usize>,
    index_by_name: HashMap<Arc<str>, usize>,
    record_count: u64,
    base_time_ms: Option<i64>,
    last_name: Option<Arc<str>>,
    last_offset: i64,
    next_schedule_ms: Option<i64>,
    next_part: u64,
    /// Where to cut was decided before: nothing here says so.
    is_repeating: bool,
    heads: groups::Heads,
    open_end: refusals::OpenEnd,
}

#[derive(Debug)]
struct OpenPart {
    id: PartId,
    records: u64,
    schema: Option<Arc<Schema>>,
    /// Rows of the current batch that are not emitted yet, ascending.
    rows: Vec<u32>,
    /// How many there were in the batch before: most likely as many come again.
    rows_before: usize,
}

/// Open parts by id of the current batch; `None` until looked up, and again after a rotation.
type Slots = Vec<Option<usize>>;

/// Where a record goes.
enum Place {
    /// Nowhere.
    Nowhere,
    /// To the open part at this index.
    Part(usize),
    /// A rotation came first: the record is not consumed.
    Rotated,
    /// It is not known yet: that depends on rows which may still be refused.
    Unsettled,
}

impl Rotation {
    /// A topic-partition without open parts.
    pub(crate) fn new(settings: Arc<RotationSettings>) -> Self {
        assert!(settings.flush_records > 0, "flush.size below 1 means 1");
        Self {
            settings,
            open: Vec::new(),
            touched: Vec::new(),
            index_by_name: HashMap::new(),
            record_count: 0,
            base_time_ms: None,
            last_name: None,
            last_offset: -1,
            next_schedule_ms: None,
            next_part: 0,
            is_repeating: false,
            heads: groups::Heads::default(),
            open_end: refusals::OpenEnd::default(),
        }
    }

    /// From now on cuts are made by [`Rotation::reset`] alone, or no longer.
    pub(crate) fn repeat(&mut self, is_repeating: bool) {
        self.is_repeating = is_repeating;
    }

    /// True when no part is open: everything taken so far was rotated.
    pub(crate) fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    /// Consumes the rows of a batch from `first` on, and answers behind which it stopped. `now_ms` is the
    /// wall clock. When files may refuse rows, [`Rotation::settle`] follows; otherwise all are consumed.
    pub(crate) fn put(
        &mut self,
        batch: BatchView<'_>,
        first: usize,
        now_ms: i64,
        out: &mut Vec<Op>,
    ) -> usize {
        // The clock stands still within a batch, so the schedule can only strike before its first row.
        self.tick(now_ms, out);
        self.begin_stretch(batch, first);
        let mut slots: Slots = vec![None; batch.encoded.names.len()];
        let end = match (&batch.encoded.ids, &batch.encoded.times, &self.settings.interval) {
            (Ids::Uniform, Times::None | Times::Uniform(_), _) | (Ids::Uniform, _, None) => {
                self.put_runs(batch, first, &mut slots, out)
            }
            _ => self.put_rows(batch, first, &mut slots, out),
        };
        self.emit_rows(out);
        end
    }

    /// Ends the open parts between two batches, for whoever cuts them himself.
    pub(crate) fn reset(&mut self) {
        assert!(self.open.iter().all(|part| part.rows.is_empty()), "a batch was emitted as a whole");
        self.open.clear();
        self.index_by_name.clear();
        self.heads.clear();
        self.record_count = 0;
        self.base_time_ms = None;
    }

    /// Cuts between two batches, when anything is open.
    pub(crate) fn cut_now(&mut self, end: FileEnd, out: &mut Vec<Op>) {
        if self.record_count > 0 {
            self.rotate(end, &mut Slots::new(), out);
        }
    }

    /// Lets scheduled rotation strike without records.
    pub(crate) fn tick(&mut self, now_ms: i64, out: &mut Vec<Op>) {
        if self.is_repeating {
            return;
        }
        let Some(schedule) = self.settings.schedule else { return };
        match self.next_schedule_ms {
            Some(next) if now_ms < next => return,
            Some(_) if self.record_count > 0 => self.rotate(FileEnd::Schedule, &mut Slots::new(), out),
            Some(_) | None => {}
        }
        self.next_schedule_ms = Some(schedule.next_after(now_ms));
    }

    /// All rows share one encoded partition, and time cannot change within the batch: whole runs at a time.
    fn put_runs(
        &mut self,
        batch: BatchView<'_>,
        first: usize,
        slots: &mut Slots,
        out: &mut Vec<Op>,
    ) -> usize {
        let rows = batch.offsets.len();
        let mut row = first;
        while row < rows {
            let index = match self.part_for(batch, row, 0, slots, out) {
                Place::Part(index) => index,
                Place::Rotated => continue,
                Place::Unsettled => return row,
                // What holds for one row holds for all that are left.
                Place::Nowhere => {
                    out.push(Op::Refuse { rows: Rows::Range { start: row, rows: rows - row } });
                    return rows;
                }
            };
            let run = if self.is_founding() || self.is_nascent(index) {
                1
            } else {
                self.room(index).min(rows - row)
            };
            out.push(Op::Write { part: self.open[index].id, rows: Rows::Range { start: row, rows: run } });
            row += run;
            self.last_name = Some(Arc::clone(&batch.encoded.names[0]));
            self.written(index, run as u64, batch.offsets[row - 1], slots, out);
            if self.must_settle() {
                break;
            }
        }
        row
    }

    /// The general case: row by row, gathered per part.
    fn put_rows(
        &mut self,
        batch: BatchView<'_>,
        first: usize,
        slots: &mut Slots,
        out: &mut Vec<Op>,
    ) -> usize {
        let mut last_id = None;
        let mut refused = Vec::new();
        let mut row = first;
        while row < batch.offsets.len() {
            let id = match &batch.encoded.ids {
                Ids::PerRow(ids) => ids[row],
                Ids::Uniform => 0,
            };
            let number = u32::try_from(row).expect("a batch has fewer rows than u32::MAX");
            let index = match self.part_for(batch, row, id, slots, out) {
                Place::Part(index) => index,
                Place::Rotated => continue,
                Place::Unsettled => break,
                Place::Nowhere => {
                    refused.push(number);
                    row += 1;
                    continue;
                }
            };
            let open = &mut self.open[index];
            if open.rows.is_empty() {
                self.touched.push(index);
                open.rows.reserve(open.rows_before);
            }
            open.rows.push(number);
            // Only rotation by record time asks for it.
            if last_id != Some(id) && self.settings.interval.is_some() {
                self.last_name = Some(Arc::clone(&batch.encoded.names[id as usize]));
                last_id = Some(id);
            }
            self.written(index, 1, batch.offsets[row], slots, out);
            row += 1;
            if self.must_settle() {
                break;
            }
        }
        if !refused.is_empty() {
            out.push(Op::Refuse { rows: Rows::Indices(refused) });
        }
        row
    }

    /// The open part for `row`, opening it if needed.
    fn part_for(
        &mut self,
        batch: BatchView<'_>,
        row: usize,
        id: u32,
        slots: &mut Slots,
        out: &mut Vec<Op>,
    ) -> Place {
        let name = &batch.encoded.names[id as usize];
        if let Some(end) = self.time_rotates(name, time(batch.encoded, row)) {
            return self.rotates(end, slots, out);
        }
        if self.follows_unsettled(name) {
            return Place::Unsettled;
        }
        if let Some(index) = slots[id as usize].filter(|index| !self.is_full(*index)) {
            return if self.is_nascent(index) { Place::Unsettled } else { Place::Part(index) };
        }
        let known = self.index_by_name.get(name).copied();
        let known = match known.filter(|index| self.is_full(*index)) {
            None => known,
            Some(_) if self.is_unsettled() => return Place::Unsettled,
            Some(_) if self.detaches() => self.detach(name, FileEnd::Records, slots, out),
            Some(_) => return self.rotates(FileEnd::Records, slots, out),
        };
        let verdict = match known {
            Some(_) if self.replaces() => Verdict::Fits,
            Some(index) => {
                self.settings.compatibility.verdict(batch.schema, self.open[index].schema.as_ref())
            }
            None if !self.is_repeating
                && self.settings.open_parts_max.is_some_and(|max| self.open.len() >= max) =>
            {
                return self.rotates(FileEnd::OpenFiles, slots, out);
            }
            None => Verdict::Fits,
        };
        match verdict {
            Verdict::Fits => {}
            Verdict::Refused => return Place::Nowhere,
            Verdict::Rotates if self.is_unsettled() => return Place::Unsettled,
            Verdict::Rotates if self.detaches() => {
                self.detach(name, FileEnd::SchemaChange, slots, out);
                return Place::Rotated;
            }
            Verdict::Rotates => return self.rotates(FileEnd::SchemaChange, slots, out),
        }
        if let Some(index) = known {
            let schema = self.open[index].schema.as_ref();
            if let Some(grown) = self.settings.compatibility.grown(batch.schema, schema) {
                self.open[index].schema = Some(grown);
            }
        }
        let index = known.unwrap_or_else(|| self.open_part(batch, row, name, out));
        slots[id as usize] = Some(index);
        Place::Part(index)
    }

    fn open_part(&mut self, batch: BatchView<'_>, row: usize, name: &Arc<str>, out: &mut Vec<Op>) -> usize {
        let index = self.open.len();
        let id = PartId(self.next_part);
        self.next_part += 1;
        self.open.push(OpenPart {
            id,
            records: 0,
            schema: batch.schema.map(Arc::clone),
            rows: Vec::new(),
            rows_before: 0,
        });
        self.index_by_name.insert(Arc::clone(name), index);
        out.push(Op::Open {
            part: id,
            encoded_partition: Arc::clone(name),
            start_offset: self.head(name, batch.offsets[row]),
        });
        index
    }

    fn written(&mut self, index: usize, rows: u64, last_offset: i64, slots: &mut Slots, out: &mut Vec<Op>) {
        assert!(last_offset > self.last_offset, "offsets of a topic-partition ascend");
        self.last_offset = last_offset;
        self.record_count += rows;
        self.open[index].records += rows;
        if self.wrote_unsettled() {
            return;
        }
        if self.has_enough() {
            self.rotate(FileEnd::Records, slots, out);
        }
    }

    fn has_enough(&self) -> bool {
        self.record_count >= self.settings.flush_records && !self.is_repeating
    }

    /// Closes every part, in the order in which they were opened.
    fn rotate(&mut self, end: FileEnd, slots: &mut Slots, out: &mut Vec<Op>) {
        assert!(self.record_count > 0, "a rotation without records would repeat a cut");
        self.emit_rows(out);
        out.push(Op::Rotate { next_offset: self.last_offset + 1, end });
        self.reset();
        slots.fill(None);
    }

    /// Turns gathered rows into operations.
    fn emit_rows(&mut self, out: &mut Vec<Op>) {
        self.touched.sort_unstable();
        for index in self.touched.drain(..) {
            let part = &mut self.open[index];
            let (Some(first), Some(last)) = (part.rows.first(), part.rows.last()) else { continue };
            part.rows_before = part.rows.len() + part.rows.len() / 8;
            let (first, span) = (*first as usize, (*last - *first) as usize + 1);
            let rows = if span == part.rows.len() {
                part.rows.clear();
                Rows::Range { start: first, rows: span }
            } else {
                Rows::Indices(std::mem::take(&mut part.rows))
            };
            out.push(Op::Write { part: part.id, rows });
        }
    }
}
