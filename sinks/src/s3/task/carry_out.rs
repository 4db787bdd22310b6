//! Rows to files: what rotation says is done to the open parts of a topic-partition.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::record::TopicPartition;
use lakeward_api::schema::Schema;
use lakeward_formats::file::PartEncoder;
use object_store::path::Path;

use super::layout::NewPart;
use super::merging::Growing;
use super::open_file::{OpenFile, Started};
use super::open_part::{Files, OpenPart};
use super::taken::Taken;
use super::{S3SinkTask, rejects, routed};
use crate::s3::compatibility::Compatibility;
use crate::s3::error::S3SinkError;
use crate::s3::naming::FileNames;
use crate::s3::partitioner::{self, Encoded};
use crate::s3::rotation::{BatchView, Op, PartId, Refusals, Rows};

impl S3SinkTask {
    /// Gives the rows of a batch to rotation, with the clock at `wall_ms`.
    pub(super) fn take_in(
        &mut self,
        partition: &TopicPartition,
        batch: SinkBatch,
        wall_ms: i64,
    ) -> Result<(), ConnectError> {
        let writer = self.writers.get_mut(partition).expect("its writer is open");
        writer.seen_offset = batch.offsets.last().map(|last| last + 1).max(writer.seen_offset);
        let Some((taken, mut encoded)) = self.admit(batch, wall_ms)? else { return Ok(()) };
        routed::mark(&taken.batch, &mut encoded.names);
        let Some((mut taken, encoded)) = self.keep_nameable(taken, encoded)? else { return Ok(()) };
        let offsets = taken.batch.offsets.clone();
        let schema = taken.batch.values.schema().cloned();
        let may_refuse = self.may_refuse(&taken);
        let view = BatchView { offsets: &offsets, encoded: &encoded, schema: schema.as_ref(), may_refuse };
        let mut ops = std::mem::take(&mut self.ops);
        let mut row = 0;
        while row < offsets.len() {
            let writer = self.writers.get_mut(partition).expect("the writer was just there");
            row = writer.rotation.put(view, row, wall_ms, &mut ops);
            taken.foresee(&ops);
            let refusals = self.carry_out(partition, &mut ops, Some(&taken))?;
            if may_refuse {
                let writer = self.writers.get_mut(partition).expect("the writer was just there");
                let emptied = writer.rotation.settle(view, row, &refusals, &mut ops);
                self.drop_parts(partition, &emptied);
                self.carry_out(partition, &mut ops, None)?;
            }
        }
        self.ops = ops;
        Ok(())
    }

    /// Whether files may refuse rows, so that these are left out one by one.
    fn may_refuse(&self, taken: &Taken) -> bool {
        let takes_all = taken.may_wait()
            && self.companions.keys.is_none()
            && self.rotation_settings.compatibility == Compatibility::None;
        self.rejects.is_possible() && !takes_all
    }

    /// Parts all of whose rows were refused.
    fn drop_parts(&mut self, partition: &TopicPartition, emptied: &[PartId]) {
        let writer = self.writers.get_mut(partition).expect("its writer is open");
        for part in emptied {
            let place = writer.parts.binary_search_by_key(part, |(id, _)| *id);
            let (_, open) = writer.parts.remove(place.expect("rotation opened it"));
            self.open_bytes -= open.buffered_bytes();
        }
    }

    /// The rows of a batch that go to files, and where they go; the others are left out.
    pub(super) fn admit(
        &mut self,
        batch: SinkBatch,
        now_ms: i64,
    ) -> Result<Option<(Taken, Encoded)>, ConnectError> {
        if let Some(layout) = &mut self.layout {
            let admitted = layout.admit(batch, now_ms, &mut self.rejects)?;
            return Ok(admitted.map(|(batch, encoded)| (self.taken(batch, None, now_ms), encoded)));
        }
        let Some(batch) = self.nulls.apply(batch, &mut self.rejects)? else { return Ok(None) };
        let Some(batch) = self.keep_timed(batch)? else { return Ok(None) };
        let (batch, encoded) = match self.partitioner.encode(&batch, now_ms) {
            Ok(encoded) => (batch, encoded),
            Err(error) => {
                let unplaceable = self.partitioner.unplaceable_rows(&batch)?;
                let kept = self.rejects.keep_others(batch, &unplaceable, error.into())?;
                let Some(batch) = kept else { return Ok(None) };
                let encoded = self.partitioner.encode(&batch, now_ms)?;
                (batch, encoded)
            }
        };
        let rows = batch.rows();
        let batch = self.rejects.keep_writable(batch, &*self.format, self.wants_bytes)?;
        let Some(batch) = batch else { return Ok(None) };
        let Some((batch, headers)) = self.companions.admit(batch, &mut self.rejects)? else {
            return Ok(None);
        };
        let encoded = match batch.rows() == rows {
            true => encoded,
            false => self.partitioner.encode(&batch, now_ms)?,
        };
        Ok(Some((self.taken(batch, headers, now_ms), encoded)))
    }

