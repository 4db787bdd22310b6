//! Memory of open parts, given back early when there is too little of it (decision 0010): row groups close
//! and pieces are sent, then rows and encoded bytes go to disk. Where files end does not change.

use std::cmp::Reverse;

use lakeward_api::ConnectError;
use lakeward_api::metrics::FileEnd;
use lakeward_api::record::TopicPartition;

use super::S3SinkTask;
use super::flight::Flight;
use super::open_file::{OpenFile, Recalled, Started};
use super::spilled::Spiller;
use super::{Writer, open_part::OpenPart};
use crate::s3::rotation::PartId;
use crate::s3::upload::Uploader;

/// Parts that give way in one call: a few milliseconds.
const PARTS_PER_CALL: usize = 128;

/// What gives way in one call, more or less: it is held twice until the allocator has it back.
const BYTES_PER_CALL: u64 = 8 << 20;

/// An open row group is closed for disk from here on: smaller ones would be all metadata.
const ROW_GROUP_BYTES_MIN: u64 = 64 << 10;
/// The same when everything gave way already and that was not enough.
const ROW_GROUP_BYTES_NEED: u64 = 16 << 10;

/// An open part, wherever it is kept.
pub(super) type PartKey = (TopicPartition, PartId);

/// How much of what it could a part gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Yielded {
    All,
    Part,
}

impl S3SinkTask {
    /// Tells the worker what is held, and gives memory back when the worker or this task holds too much.
    pub(super) fn relieve(&mut self) -> Result<(), ConnectError> {
        self.share.set(self.held_bytes());
        self.send_large()?;
        self.cut_largest()?;
        if self.relief.is_empty() && self.share.memory().wants_relief() {
            self.relief = self.by_relief();
        }
        let held_bytes = self.held_bytes();
        for _ in 0..PARTS_PER_CALL {
            if !self.share.memory().is_strained() {
                self.relief.clear();
                self.is_in_need = false;
            }
            if self.spiller.as_ref().is_some_and(Spiller::is_busy) {
                // It wakes the task when something is written; fetching pauses, if it comes to that.
                break;
            }
            let Some(key) = self.relief.pop() else { break };
            if self.give_way(&key)? == Yielded::Part {
                // Other work goes on between the pieces of one file.
                self.relief.push(key);
                break;
            }
            self.is_in_need |= self.relief.is_empty();
            if self.held_bytes() + BYTES_PER_CALL <= held_bytes {
                // What is being written counts until it is: the disk has its turn before more is.
                break;
            }
        }
        if let Some(spiller) = &mut self.spiller {
            spiller.flush();
        }
        self.share.set(self.held_bytes());
        if !self.relief.is_empty() && !self.spiller.as_ref().is_some_and(Spiller::is_busy) {
            self.waker.wake();
        }
        Ok(())
    }

    /// Everything that this task holds, columns that rows wait in among it.
    pub(super) fn held_bytes(&self) -> u64 {
        self.open_bytes + self.shared_bytes.get()
    }

