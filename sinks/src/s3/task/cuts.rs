//! Cuts: files of a topic-partition that end together, and when they may be completed.
//!
//! Where the clock has a part in it, a cut is decided first: its files are finished and held, its decision
//! goes to the group's coordinator ([`SinkTask::take_decisions`](lakeward_api::sink::SinkTask)), and only the
//! acknowledgement completes the files. An owner that begins with decided cuts repeats them: it cuts where
//! they say and nowhere else, with their clock. Everything else is a function of the records, and is
//! completed at once.
//!
//! # Memory
//! Held files are counted by `buffered_bytes`; a task that holds many, or many bytes, in memory or on disk,
//! has no room.

use std::collections::VecDeque;
use std::ops::{AddAssign, SubAssign};

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::cuts::{ClockBase, Cut, Decision};
use lakeward_api::metrics::FileEnd;
use lakeward_api::record::TopicPartition;
use lakeward_api::sink::Now;

use super::finishing::Ending;
use super::flight::AssignmentId;
use super::open_part::OpenPart;
use super::{S3SinkTask, Writer};
use crate::s3::ledger::CutId;

/// More are not held: small files would fill the memory before they fill the budget of bytes.
const HELD_CUTS_MAX: usize = 1024;

/// More parts do not wait for their upload.
const FINISHING_MAX: usize = 16 * 1024;

/// More changes of the clock's directory end a cut early, so that its decision fits into metadata.
const CLOCK_BASES_MAX: usize = 32;

/// The cuts of one topic-partition.
#[derive(Default)]
pub(super) struct Cuts {
    /// To be repeated, in order; acknowledged before this assignment.
    repeats: VecDeque<Cut>,
    /// Ended files whose decision is not acknowledged, or that wait for those before them.
    held: VecDeque<HeldCut>,
    /// Decisions up to here were acknowledged.
    acknowledged: Option<i64>,
    clock: Clock,
    /// Repeats were given up; nobody was told yet.
    has_given_up: bool,
}

/// The clock's part in names.
#[derive(Default)]
pub(super) struct Clock {
    /// Since the last cut.
    bases: Vec<ClockBase>,
    /// The directory of the last one.
    name: Option<std::sync::Arc<str>>,
}

/// Ended files of one cut.
struct HeldCut {
    end: i64,
    cut: CutId,
    parts: Vec<OpenPart>,
    /// In memory and on disk.
    bytes: u64,
}

impl HeldCut {
    /// The files of `cut`, which ends at `end`.
    fn new(end: i64, cut: CutId, parts: Vec<OpenPart>) -> Self {
        let bytes = parts.iter().map(OpenPart::all_bytes).sum();
        Self { end, cut, parts, bytes }
    }

    fn buffered_bytes(&self) -> u64 {
        self.parts.iter().map(OpenPart::buffered_bytes).sum()
    }

    fn size(&self) -> Held {
        Held { cuts: 1, bytes: self.bytes }
    }
}

/// How much is held, in memory and on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    cuts: usize,
    bytes: u64,
}

impl AddAssign for Held {
    fn add_assign(&mut self, more: Self) {
        self.cuts += more.cuts;
        self.bytes += more.bytes;
    }
}

impl SubAssign for Held {
    fn sub_assign(&mut self, less: Self) {
        self.cuts -= less.cuts;
        self.bytes -= less.bytes;
    }
}

impl Cuts {
    /// Begins with what is to be repeated.
    pub(super) fn repeating(cuts: &[Cut]) -> Self {
        Self { repeats: cuts.iter().cloned().collect(), ..Self::default() }
    }

    /// Goes on with the clock of another owner, who had no cuts in hand.
    pub(super) fn going_on(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// The clock, for another owner; `None` while a cut waits, or is to be repeated.
    pub(super) fn part_with(&mut self) -> Option<Clock> {
        let has_cuts = self.is_repeating() || !self.held.is_empty();
        (!has_cuts).then(|| std::mem::take(&mut self.clock))
    }

    /// True while decided cuts are repeated.
    pub(super) fn is_repeating(&self) -> bool {
        !self.repeats.is_empty()
    }

    /// Bytes of held files here, without the columns that rows wait in.
    pub(super) fn buffered_bytes(&self) -> u64 {
        self.held.iter().map(HeldCut::buffered_bytes).sum()
    }

    /// How much is held.
    pub(super) fn held(&self) -> Held {
        let mut all = Held::default();
        self.held.iter().for_each(|held| all += held.size());
        all
    }

    /// The clock bases of a cut that ends at `end`; the last directory goes on behind it.
    fn end_clock(&mut self, end: i64) -> Vec<ClockBase> {
        let next = self.clock.bases.last().map(|last| ClockBase { offset: end, wall_ms: last.wall_ms });
        let mut clock = std::mem::replace(&mut self.clock.bases, next.into_iter().collect());
        // Records behind the last one written were skipped, or belong to the next cut.
        while clock.len() > 1 && clock.pop_if(|last| last.offset >= end).is_some() {}
        clock
    }
}

impl S3SinkTask {
    /// Puts what belongs to decided cuts where they say; answers the rest.
    pub(super) fn put_repeated(
        &mut self,
        partition: &TopicPartition,
        mut batch: SinkBatch,
        now: Now,
    ) -> Result<Option<SinkBatch>, ConnectError> {
        loop {
            let Some(cut) = self.writer(partition).cuts.repeats.front() else { return Ok(Some(batch)) };
            let first = batch.offsets[0];
            if first >= cut.end {
                self.repeat_cut(partition)?;
                continue;
            }
            let (wall_ms, next) = cut.clock_at(first);
            let bound = next.map_or(cut.end, |next| next.min(cut.end));
            let count = batch.offsets.partition_point(|offset| *offset < bound);
            let rest = (count < batch.rows()).then(|| part(&batch, count, batch.rows())).transpose()?;
            let head = if rest.is_some() { part(&batch, 0, count)? } else { batch };
            self.take_in(partition, head, wall_ms.unwrap_or(now.wall_ms))?;
            self.repeat_reached(partition)?;
            match rest {
                Some(rest) => batch = rest,
                None => return Ok(None),
            }
        }
    }