    /// The rows of `batch` that have a time, where the partitioner wants one; the others are left out.
    fn keep_timed(&mut self, batch: SinkBatch) -> Result<Option<SinkBatch>, ConnectError> {
        let timeless = self.partitioner.timeless_rows(&batch);
        if timeless.is_empty() {
            return Ok(Some(batch));
        }
        self.rejects.keep_others(batch, &timeless, partitioner::timeless().into())
    }

    /// Whether files take records of several schemas and grow by them.
    pub(super) fn merges(&self) -> bool {
        self.rotation_settings.compatibility == Compatibility::Merge
    }

    pub(super) fn taken(&self, batch: SinkBatch, headers: Option<Values>, now_ms: i64) -> Taken {
        let takes_all = |one| self.format.takes_all(one);
        let may_wait =
            !self.merges() && (!self.rejects.is_possible() || batch.values.schema().is_some_and(takes_all));
        Taken::new(batch, headers, now_ms, may_wait, self.shared_bytes.clone())
    }

    /// Carries out the operations of one topic-partition; `taken` is what they refer to. Answers which rows
    /// went to no file.
    pub(super) fn carry_out(
        &mut self,
        partition: &TopicPartition,
        ops: &mut Vec<Op>,
        taken: Option<&Taken>,
    ) -> Result<Refusals, ConnectError> {
        let mut refusals = Refusals::default();
        for op in ops.drain(..) {
            match op {
                Op::Open { part, encoded_partition, start_offset } => {
                    let taken = taken.expect("only batches open parts");
                    self.begin_part(partition, part, &encoded_partition, start_offset, taken)?;
                }
                Op::Write { part, rows } => {
                    let taken = taken.expect("only batches write rows");
                    refusals.add(part, self.write_rows(partition, part, &rows, taken)?);
                }
                Op::Refuse { rows } => {
                    let batch = &taken.expect("only batches have rows to refuse").batch;
                    let reason = self.rotation_settings.compatibility.refusal();
                    let rows = rejects::numbers(&rows);
                    self.rejects.add_rows(batch, &rows, reason)?;
                    refusals.add_uncounted(rows);
                }
                Op::Rest { parts, end } => {
                    let writer = self.writers.get_mut(partition).expect("its writer is open");
                    let rests = |id: &PartId| parts.binary_search(id).is_ok();
                    let resting = writer.parts.iter_mut().filter(|(id, _)| rests(id));
                    resting.for_each(|(_, open)| open.end = Some(end));
                }
                Op::Rotate { next_offset, end } => self.cut(partition, next_offset, end)?,
            }
        }
        Ok(refusals)
    }

    fn begin_part(
        &mut self,
        partition: &TopicPartition,
        part: PartId,
        encoded_partition: &str,
        start_offset: i64,
        taken: &Taken,
    ) -> Result<(), ConnectError> {
        let batch = &taken.batch;
        let names = self.part_names(partition, encoded_partition, start_offset, taken)?;
        let part_bytes = self.part_bytes;
        let file = |name: &str| {
            let path = path(name)?;
            Ok::<_, S3SinkError>(move |encoder| OpenFile::new(path, encoder, part_bytes))
        };
        let schema = batch.values.schema();
        let values = match &names.values {
            Some(name) => Some(self.values_file(schema, file(name)?)?),
            None => None,
        };
        let keys = match (&names.keys, &self.companions.keys) {
            (Some(name), Some(keys)) => Some(keys.new_file(batch, file(name)?)?),
            _ => None,
        };
        let headers = match (&names.headers, &self.companions.headers) {
            (Some(name), Some(headers)) => Some(headers.new_file(file(name)?)?),
            _ => None,
        };
        // Where schemas are merged, the file has its own idea of its schema.
        let schema = schema.filter(|_| !self.merges()).cloned();
        let open = OpenPart::new(Files { values, keys, headers }, schema, start_offset);
        // An encoder may hold bytes before the first row (a gzip header).
        self.open_bytes += open.buffered_bytes();
        self.writers.get_mut(partition).expect("its writer is open").parts.push((part, open));
        Ok(())
    }

