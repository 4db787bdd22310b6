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
use crate::s3::ledger::CutId;

/// Parts encoded in one call: a few milliseconds.
const PARTS_PER_CALL: usize = 32;
/// Parts that are read back at a time.
const LOADING_MAX: usize = 16;
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
            match self.recall_ending(index)? {
                Recalled::NotYet => index += 1,
                Recalled::All => {
                    let ending = self.finishing.loading.swap_remove(index);
                    self.complete_part(ending)?;
                    left = left.saturating_sub(1);
                }
            }
        }
        while self.may_complete() && self.finishing.loading.len() < LOADING_MAX {
            if left == 0 {
                self.waker.wake();
                return Ok(());
            }
            let Some(ending) = self.finishing.queue.pop_front() else { return Ok(()) };
            self.finishing.loading.push(ending);
            let last = self.finishing.loading.len() - 1;
            if self.recall_ending(last)? == Recalled::All {
                let ending = self.finishing.loading.swap_remove(last);
                self.complete_part(ending)?;
                left -= 1;
            }
        }
        Ok(())
    }

    fn may_complete(&self) -> bool {
        !self.in_flight.is_exhausted() && self.flight.completing_count() < COMPLETING_MAX
    }

    fn recall_ending(&mut self, index: usize) -> Result<Recalled, ConnectError> {
        let part = &mut self.finishing.loading[index].part;
        let before = part.buffered_bytes();
        let recalled = part.recall(self.spiller.as_ref());
        self.open_bytes = self.open_bytes - before + part.buffered_bytes();
        recalled
    }

    /// Sends the last bytes of the files of a part, which become objects.
    fn complete_part(&mut self, ending: Ending) -> Result<(), ConnectError> {
        let Ending { assignment, cut, part, bytes } = ending;
        self.finishing.bytes -= bytes;
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