    /// Makes the decided cuts whose end was reached, also by records that were skipped or are gone.
    pub(super) fn repeat_reached(&mut self, partition: &TopicPartition) -> Result<(), ConnectError> {
        loop {
            let writer = self.writer(partition);
            let is_reached =
                writer.cuts.repeats.front().is_some_and(|cut| writer.seen_offset >= Some(cut.end));
            if !is_reached {
                return Ok(());
            }
            self.repeat_cut(partition)?;
        }
    }

    fn repeat_cut(&mut self, partition: &TopicPartition) -> Result<(), ConnectError> {
        let writer = self.writer(partition);
        let end = writer.cuts.repeats.front().expect("asked for by those who saw it").end;
        writer.rotation.reset();
        self.cut(partition, end, FileEnd::Repeated)
    }

    /// The clock names directories: remembers from which record on it named another one.
    pub(super) fn follow_clock(
        &mut self,
        partition: &TopicPartition,
        first: i64,
        wall_ms: i64,
    ) -> Result<(), ConnectError> {
        if !self.guarantee.is_decided() {
            return Ok(());
        }
        let name = match &self.layout {
            Some(layout) => layout.clock_name(wall_ms),
            None => self.partitioner.clock_name(wall_ms)?,
        };
        let Some(name) = name else { return Ok(()) };
        let writer = self.writer(partition);
        if writer.cuts.clock.name.as_ref() == Some(&name) {
            return Ok(());
        }
        if writer.rotation.is_empty() {
            writer.cuts.clock.bases.clear();
        } else if writer.cuts.clock.bases.len() >= CLOCK_BASES_MAX {
            self.cut_now(partition, FileEnd::Clock)?;
            self.writer(partition).cuts.clock.bases.clear();
        }
        let clock = &mut self.writer(partition).cuts.clock;
        clock.name = Some(name);
        clock.bases.push(ClockBase { offset: first, wall_ms });
        Ok(())
    }

    /// The files of a topic-partition end, where they may end at any time.
    pub(super) fn cut_now(&mut self, partition: &TopicPartition, end: FileEnd) -> Result<(), ConnectError> {
        let mut ops = std::mem::take(&mut self.ops);
        self.writer(partition).rotation.cut_now(end, &mut ops);
        self.carry_out(partition, &mut ops, None)?;
        self.ops = ops;
        Ok(())
    }

    /// A file that is as large as files may be ends now.
    pub(super) fn cut_full(&mut self, partition: &TopicPartition) -> Result<(), ConnectError> {
        let Some(bytes_max) = self.layout.as_ref().and_then(|layout| layout.file_bytes_max()) else {
            return Ok(());
        };
        let writer = self.writer(partition);
        let is_full = |open: &OpenPart| open.plain_bytes >= bytes_max;
        if writer.cuts.is_repeating() || !writer.parts.iter().any(|(_, open)| is_full(open)) {
            return Ok(());
        }
        self.cut_now(partition, FileEnd::Size)
    }

    /// Closes every open part, because of `end`. Everything below `next_offset` is durable when all are
    /// stored.
    pub(super) fn cut(
        &mut self,
        partition: &TopicPartition,
        next_offset: i64,
        end: FileEnd,
    ) -> Result<(), ConnectError> {
        let writer = self.writers.get_mut(partition).expect("its writer is open");
        let (parts, dropped): (Vec<OpenPart>, Vec<OpenPart>) =
            writer.parts.drain(..).map(|(_, open)| open).partition(|open| !open.is_empty());
        self.open_bytes -= dropped.iter().map(OpenPart::buffered_bytes).sum::<u64>();
        let files_count = parts.iter().map(|open| open.files().count()).sum();
        parts.iter().for_each(|open| self.ended.add(open.end.unwrap_or(end), open.files().count()));
        writer.cut_offset = Some(next_offset);
        let is_repeated = writer.cuts.repeats.pop_front_if(|cut| cut.end == next_offset).is_some();
        if !is_repeated && writer.cuts.is_repeating() {
            give_up(partition, next_offset, writer);
        }
        if !writer.cuts.is_repeating() {
            writer.rotation.repeat(false);
        }
        let is_held = !is_repeated && self.guarantee.is_decided();
        let cut = self.flight.cut(writer.assignment, next_offset, files_count, !is_held);
        let held = HeldCut::new(next_offset, cut, parts);
        if is_held {
            self.hold_cut(partition, held);
            return Ok(());
        }
        let assignment = writer.assignment;
        if self.one_after_another() {
            self.hold(partition, held);
            self.complete_decided(partition, next_offset);
        } else {
            self.complete_cut(assignment, held);
        }
        Ok(())
    }