    /// The file of values of a new part whose first record has `schema`.
    fn values_file(
        &self,
        schema: Option<&Arc<Schema>>,
        file: impl FnOnce(Box<dyn PartEncoder>) -> OpenFile,
    ) -> Result<OpenFile, ConnectError> {
        // A schema that the format cannot store shows now, not when the file ends.
        let file = file(self.format.new_part(schema)?);
        Ok(match schema.filter(|_| self.merges()) {
            Some(schema) => file.growing(Growing::new(Arc::clone(&self.format), schema)),
            None => file,
        })
    }

    /// The names of the objects of a part, whose encoded partition is marked with the topic that it was
    /// routed to.
    ///
    /// # Errors
    /// Class `Record` when stores cannot hold a name, class `Config` when settings alone make it impossible.
    pub(super) fn part_names(
        &self,
        partition: &TopicPartition,
        encoded_partition: &str,
        start_offset: i64,
        taken: &Taken,
    ) -> Result<FileNames, S3SinkError> {
        let (topic, directory) = routed::split(partition, encoded_partition);
        let target = TopicPartition::new(topic, partition.partition);
        match &self.layout {
            Some(layout) => layout.names(&NewPart { target: &target, directory, start_offset, taken }),
            None => self.names.of_part(&target, directory, start_offset),
        }
    }

    /// Writes rows to a part; answers those that it refused.
    fn write_rows(
        &mut self,
        partition: &TopicPartition,
        part: PartId,
        rows: &Rows,
        taken: &Taken,
    ) -> Result<Vec<u32>, ConnectError> {
        let writer = self.writers.get_mut(partition).expect("its writer is open");
        // Ids ascend.
        let place = writer.parts.binary_search_by_key(&part, |(id, _)| *id);
        let (_, open) = &mut writer.parts[place.expect("rotation writes to parts that it opened")];
        let before = open.buffered_bytes();
        open.turn = self.turn;
        let last = self.layout.as_ref().filter(|layout| layout.keeps_last()).map(|_| rejects::last(rows));
        if last.is_some() {
            open.restart(&*self.format, taken.batch.values.schema())?;
        }
        let rows = last.as_ref().unwrap_or(rows);
        let refused = match open.write(taken, rows) {
            Ok(()) => {
                open.count(&taken.batch.offsets, rows);
                Vec::new()
            }
            // What it replaced is gone.
            Err(error) if last.is_some() => return Err(error),
            Err(error) => self.rejects.write_singly(taken, &rejects::numbers(rows), open, error)?,
        };
        if last.is_none() && self.layout.as_ref().is_some_and(|layout| layout.file_bytes_max().is_some()) {
            open.plain_bytes += taken.plain_bytes(rows.count());
        }
        for file in open.files_mut() {
            if file.send_full_pieces(&mut self.uploader) == Started::Now {
                let upload = file.upload_id().expect("the upload was just started");
                self.flight.track(upload, writer.assignment);
            }
        }
        self.open_bytes = self.open_bytes - before + open.buffered_bytes();
        if !open.is_recalled && open.files().any(OpenFile::wants_recall) {
            open.is_recalled = true;
            self.recalls.push((partition.clone(), part));
        }
        Ok(refused)
    }

    /// When nothing is open, everything seen is done with: skipped records advance the position, too.
    pub(super) fn cut_skipped(&mut self, partition: &TopicPartition) {
        let Some(writer) = self.writers.get_mut(partition) else { return };
        // What is skipped before a decided cut counts with it.
        if writer.cuts.is_repeating() {
            return;
        }
        if writer.rotation.is_empty() && writer.seen_offset > writer.cut_offset {
            let next_offset = writer.seen_offset.expect("greater than None");
            self.flight.cut(writer.assignment, next_offset, 0, true);
            writer.cut_offset = Some(next_offset);
        }
    }
}

/// What comes from values is confined to its directory, so only settings make names without a path.
fn path(name: &str) -> Result<Path, S3SinkError> {
    Path::parse(name).map_err(|err| S3SinkError::Setting {
        message: format!(
            "an object name cannot be stored; check topics.dir, path.format, partition.field.name and \
             directory.delim: {err}"
        ),
    })
}
