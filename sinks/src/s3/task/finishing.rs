//! Parts whose end is known and decided, on their way to being objects: read back from disk, encoded,
//! uploaded, a few at a time.
//!
//! A cut of ten thousand files would otherwise encode them all in one turn and hold all their bytes.

use std::collections::VecDeque;

use lakeward_api::ConnectError;

use super::S3SinkTask;
use super::flight::AssignmentId;
use super::open_file::{OpenFile, Recalled};
use super::open_part::OpenPart;
use super::relief::track;
use crate::s3::ledger::CutId;

/// Parts encoded in one call: a few milliseconds.
const PARTS_PER_CALL: usize = 32;
/// Parts that are read back at a time.
const LOADING_MAX: usize = 16;
/// A piece of rows that is encoded now costs as much as this many parts.
const PIECE_PARTS: usize = 8;
/// Objects that are completed at a time.
const COMPLETING_MAX: usize = 256;

/// A part that ended.
pub(super) struct Ending {
    pub(super) assignment: AssignmentId,
    pub(super) cut: CutId,
    pub(super) part: OpenPart,
    /// What was in memory and on disk when it ended.
    pub(super) bytes: u64,
}

/// The parts of a task that ended.
#[derive(Default)]
pub(super) struct Finishing {
    queue: VecDeque<Ending>,
    /// Taken from the queue, not all in memory yet.
    loading: Vec<Ending>,
    /// Of both.
    bytes: u64,
}

impl Finishing {
    pub(super) fn push(&mut self, ending: Ending) {
        self.bytes += ending.bytes;
        self.queue.push_back(ending);
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.loading.len()
    }

    /// Bytes that are still to be sent, in memory or on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next part to be read back, if it may be now: its place among those.
    fn begin_next(&mut self) -> Option<usize> {
        if self.loading.len() >= LOADING_MAX {
            return None;
        }
        self.loading.push(self.queue.pop_front()?);
        Some(self.loading.len() - 1)
    }

    fn take_loaded(&mut self, index: usize) -> Ending {
        let ending = self.loading.swap_remove(index);
        self.bytes -= ending.bytes;
        ending
    }

    /// For how many others the rows of a part have to wait whose schema grew, too: each holds an encoder with
    /// an open row group until it is through.
    fn growing_before(&self, index: usize) -> usize {
        let is_growing = self.loading[index].part.is_growing();
        let before = self.loading[..index].iter().filter(|ending| ending.part.is_growing());
        if is_growing { before.count() } else { 0 }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl S3SinkTask {
    /// Completes parts that ended, as far as bytes in flight allow; whatever is left is looked at again when
    /// the task is woken.
    pub(super) fn finish_parts(&mut self) -> Result<(), ConnectError> {
        let mut left = PARTS_PER_CALL;
        let mut index = 0;
        while index < self.finishing.loading.len() {
            index += self.go_on_with(index, &mut left)?;
        }
        while left > 0 && self.may_complete() {
            let Some(last) = self.finishing.begin_next() else { return Ok(()) };
            let part = &mut self.finishing.loading[last].part;
            let before = part.buffered_bytes();
            part.end()?;
            self.open_bytes = self.open_bytes - before + part.buffered_bytes();
            self.go_on_with(last, &mut left)?;
        }
        if left == 0 {
            self.waker.wake();
        }
        Ok(())
    }

    /// Recalls a part, and completes it when it is all there. Answers how many parts stay in its place.
    fn go_on_with(&mut self, index: usize, left: &mut usize) -> Result<usize, ConnectError> {
        while *left > 0 || !self.finishing.loading[index].part.is_growing() {
            match self.recall_ending(index)? {
                Recalled::NotYet => return Ok(1),
                Recalled::Part => *left = left.saturating_sub(PIECE_PARTS),
                Recalled::All => {
                    let ending = self.finishing.take_loaded(index);
                    self.complete_part(ending)?;
                    *left = left.saturating_sub(1);
                    return Ok(0);
                }
            }
        }
        Ok(1)
    }

    fn may_complete(&self) -> bool {
        !self.in_flight.is_exhausted() && self.flight.completing_count() < COMPLETING_MAX
    }

    fn recall_ending(&mut self, index: usize) -> Result<Recalled, ConnectError> {
        let growing_before = self.finishing.growing_before(index);
        let Ending { part, assignment, .. } = &mut self.finishing.loading[index];
        if growing_before > 0 {
            // What is read ahead is counted nowhere: a piece of one file.
            if growing_before == 1 {
                part.prefetch(self.spiller.as_ref());
            }
            return Ok(Recalled::NotYet);
        }
        if part.is_growing() && self.in_flight.is_exhausted() {
            // Woken when the store has taken a piece.
            return Ok(Recalled::NotYet);
        }
        let before = part.buffered_bytes();
        let recalled = part.recall(self.spiller.as_ref())?;
        if recalled == Recalled::Part {
            part.files_mut().for_each(|file| {
                let started = file.send_full_pieces(&mut self.uploader);
                track(&mut self.flight, file, *assignment, started);
            });
        }
        self.open_bytes = self.open_bytes - before + part.buffered_bytes();
        Ok(recalled)
    }

    /// Sends the last bytes of the files of a part, which become objects.
    fn complete_part(&mut self, ending: Ending) -> Result<(), ConnectError> {
        let Ending { assignment, cut, part, .. } = ending;
        self.open_bytes -= part.buffered_bytes();
        self.flight.waits_no_more(assignment);
        let known: Vec<bool> = part.files().map(|file| OpenFile::upload_id(file).is_some()).collect();
        for (file, is_known) in part.finish()?.into_iter().zip(known) {
            let upload = file.complete(&mut self.uploader);
            if !is_known {
                self.flight.track(upload, assignment);
            }
            self.flight.completes(upload, cut);
        }
        Ok(())
    }
}