    /// Brings back what open parts have on disk and are worth a row group or a piece.
    pub(super) fn recall_open(&mut self) -> Result<(), ConnectError> {
        let mut index = 0;
        while index < self.recalls.len() {
            let (partition, part) = &self.recalls[index];
            let spiller = self.spiller.as_ref();
            // Parts that ended meanwhile are brought back with their end.
            let is_over = match open_part(&mut self.writers, partition, *part) {
                None => true,
                Some((open, assignment)) => {
                    let before = open.buffered_bytes();
                    let recalled = open.recall(spiller)?;
                    open.files_mut().for_each(|file| {
                        let started = file.send_full_pieces(&mut self.uploader);
                        track(&mut self.flight, file, assignment, started);
                    });
                    self.open_bytes = self.open_bytes - before + open.buffered_bytes();
                    open.is_recalled = recalled != Recalled::All;
                    recalled == Recalled::All
                }
            };
            if is_over {
                self.recalls.swap_remove(index);
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// Files of this task that are worth a request are sent when open ones hold more than may be in flight.
    fn send_large(&mut self) -> Result<(), ConnectError> {
        if self.open_bytes <= self.send_from_bytes {
            return Ok(());
        }
        let mut files: Vec<(super::AssignmentId, &mut OpenFile)> = self
            .writers
            .values_mut()
            .flat_map(|writer| {
                let assignment = writer.assignment;
                let files = writer.parts.iter_mut().flat_map(|(_, open)| open.files_mut());
                files.map(move |file| (assignment, file))
            })
            .filter(|(_, file)| file.can_relieve())
            .collect();
        files.sort_by_key(|(_, file)| Reverse(file.buffered_bytes()));
        for (assignment, file) in files {
            if self.open_bytes <= self.open_bytes_max {
                break;
            }
            let before = file.buffered_bytes();
            send(file, &mut self.uploader, &mut self.flight, assignment)?;
            self.open_bytes = self.open_bytes - before + file.buffered_bytes();
        }
        // Many small files are not looked at again with every batch.
        self.send_from_bytes = self.open_bytes_max.max(self.open_bytes / 4 * 5);
        Ok(())
    }

    /// Many small files are not helped by pieces. Where files may end at any time anyway, those of the
    /// largest topic-partition end now.
    fn cut_largest(&mut self) -> Result<(), ConnectError> {
        if self.layout.is_none() {
            return Ok(());
        }
        let open_bytes: u64 = self.writers.values().map(Writer::open_bytes).sum();
        if open_bytes + self.shared_bytes.get() <= self.open_bytes_max {
            return Ok(());
        }
        let free = self.writers.iter().filter(|(_, writer)| !writer.cuts.is_repeating());
        let largest = free.max_by_key(|(_, writer)| writer.open_bytes());
        let Some(partition) = largest.map(|(partition, _)| partition.clone()) else { return Ok(()) };
        self.cut_now(&partition, FileEnd::Memory)
    }

    /// Open parts in the order in which they give way, the first one last: idle ones, the largest first.
    fn by_relief(&self) -> Vec<PartKey> {
        let mut parts: Vec<(bool, u64, PartKey)> = Vec::new();
        for (partition, writer) in &self.writers {
            for (id, open) in writer.parts.iter().filter(|(_, open)| !open.is_recalled) {
                let bytes = open.files().map(OpenFile::relief_bytes).sum();
                parts.push((open.turn != self.turn, bytes, (partition.clone(), *id)));
            }
        }
        parts.sort_by_key(|(is_idle, bytes, _)| (*is_idle, *bytes));
        parts.into_iter().map(|(_, _, key)| key).collect()
    }

    fn give_way(&mut self, (partition, part): &PartKey) -> Result<Yielded, ConnectError> {
        let Some((open, assignment)) = open_part(&mut self.writers, partition, *part) else {
            return Ok(Yielded::All);
        };
        if open.is_recalled {
            return Ok(Yielded::All);
        }
        let before = open.buffered_bytes();
        let least_bytes = if self.is_in_need { ROW_GROUP_BYTES_NEED } else { ROW_GROUP_BYTES_MIN };
        for file in open.files_mut() {
            if file.can_relieve() {
                send(file, &mut self.uploader, &mut self.flight, assignment)?;
            }
            if let Some(spiller) = &mut self.spiller {
                file.spill(spiller, least_bytes)?;
            }
        }
        self.open_bytes = self.open_bytes - before + open.buffered_bytes();
        self.share.set(self.open_bytes + self.shared_bytes.get());
        let has_more = self.spiller.is_some() && open.files().any(OpenFile::can_spill_more);
        Ok(if has_more { Yielded::Part } else { Yielded::All })
    }
}

fn open_part<'a>(
    writers: &'a mut std::collections::HashMap<TopicPartition, Writer>,
    partition: &TopicPartition,
    part: PartId,
) -> Option<(&'a mut OpenPart, super::AssignmentId)> {
    let writer = writers.get_mut(partition)?;
    let place = writer.parts.binary_search_by_key(&part, |(id, _)| *id).ok()?;
    Some((&mut writer.parts[place].1, writer.assignment))
}

/// Closes the open row group and sends what makes a piece.
fn send(
    file: &mut OpenFile,
    uploader: &mut Uploader,
    flight: &mut Flight,
    assignment: super::AssignmentId,
) -> Result<(), ConnectError> {
    file.flush_early()?;
    let started = file.send_relief(uploader);
    track(flight, file, assignment, started);
    Ok(())
}

/// Follows an upload that was just started.
pub(super) fn track(flight: &mut Flight, file: &OpenFile, assignment: super::AssignmentId, started: Started) {
    if started == Started::Now {
        flight.track(file.upload_id().expect("the upload was just started"), assignment);
    }
}
