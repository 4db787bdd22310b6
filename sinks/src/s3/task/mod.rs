//! The sink task: joins null policy, partitioner, rotation, encoders and uploads.
//!
//! # Memory
//! Open encoders and finished bytes that wait to become a part are counted by `buffered_bytes`; pieces on
//! their way to the store are counted by the in-flight budget. When open parts exceed that budget's limit,
//! the largest encoders finish their row groups early and full pieces are sent on, without changing where
//! files end.

mod nulls;
mod open_part;
mod rejects;
mod routed;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{Now, Rejected, SinkTask, SinkTaskContext};
use lakeward_formats::file::{
    AvroCodec, AvroFormat, AvroOptions, ByteLinesFormat, ByteLinesOptions, DecimalFormat, FileFormat,
    JsonLinesFormat, JsonLinesOptions, LineCompression, ParquetCodec, ParquetFormat, ParquetOptions,
};
use object_store::path::Path;

use super::compatibility::Compatibility;
use super::config::{FormatKind, S3Config};
use super::error::S3SinkError;
use super::ledger::{CutId, Ledger};
use super::naming::ObjectNames;
use super::partitioner::{Encoded, Partitioner};
use super::rotation::{
    BatchView, Interval, Op, PartId, PartitionChange, Rotation, RotationSettings, Schedule,
};
use super::store::Store;
use super::upload::{Ending, UploadId, Uploader};

use nulls::NullPolicy;
use open_part::OpenPart;
use rejects::Rejects;

/// One task of the S3 sink.
pub(crate) struct S3SinkTask {
    format: Box<dyn FileFormat>,
    names: ObjectNames,
    partitioner: Partitioner,
    rotation_settings: Arc<RotationSettings>,
    nulls: NullPolicy,
    rejects: Rejects,
    wants_bytes: bool,
    uploader: Uploader,
    part_bytes: usize,
    open_bytes_max: u64,
    writers: HashMap<TopicPartition, Writer>,
    /// Assignments by their number, open or closed with uploads in flight.
    assignments: HashMap<AssignmentId, Assignment>,
    next_assignment: u64,
    uploads: HashMap<UploadId, Pending>,
    bucket_check: Option<UploadId>,
    open_bytes: u64,
    ops: Vec<Op>,
}

/// Identifies one stretch between `open` and `close` of a topic-partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AssignmentId(u64);

/// What is in flight for one assignment.
struct Assignment {
    partition: TopicPartition,
    ledger: Ledger,
    uploads_count: usize,
    state: AssignmentState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AssignmentState {
    Closed,
    Open,
}

/// The open parts of one topic-partition.
struct Writer {
    assignment: AssignmentId,
    rotation: Rotation,
    parts: Vec<(PartId, OpenPart)>,
    /// Position behind the last record seen, skipped ones included.
    seen_offset: Option<i64>,
    /// Position of the last cut.
    cut_offset: Option<i64>,
}

/// An upload in flight; without a cut it was dropped before completion.
#[derive(Clone, Copy)]
struct Pending {
    assignment: AssignmentId,
    cut: Option<CutId>,
}

impl S3SinkTask {
    /// A task as `context` configures it.
    pub(crate) fn new(context: SinkTaskContext) -> Result<Self, ConnectError> {
        let config = S3Config::parse(&context.config)?;
        let store = Store::open(&config)?;
        Self::with_store(context, &config, store)
    }

    fn with_store(context: SinkTaskContext, config: &S3Config, store: Store) -> Result<Self, ConnectError> {
        let format = file_format(config)?;
        let partitioner = Partitioner::new(config)?;
        let mut uploader = Uploader::new(
            store,
            context.bridge,
            context.waker,
            context.in_flight.clone(),
            config.lakeward.uploads_in_flight,
        );
        Ok(Self {
            names: ObjectNames::new(config, format.extension()),
            format,
            partitioner,
            rotation_settings: Arc::new(rotation_settings(config)),
            nulls: NullPolicy::new(config),
            rejects: Rejects::new(context.can_reject),
            wants_bytes: config.format() == FormatKind::Bytes,
            bucket_check: Some(uploader.check_bucket()),
            uploader,
            part_bytes: config.bucket.part_bytes,
            open_bytes_max: context.in_flight.limit_bytes(),
            writers: HashMap::new(),
            assignments: HashMap::new(),
            next_assignment: 0,
            uploads: HashMap::new(),
            open_bytes: 0,
            ops: Vec::new(),
        })
    }

