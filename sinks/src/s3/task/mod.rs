//! The sink task: joins null policy, partitioner, rotation, encoders and uploads.
//!
//! # Memory
//! Rows that wait, open encoders and finished bytes that wait to become a part are counted by
//! `buffered_bytes`; pieces on their way to the store are counted by the in-flight budget. What gives way
//! when there is too little memory is in `relief.rs`; where files end never depends on it.

mod carry_out;
mod companions;
mod cuts;
mod encoder;
mod ended;
mod finishing;
mod flight;
mod gather;
mod guarantee;
mod handover;
mod header_column;
mod layout;
mod merging;
mod nameable;
mod nulls;
mod open_file;
mod open_part;
mod rejects;
mod relief;
mod routed;
mod setup;
mod spilled;
mod taken;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::bridge::Waker;
use lakeward_api::budget::Budget;
use lakeward_api::cuts::{Decision, Fingerprint, Opening};
use lakeward_api::handover::OpenState;
use lakeward_api::memory::{MemoryKind, MemoryShare};
use lakeward_api::metrics::StoreConditions;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{NoRoom, Now, Rejected, SinkTask, SinkTaskContext};
use lakeward_formats::file::FileFormat;

use super::config::{FormatKind, S3Config};
use super::naming::{Extensions, ObjectNames};
use super::partitioner::Partitioner;
use super::rotation::{Op, PartId, Rotation, RotationSettings};
use super::settings::Settings;
use super::store::{Store, Sweeper};
use super::upload::{UploadId, Uploader};

use companions::{Companions, HeaderFormat, KeyFormat};
use cuts::{Cuts, Held};
use ended::Ended;
use finishing::Finishing;
use flight::{AssignmentId, Flight};
use gather::SharedBytes;
use nulls::NullPolicy;
use open_part::OpenPart;
use relief::PartKey;
use spilled::Spiller;

pub(crate) use guarantee::{Guarantee, fingerprint_of};
pub(crate) use layout::{Design, Layout, NewPart};
pub(crate) use rejects::Rejects;
pub(crate) use routed::SEPARATOR;

/// One task of the S3 sink.
pub(crate) struct S3SinkTask {
    format: Arc<dyn FileFormat>,
    companions: Companions,
    names: ObjectNames,
    partitioner: Partitioner,
    /// Stands for names, partitioner, null policy and companions, when it is there.
    layout: Option<Box<dyn Layout>>,
    rotation_settings: Arc<RotationSettings>,
    nulls: NullPolicy,
    rejects: Rejects,
    wants_bytes: bool,
    uploader: Uploader,
    sweeper: Option<Arc<Sweeper>>,
    part_bytes: usize,
    open_bytes_max: u64,
    writers: HashMap<TopicPartition, Writer>,
    flight: Flight,
    guarantee: Guarantee,
    conditions: Arc<StoreConditions>,
    fingerprint: Fingerprint,
    decisions: Vec<Decision>,
    bucket_check: Option<UploadId>,
    /// Of open and ended parts, without the columns that rows wait in.
    open_bytes: u64,
    shared_bytes: SharedBytes,
    /// Large files are looked for from here on.
    send_from_bytes: u64,
    in_flight: Budget,
    share: MemoryShare,
    spiller: Option<Spiller>,
    /// Parts that are still to give way, the next one last.
    relief: Vec<PartKey>,
    /// All of them did, and that was not enough.
    is_in_need: bool,
    /// Open parts that are being brought back from disk.
    recalls: Vec<PartKey>,
    /// Of all topic-partitions.
    held: Held,
    finishing: Finishing,
    ended: Ended,
    waker: Waker,
    /// Calls of `put`.
    turn: u64,
    /// Some partitions may be repeating decided cuts.
    may_repeat: bool,
    /// When scheduled rotation strikes next; `None` when it has to be looked up.
    tick_due_ms: Option<i64>,
    /// Since the last look at outcomes.
    round: Round,
    write_duration_max: Duration,
    /// How long open files wait for another owner.
    handover: Option<Duration>,
    ops: Vec<Op>,
}

/// The open parts of one topic-partition.
struct Writer {
    assignment: AssignmentId,
    rotation: Rotation,
    /// In the order of their ids.
    parts: Vec<(PartId, OpenPart)>,
    cuts: Cuts,
    /// Position behind the last record seen, skipped ones included.
    seen_offset: Option<i64>,
    /// Position of the last cut.
    cut_offset: Option<i64>,
}

/// Batches that were written one after the other. Source: `TopicPartitionWriter#write`,
/// `max.write.duration.ms`.
#[derive(Default)]
struct Round {
    began: Option<Instant>,
    took: Duration,
}

impl Round {
    fn goes_on(&mut self, now: Instant) {
        self.took = now - *self.began.get_or_insert(now);
    }
}

impl Writer {
    fn open_bytes(&self) -> u64 {
        self.parts.iter().map(|(_, open)| open.buffered_bytes()).sum()
    }

