//! Open files of a topic-partition on their way to its next owner (decision 0018): this task, one on another
//! shard, or none.
//!
//! Only what follows from records, settings and the clock that is written down in it goes over: no cut waits,
//! nothing is on disk.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::bridge::BridgeFuture;
use lakeward_api::cuts::Opening;
use lakeward_api::handover::OpenState;
use lakeward_api::record::TopicPartition;

use super::S3SinkTask;
use super::cuts::{Clock, Cuts};
use super::open_file::{OpenFile, ParkedFile};
use super::open_part::OpenPart;
use crate::s3::rotation::{PartId, Rotation};
use crate::s3::upload::UploadHandle;

/// What is open of one topic-partition.
struct Parked {
    rotation: Rotation,
    parts: Vec<(PartId, OpenPart<ParkedFile>)>,
    clock: Clock,
    seen_offset: i64,
    cut_offset: Option<i64>,
}

impl Parked {
    fn files(&self) -> impl Iterator<Item = &ParkedFile> {
        self.parts.iter().flat_map(|(_, part)| part.files())
    }
}

impl OpenState for Parked {
    fn since(&self) -> Option<i64> {
        self.cut_offset
    }

    fn next_offset(&self) -> i64 {
        self.seen_offset
    }

    fn bytes(&self) -> u64 {
        self.files().map(ParkedFile::bytes).sum()
    }

    fn is_sound(&self) -> bool {
        self.files().all(|file| file.upload.as_ref().is_none_or(UploadHandle::is_sound))
    }

    fn give_up(mut self: Box<Self>) -> BridgeFuture {
        let mut uploads = Vec::new();
        for (_, part) in self.parts.drain(..) {
            part.with_files(|file| {
                uploads.extend(file.upload);
                Some(())
            });
        }
        Box::pin(async move {
            futures::future::join_all(uploads.into_iter().map(UploadHandle::give_up)).await;
        })
    }
}

impl S3SinkTask {
    /// Takes out what is open of `partition`, if all of it can go over. What cannot is dropped.
    pub(super) fn park(&mut self, partition: &TopicPartition) -> Option<Box<dyn OpenState>> {
        self.handover?;
        let writer = self.writers.get_mut(partition)?;
        let seen_offset = writer.seen_offset.filter(|_| !writer.rotation.is_empty())?;
        let clock = writer.cuts.part_with()?;
        self.open_bytes -= writer.open_bytes();
        let parts = std::mem::take(&mut writer.parts);
        let mut are_sound = true;
        for upload in parts.iter().flat_map(|(_, part)| part.files()).filter_map(OpenFile::upload) {
            if upload.part_with() {
                self.flight.part_with(upload.id);
            } else {
                // It has failed; this task is told so.
                are_sound = false;
            }
        }
        if parts.iter().flat_map(|(_, part)| part.files()).any(OpenFile::is_on_disk) {
            tracing::info!(
                %partition,
                "open files are not handed over: some of what they hold is in lakeward.spill.dir; their \
                 records are read again"
            );
            return None;
        }
        let parts = parts.into_iter().map(|(id, part)| Some((id, part.with_files(OpenFile::park)?)));
        let parts = parts.collect::<Option<Vec<_>>>().filter(|_| are_sound)?;
        let rotation =
            std::mem::replace(&mut writer.rotation, Rotation::new(Arc::clone(&self.rotation_settings)));
        let cut_offset = writer.cut_offset;
        Some(Box::new(Parked { rotation, parts, clock, seen_offset, cut_offset }))
    }

    /// Begins an assignment where another owner parted with it.
    ///
    /// # Errors
    /// `Fatal` for the state of another sink.
    pub(super) fn go_on(&mut self, opening: &Opening, state: Box<dyn OpenState>) -> Result<(), ConnectError> {
        let state: Box<dyn std::any::Any> = state;
        let parked = state.downcast::<Parked>().map_err(|_| {
            ConnectError::fatal(format!("{} was handed over by another sink", opening.partition))
        })?;
        let Parked { rotation, parts, clock, seen_offset, cut_offset } = *parked;
        self.open_one(opening)?;
        let writer = self.writers.get_mut(&opening.partition).expect("it was just opened");
        writer.rotation = rotation;
        writer.cuts = Cuts::going_on(clock);
        writer.seen_offset = Some(seen_offset);
        writer.cut_offset = cut_offset;
        for (id, part) in parts {
            let unpark = |file| Some(OpenFile::unpark(file, &mut self.uploader, &self.shared_bytes));
            let part = part.with_files(unpark).expect("every file goes on");
            for upload in part.files().filter_map(OpenFile::upload_id) {
                self.flight.track(upload, writer.assignment);
            }
            writer.parts.push((id, part));
        }
        self.open_bytes += writer.open_bytes();
        self.share.set(self.held_bytes());
        Ok(())
    }
}