    /// The rows of a batch that go to files, and where they go; the others are left out.
    fn admit(&mut self, batch: SinkBatch, now_ms: i64) -> Result<Option<(SinkBatch, Encoded)>, ConnectError> {
        let Some(batch) = self.nulls.apply(batch, &mut self.rejects)? else { return Ok(None) };
        let encoded = match self.partitioner.encode(&batch, now_ms) {
            Ok(encoded) => encoded,
            Err(error) => {
                self.rejects.add_all(&batch, error)?;
                return Ok(None);
            }
        };
        let rows = batch.rows();
        let batch = self.rejects.keep_writable(batch, &*self.format, self.wants_bytes)?;
        match batch {
            None => Ok(None),
            Some(batch) if batch.rows() == rows => Ok(Some((batch, encoded))),
            Some(batch) => {
                let encoded = self.partitioner.encode(&batch, now_ms)?;
                Ok(Some((batch, encoded)))
            }
        }
    }

    /// Carries out the operations of one topic-partition; `batch` is what they refer to.
    fn carry_out(
        &mut self,
        partition: &TopicPartition,
        ops: &mut Vec<Op>,
        batch: Option<&SinkBatch>,
    ) -> Result<(), ConnectError> {
        let writer = self.writers.get_mut(partition).expect("operations come from an open writer");
        for op in ops.drain(..) {
            match op {
                Op::Open { part, encoded_partition, start_offset } => {
                    let (topic, directory) = routed::split(partition, &encoded_partition);
                    let target = TopicPartition::new(topic, partition.partition);
                    let name = self.names.object_name(&target, directory, start_offset)?;
                    // What comes from values is confined to its directory, so only settings make such names.
                    let path = Path::parse(&name).map_err(|err| S3SinkError::Setting {
                        message: format!(
                            "an object name cannot be stored; check path.format, partition.field.name and \
                             directory.delim: {err}"
                        ),
                    })?;
                    let schema = batch.and_then(|batch| batch.values.schema());
                    let encoder = self.format.new_part(schema)?;
                    let open = OpenPart::new(path, schema.cloned(), encoder, self.part_bytes);
                    // An encoder may hold bytes before the first row (a gzip header).
                    self.open_bytes += open.buffered_bytes();
                    writer.parts.push((part, open));
                }
                Op::Write { part, rows } => {
                    let batch = batch.expect("only batches write rows");
                    let (_, open) = writer
                        .parts
                        .iter_mut()
                        .rfind(|(id, _)| *id == part)
                        .expect("rotation writes to parts that it opened");
                    let before = open.buffered_bytes();
                    if let Err(error) = open.write(&batch.values, &rows) {
                        self.rejects.write_singly(batch, &rejects::numbers(&rows), open, error)?;
                    }
                    if open.send_full_pieces(&mut self.uploader) == open_part::Started::Now {
                        let upload = open.upload_id().expect("the upload was just started");
                        track(&mut self.assignments, &mut self.uploads, upload, writer.assignment);
                    }
                    self.open_bytes = self.open_bytes - before + open.buffered_bytes();
                }
                Op::Refuse { rows } => {
                    let batch = batch.expect("only batches have rows to refuse");
                    let reason = self.rotation_settings.compatibility.refusal();
                    self.rejects.add_rows(batch, &rejects::numbers(&rows), reason)?;
                }
                Op::Rotate { next_offset } => {
                    let assignment =
                        self.assignments.get_mut(&writer.assignment).expect("the writer is open");
                    self.open_bytes -=
                        writer.parts.iter().map(|(_, open)| open.buffered_bytes()).sum::<u64>();
                    writer.parts.retain(|(_, open)| !open.is_empty());
                    let cut = assignment.ledger.cut(next_offset, writer.parts.len());
                    writer.cut_offset = Some(next_offset);
                    for (_, open) in writer.parts.drain(..) {
                        let known = open.upload_id();
                        let upload = open.complete(&mut self.uploader)?;
                        if known.is_none() {
                            track(&mut self.assignments, &mut self.uploads, upload, writer.assignment);
                        }
                        self.uploads.get_mut(&upload).expect("the upload is tracked").cut = Some(cut);
                    }
                }
            }
        }
        Ok(())
    }

    /// When nothing is open, everything seen is done with: skipped records advance the position, too.
    fn cut_skipped(&mut self, partition: &TopicPartition) {
        let Some(writer) = self.writers.get_mut(partition) else { return };
        if writer.rotation.is_empty() && writer.seen_offset > writer.cut_offset {
            let next_offset = writer.seen_offset.expect("greater than None");
            let assignment = self.assignments.get_mut(&writer.assignment).expect("the writer is open");
            assignment.ledger.cut(next_offset, 0);
            writer.cut_offset = Some(next_offset);
        }
    }