    fn buffered_bytes(&self) -> u64 {
        self.open_bytes() + self.cuts.buffered_bytes()
    }
}

impl S3SinkTask {
    /// A task of the S3 sink as `context` configures it.
    pub(crate) fn new(context: SinkTaskContext) -> Result<Self, ConnectError> {
        let config = S3Config::parse(&context.config)?;
        let store = Store::open(&config, &context.connector)?;
        Self::with_store(context, &config.settings, store)
    }

    /// A task with `config` that writes to `store`.
    pub(crate) fn with_store(
        context: SinkTaskContext,
        config: &Settings,
        store: Store,
    ) -> Result<Self, ConnectError> {
        let design = Design::of(config, &context.config)?;
        Self::with_design(context, config, store, design)
    }

    /// A task that stores what `design` says in `store`; the rest is as `config` has it.
    pub(crate) fn with_design(
        context: SinkTaskContext,
        config: &Settings,
        store: Store,
        design: Design,
    ) -> Result<Self, ConnectError> {
        let Design { format, guarantee, fingerprint, rotation, home, layout } = design;
        let companions = setup::companions(config)?;
        let extensions = Extensions {
            values: format.extension(),
            keys: companions.keys.as_ref().map(KeyFormat::extension),
            headers: companions.headers.as_ref().map(HeaderFormat::extension),
        };
        let partitioner = Partitioner::new(config)?;
        tracing::info!(%guarantee, "delivery");
        let sweeper = Sweeper::new(config, &format.extension());
        let (conditions, probe) = store.conditions(&home, config.lakeward.probe_conditions);
        let mut uploader = Uploader::new(
            store,
            context.bridge,
            context.waker.clone(),
            context.in_flight.clone(),
            config.lakeward.uploads_in_flight,
        );
        Ok(Self {
            names: ObjectNames::new(config, extensions),
            format: format.into(),
            companions,
            partitioner,
            layout,
            rotation_settings: Arc::new(rotation),
            nulls: NullPolicy::new(&config.output),
            rejects: Rejects::new(context.can_reject),
            wants_bytes: config.format() == FormatKind::Bytes,
            bucket_check: Some(uploader.check_bucket(probe)),
            uploader,
            sweeper: sweeper.map(Arc::new),
            part_bytes: config.output.part_bytes,
            open_bytes_max: context.in_flight.limit_bytes(),
            send_from_bytes: context.in_flight.limit_bytes(),
            in_flight: context.in_flight,
            share: context.room.memory.share(MemoryKind::Open),
            spiller: context.room.disk.map(Spiller::new),
            shared_bytes: SharedBytes::default(),
            relief: Vec::new(),
            is_in_need: false,
            recalls: Vec::new(),
            held: Held::default(),
            finishing: Finishing::default(),
            ended: Ended::new(context.files),
            waker: context.waker,
            turn: 0,
            may_repeat: false,
            tick_due_ms: None,
            round: Round::default(),
            write_duration_max: config.output.write_duration_max,
            handover: config.lakeward.handover(),
            writers: HashMap::new(),
            flight: Flight::default(),
            guarantee,
            conditions,
            fingerprint,
            decisions: Vec::new(),
            open_bytes: 0,
            ops: Vec::new(),
        })
    }

    /// Begins an assignment.
    fn open_one(&mut self, Opening { partition, cuts, .. }: &Opening) -> Result<(), ConnectError> {
        self.may_repeat |= !cuts.is_empty();
        self.tick_due_ms = None;
        let mut rotation = Rotation::new(Arc::clone(&self.rotation_settings));
        rotation.repeat(!cuts.is_empty());
        let writer = Writer {
            assignment: self.flight.open(partition),
            rotation,
            parts: Vec::new(),
            cuts: Cuts::repeating(cuts),
            seen_offset: None,
            cut_offset: None,
        };
        match self.writers.insert(partition.clone(), writer) {
            Some(_) => Err(ConnectError::fatal(format!("{partition} was opened twice"))),
            None => Ok(()),
        }
    }

    /// Makes decided cuts that were reached without a record behind them.
    fn repeat_passed(&mut self) -> Result<(), ConnectError> {
        let is_repeating = |writer: &Writer| writer.cuts.is_repeating();
        self.may_repeat = self.may_repeat && self.writers.values().any(is_repeating);
        if !self.may_repeat {
            return Ok(());
        }
        let repeating = self.writers.iter().filter(|(_, writer)| is_repeating(writer));
        let partitions: Vec<TopicPartition> = repeating.map(|(partition, _)| partition.clone()).collect();
        for partition in partitions {
            self.repeat_reached(&partition)?;
            self.cut_skipped(&partition);
        }
        Ok(())
    }