    /// Whether objects of one name follow each other: then a cut is completed when those before are stored. A
    /// late object would replace its successor.
    fn one_after_another(&self) -> bool {
        self.layout.as_ref().is_some_and(|layout| layout.keeps_last())
    }

    /// The files of a cut wait until its decision is acknowledged.
    fn hold_cut(&mut self, partition: &TopicPartition, held: HeldCut) {
        let cuts = &mut self.writer(partition).cuts;
        let cut = Cut { end: held.end, clock: cuts.end_clock(held.end) };
        let replaces = std::mem::take(&mut cuts.has_given_up);
        self.hold(partition, held);
        self.decisions.push(Decision { partition: partition.clone(), cut, replaces });
    }

    fn hold(&mut self, partition: &TopicPartition, held: HeldCut) {
        self.held += held.size();
        self.writer(partition).cuts.held.push_back(held);
    }

    /// Decisions up to `end` were acknowledged: their files are completed.
    pub(super) fn complete_decided(&mut self, partition: &TopicPartition, end: i64) {
        // Closed meanwhile: whoever owns it next repeats the cut.
        let Some(writer) = self.writers.get_mut(partition) else { return };
        writer.cuts.acknowledged = writer.cuts.acknowledged.max(Some(end));
        self.complete_acknowledged(partition);
    }

    /// Completes what may be completed.
    fn complete_acknowledged(&mut self, partition: &TopicPartition) {
        let waits = self.one_after_another();
        loop {
            let Some(writer) = self.writers.get_mut(partition) else { return };
            let (assignment, end) = (writer.assignment, writer.cuts.acknowledged);
            if waits && self.flight.is_completing(assignment) {
                return;
            }
            let Some(held) = writer.cuts.held.pop_front_if(|held| Some(held.end) <= end) else { return };
            self.held -= held.size();
            self.flight.decided(assignment, held.cut);
            self.complete_cut(assignment, held);
        }
    }

    /// [`S3SinkTask::complete_acknowledged`] of every topic-partition that has something to complete.
    pub(super) fn complete_waiting(&mut self) {
        if !self.one_after_another() {
            // Nothing waited for what is stored.
            return;
        }
        let waits = |writer: &Writer| {
            writer.cuts.held.front().is_some_and(|held| Some(held.end) <= writer.cuts.acknowledged)
        };
        let waiting = self.writers.iter().filter(|(_, writer)| waits(writer));
        let waiting: Vec<TopicPartition> = waiting.map(|(partition, _)| partition.clone()).collect();
        waiting.iter().for_each(|partition| self.complete_acknowledged(partition));
    }

    /// The files of a cut become objects, one after the other.
    fn complete_cut(&mut self, assignment: AssignmentId, held: HeldCut) {
        let HeldCut { cut, parts, .. } = held;
        self.flight.assert_decided(assignment, cut);
        for part in parts {
            self.flight.waits(assignment);
            let bytes = part.all_bytes();
            self.finishing.push(Ending { assignment, cut, part, bytes });
        }
    }

    /// Whether more is held than may wait for the coordinator.
    pub(super) fn holds_too_much(&self) -> bool {
        self.guarantee.is_decided()
            && (self.held.cuts >= HELD_CUTS_MAX || self.held.bytes > self.open_bytes_max)
    }

    /// Whether more ended than may wait for the store: what is with it counts, too.
    pub(super) fn has_too_many_endings(&self) -> bool {
        let waiting_bytes = self.finishing.bytes();
        self.finishing.len() >= FINISHING_MAX
            || (waiting_bytes > 0
                && waiting_bytes + self.in_flight.used_bytes() >= self.in_flight.limit_bytes())
    }

    fn writer(&mut self, partition: &TopicPartition) -> &mut Writer {
        self.writers.get_mut(partition).expect("its writer is open")
    }
}

/// The records do not fit into the files that were decided: something shapes them that no setting of the sink
/// tells, for example a converter's.
fn give_up(partition: &TopicPartition, next_offset: i64, writer: &mut Writer) {
    tracing::warn!(%partition, next_offset,
        "a cut that was decided before cannot be repeated: its records do not fit into one file any more; \
         records around this offset may be stored twice");
    writer.cuts.repeats.clear();
    writer.cuts.has_given_up = true;
}

fn part(batch: &SinkBatch, start: usize, end: usize) -> Result<SinkBatch, ConnectError> {
    let row = |row: usize| u32::try_from(row).expect("a batch has fewer rows than u32::MAX");
    batch.take(&(row(start)..row(end)).collect::<Vec<u32>>())
}