    /// Takes the outcomes that arrived; the first failure is the answer.
    fn take_outcomes(&mut self) -> Result<(), ConnectError> {
        while let Some(outcome) = self.uploader.next_outcome() {
            if self.bucket_check == Some(outcome.upload) {
                outcome.result?;
                self.bucket_check = None;
                continue;
            }
            let pending =
                self.uploads.remove(&outcome.upload).expect("every upload is tracked until it ends");
            let assignment =
                self.assignments.get_mut(&pending.assignment).expect("assignments outlive their uploads");
            assignment.uploads_count -= 1;
            match (outcome.result, pending.cut) {
                (Ok(Ending::Stored), Some(cut)) => assignment.ledger.stored(cut),
                // Nobody depends on a dropped part, so its failed abort is only worth a line.
                (Ok(_), None) => {}
                (Err(err), None) if assignment.state == AssignmentState::Closed => {
                    tracing::debug!(error = %err, "a dropped part failed to upload");
                }
                (Ok(Ending::Dropped), Some(_)) => {
                    return Err(ConnectError::fatal("a completed file was dropped before it was stored"));
                }
                (Err(err), _) => return Err(err.into()),
            }
        }
        self.assignments.retain(|_, assignment| {
            assignment.state == AssignmentState::Open
                || assignment.uploads_count > 0
                || assignment.ledger.has_durable()
        });
        Ok(())
    }

    /// Gives memory back when open parts hold more than the budget: largest first, full pieces only.
    fn relieve(&mut self) -> Result<(), ConnectError> {
        if self.open_bytes <= self.open_bytes_max {
            return Ok(());
        }
        let mut parts: Vec<(AssignmentId, &mut OpenPart)> = self
            .writers
            .values_mut()
            .flat_map(|writer| {
                let assignment = writer.assignment;
                writer.parts.iter_mut().map(move |(_, open)| (assignment, open))
            })
            .filter(|(_, open)| open.can_relieve())
            .collect();
        parts.sort_by_key(|(_, open)| std::cmp::Reverse(open.buffered_bytes()));
        for (assignment, open) in parts {
            if self.open_bytes <= self.open_bytes_max {
                break;
            }
            let before = open.buffered_bytes();
            open.flush_early()?;
            if open.send_relief(&mut self.uploader) == open_part::Started::Now {
                let upload = open.upload_id().expect("the upload was just started");
                track(&mut self.assignments, &mut self.uploads, upload, assignment);
            }
            self.open_bytes = self.open_bytes - before + open.buffered_bytes();
        }
        Ok(())
    }
}

impl SinkTask for S3SinkTask {
    /// The bucket is there.
    fn has_started(&self) -> bool {
        self.bucket_check.is_none()
    }

    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        for partition in partitions {
            let id = AssignmentId(self.next_assignment);
            self.next_assignment += 1;
            let assignment = Assignment {
                partition: partition.clone(),
                ledger: Ledger::default(),
                uploads_count: 0,
                state: AssignmentState::Open,
            };
            // Positions of an earlier assignment are somebody else's by now.
            for old in self.assignments.values_mut().filter(|old| old.partition == *partition) {
                old.ledger.forget();
            }
            self.assignments.insert(id, assignment);
            let writer = Writer {
                assignment: id,
                rotation: Rotation::new(Arc::clone(&self.rotation_settings)),
                parts: Vec::new(),
                seen_offset: None,
                cut_offset: None,
            };
            if self.writers.insert(partition.clone(), writer).is_some() {
                return Err(ConnectError::fatal(format!("{partition} was opened twice")));
            }
        }
        Ok(())
    }

    fn put(&mut self, batch: SinkBatch, now: Now) -> Result<(), ConnectError> {
        batch.assert_consistent();
        let partition = batch.partition.clone();
        let writer = self
            .writers
            .get_mut(&partition)
            .ok_or_else(|| ConnectError::fatal(format!("No writer found for topic partition {partition}")))?;
        let Some(last) = batch.offsets.last() else { return Ok(()) };
        writer.seen_offset = Some(last + 1);
        if let Some((batch, mut encoded)) = self.admit(batch, now.wall_ms)? {
            routed::mark(&batch, &mut encoded.names);
            let view =
                BatchView { offsets: &batch.offsets, encoded: &encoded, schema: batch.values.schema() };
            let mut ops = std::mem::take(&mut self.ops);
            let writer = self.writers.get_mut(&partition).expect("the writer was just there");
            writer.rotation.put(view, now.wall_ms, &mut ops);
            self.carry_out(&partition, &mut ops, Some(&batch))?;
            self.ops = ops;
        }
        self.cut_skipped(&partition);
        self.relieve()
    }

    fn take_rejected(&mut self, out: &mut Vec<Rejected>) {
        self.rejects.take(out);
    }

    fn passed(&mut self, position: &Position) {
        let Some(writer) = self.writers.get_mut(&position.partition) else { return };
        writer.seen_offset = writer.seen_offset.max(Some(position.next_offset));
        self.cut_skipped(&position.partition);
    }