    /// Lets scheduled rotation strike without records.
    fn tick(&mut self, now: Now) -> Result<(), ConnectError> {
        let Some(schedule) = self.rotation_settings.schedule else { return Ok(()) };
        if self.tick_due_ms.is_some_and(|due| now.wall_ms < due) {
            return Ok(());
        }
        self.tick_due_ms = Some(schedule.next_after(now.wall_ms));
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

    /// Takes the outcomes that arrived; the first failure is the answer.
    fn take_outcomes(&mut self) -> Result<(), ConnectError> {
        while let Some(outcome) = self.uploader.next_outcome() {
            if self.bucket_check == Some(outcome.upload) {
                outcome.result?;
                self.bucket_check = None;
                continue;
            }
            self.flight.ended(outcome)?;
        }
        self.flight.sweep();
        Ok(())
    }
}

impl SinkTask for S3SinkTask {
    /// The bucket is there.
    fn has_started(&self) -> bool {
        self.bucket_check.is_none()
    }

    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        let opening = |partition: &TopicPartition| Opening {
            partition: partition.clone(),
            committed: None,
            cuts: Vec::new(),
        };
        self.open_at(&partitions.iter().map(opening).collect::<Vec<_>>())
    }

    fn delivery(&self) -> Option<String> {
        Some(self.guarantee.to_string())
    }

    fn store_conditions(&self) -> Option<Arc<StoreConditions>> {
        Some(Arc::clone(&self.conditions))
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        Some(self.fingerprint.clone())
    }

    fn open_at(&mut self, openings: &[Opening]) -> Result<(), ConnectError> {
        if let Some(sweeper) = &self.sweeper {
            let partitions: Vec<_> = openings.iter().map(|opening| opening.partition.clone()).collect();
            self.uploader.sweep(sweeper, &partitions);
        }
        openings.iter().try_for_each(|opening| self.open_one(opening))
    }

    fn hands_over(&self) -> Option<Duration> {
        self.handover
    }

    fn part_with(&mut self, partition: &TopicPartition) -> Option<Box<dyn OpenState>> {
        self.park(partition)
    }

    fn adopt(&mut self, opening: &Opening, state: Box<dyn OpenState>) -> Result<(), ConnectError> {
        self.go_on(opening, state)
    }

    fn put(&mut self, batch: SinkBatch, now: Now) -> Result<(), ConnectError> {
        batch.assert_consistent();
        self.turn += 1;
        self.round.goes_on(now.monotonic);
        if self.round.took > self.write_duration_max {
            self.waker.wake();
        }
        let partition = batch.partition.clone();
        let Some(writer) = self.writers.get(&partition) else {
            return Err(ConnectError::fatal(format!("No writer found for topic partition {partition}")));
        };
        if batch.offsets.is_empty() {
            return Ok(());
        }
        let rest = match writer.cuts.is_repeating() {
            true => self.put_repeated(&partition, batch, now)?,
            false => Some(batch),
        };
        if let Some(batch) = rest {
            self.follow_clock(&partition, batch.offsets[0], now.wall_ms)?;
            self.take_in(&partition, batch, now.wall_ms)?;
            self.cut_full(&partition)?;
        }
        self.cut_skipped(&partition);
        self.finish_parts()?;
        self.relieve()
    }

    fn take_decisions(&mut self, out: &mut Vec<Decision>) {
        out.append(&mut self.decisions);
    }

    fn decided(&mut self, partition: &TopicPartition, end: i64) -> Result<(), ConnectError> {
        self.complete_decided(partition, end);
        self.finish_parts()
    }

    fn no_room(&self) -> Option<NoRoom> {
        // After a round, what the store has taken is looked at first.
        if self.has_too_many_endings() || self.round.took > self.write_duration_max {
            return Some(NoRoom::Store);
        }
        self.holds_too_much().then_some(NoRoom::Decisions)
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
        if let Some(failure) = self.spiller.as_ref().and_then(Spiller::take_failure) {
            return Err(failure);
        }
        self.round = Round::default();
        self.tell_schema_storm(now);
        self.take_outcomes()?;
        self.complete_waiting();
        self.repeat_passed()?;
        self.tick(now)?;
        self.recall_open()?;
        self.finish_parts()?;
        self.relieve()
    }

    fn take_durable(&mut self, out: &mut Vec<Position>) {
        self.flight.take_durable(out);
    }

    fn close(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            let Some(writer) = self.writers.remove(partition) else { continue };
            // Dropping a part closes its channel, and the upload aborts itself.
            self.open_bytes -= writer.buffered_bytes();
            self.held -= writer.cuts.held();
            self.flight.close(writer.assignment);
        }
        self.share.set(self.held_bytes());
        self.decisions.retain(|decision| !partitions.contains(&decision.partition));
    }

    fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        self.flight.is_settled(partitions)
    }

    fn buffered_bytes(&self) -> u64 {
        self.held_bytes()
    }

    fn stop(&mut self) {
        self.writers.clear();
        self.finishing.clear();
        self.held = Held::default();
        self.open_bytes = 0;
        self.share.set(0);
        self.uploader.stop();
    }
}