    fn poll(&mut self, now: Now) -> Result<(), ConnectError> {
        self.take_outcomes()?;
        if self.rotation_settings.schedule.is_none() {
            return Ok(());
        }
        let mut ops = std::mem::take(&mut self.ops);
        let partitions: Vec<TopicPartition> = self.writers.keys().cloned().collect();
        for partition in partitions {
            let writer = self.writers.get_mut(&partition).expect("the key was just read");
            writer.rotation.tick(now.wall_ms, &mut ops);
            self.carry_out(&partition, &mut ops, None)?;
            self.cut_skipped(&partition);
        }
        self.ops = ops;
        Ok(())
    }

    fn take_durable(&mut self, out: &mut Vec<Position>) {
        for assignment in self.assignments.values_mut() {
            if let Some(next_offset) = assignment.ledger.take_durable() {
                out.push(Position { partition: assignment.partition.clone(), next_offset });
            }
        }
    }

    fn close(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            let Some(writer) = self.writers.remove(partition) else { continue };
            // Dropping a part closes its channel, and the upload aborts itself.
            self.open_bytes -= writer.parts.iter().map(|(_, open)| open.buffered_bytes()).sum::<u64>();
            let assignment = self.assignments.get_mut(&writer.assignment).expect("the writer was open");
            assignment.state = AssignmentState::Closed;
        }
    }

    fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        !self
            .assignments
            .values()
            .any(|assignment| assignment.uploads_count > 0 && partitions.contains(&assignment.partition))
    }

    fn buffered_bytes(&self) -> u64 {
        self.open_bytes
    }

    fn stop(&mut self) {
        self.writers.clear();
        self.open_bytes = 0;
        self.uploader.stop();
    }
}

fn track(
    assignments: &mut HashMap<AssignmentId, Assignment>,
    uploads: &mut HashMap<UploadId, Pending>,
    upload: UploadId,
    assignment: AssignmentId,
) {
    assignments.get_mut(&assignment).expect("the writer is open").uploads_count += 1;
    uploads.insert(upload, Pending { assignment, cut: None });
}

fn file_format(config: &S3Config) -> Result<Box<dyn FileFormat>, ConnectError> {
    let compression = match config.bucket.compression_type.as_str() {
        "gzip" => LineCompression::Gzip { level: u32::try_from(config.bucket.compression_level).ok() },
        _ => LineCompression::None,
    };
    Ok(match config.format() {
        FormatKind::Avro => {
            let codec = config.connector.avro_codec.as_deref().and_then(AvroCodec::named);
            Box::new(AvroFormat::new(AvroOptions {
                codec: codec.unwrap_or_default(),
                enhanced: config.connector.enhanced_avro,
                meta_data: config.connector.connect_metadata,
                optional_map_keys: config.connector.allow_optional_map_keys,
            }))
        }
        FormatKind::Bytes => Box::new(ByteLinesFormat::new(ByteLinesOptions {
            extension: config.request.bytes_extension.clone(),
            separator: config.bytes_separator.clone(),
            compression,
        })),
        FormatKind::Json => {
            let numeric = config.bucket.decimal_format.eq_ignore_ascii_case("NUMERIC");
            let decimals = if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 };
            Box::new(JsonLinesFormat::new(JsonLinesOptions { decimals, compression }))
        }
        FormatKind::Parquet => Box::new(ParquetFormat::new(ParquetOptions {
            codec: ParquetCodec::from_name(&config.connector.parquet_codec)?,
            row_group_bytes_max: config.lakeward.row_group_bytes,
            enhanced: config.connector.enhanced_avro,
            meta_data: config.connector.connect_metadata,
        })),
    })
}

fn rotation_settings(config: &S3Config) -> RotationSettings {
    let time_based = config.partitioner_kind().is_time_based();
    let interval_ms = config.connector.rotate_interval_ms;
    if interval_ms > 0 && !time_based {
        tracing::warn!("rotate.interval.ms has no effect without a time-based partitioner");
    }
    let on_partition_change = match config.request.rotate_on_partition_change {
        true => PartitionChange::Rotate,
        false => PartitionChange::Keep,
    };
    let schedule_ms = config.connector.rotate_schedule_interval_ms;
    let zone = super::partitioner::zone::Zone::parse(&config.partitioner.time_zone);
    RotationSettings {
        // 0 and below rotate after every record, as 1 does.
        flush_records: u64::try_from(config.connector.flush_size).unwrap_or(1).max(1),
        interval: (interval_ms > 0 && time_based).then_some(Interval { interval_ms, on_partition_change }),
        schedule: zone.filter(|_| schedule_ms > 0).map(|zone| Schedule { interval_ms: schedule_ms, zone }),
        compatibility: Compatibility::named(&config.connector.schema_compatibility),
        open_parts_max: usize::try_from(config.companion.open_files_max).ok().filter(|max| *max > 0),
    }
}
