//! The task: rows to files, files and positions to snapshots.
//!
//! # Delivery
//! A position becomes durable when the snapshot with its rows is committed; the snapshot holds the position,
//! too. Rows below a position that a table holds are in that table and left out (decision 0017).
//!
//! # Memory
//! Open files of tables as `target.rs` says; finished bytes count as in flight until the store has them. Rows
//! for which a table must be made or changed first are refused until it is.

mod rows;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::memory::MemoryShare;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{NoRoom, Now, Rejected, SinkTask};

use super::columns::Names;
use super::commit::Append;
use super::config::{IcebergConfig, Routing};
use super::data_file::Uploads;
use super::round::{Absence, Answer, Office, Round, Tables};
use super::route::Routes;
use super::schema::Rules;
use super::table::{Positions, TargetTable};
use super::target::{FINISHED_FILES_MAX, FileNames, Target};
use tables::{Change, TABLES_MAX};

/// Row groups and files of fewer bytes are not worth closing while larger ones give back enough.
const WORTH_BYTES: u64 = 64 << 10;
/// The same when they do not.
const NEED_BYTES: u64 = 16 << 10;
/// A task that holds less is not what takes the memory.
const TOO_LARGE_BYTES: u64 = 4 << 20;

/// One task of the Iceberg sink.
pub(super) struct IcebergSinkTask {
    config: IcebergConfig,
    office: Office,
    uploads: Uploads,
    share: MemoryShare,
    can_reject: bool,
    targets: Vec<Target>,
    routes: Option<Routes>,
    /// Tables are being loaded.
    loading: Option<Answer>,
    /// Tables are being made or changed.
    change: Option<Change>,
    /// How often the batch at hand was refused.
    refusals: u32,
    /// Missing tables that were told of.
    told: HashSet<String>,
    /// Batches that came.
    batches: u64,
    /// Tables were loaded once.
    is_started: bool,
    /// Partitions that are open.
    assigned: BTreeSet<TopicPartition>,
    /// Partitions whose positions the tables have not been asked for.
    fresh: BTreeSet<TopicPartition>,
    /// Partitions that are closed: what was taken of them is committed at once.
    is_closing: bool,
    /// Everything below was put, or was none of ours.
    covered: Positions,
    round: Option<Round>,
    due: Option<Instant>,
    durable: Vec<Position>,
    rejected: Vec<Rejected>,
    file_names: FileNames,
}

impl IcebergSinkTask {
    /// # Errors
    /// `Config` when a table has no namespace, or a pattern is none.
    pub(super) fn new(
        config: IcebergConfig,
        office: Office,
        uploads: Uploads,
        share: MemoryShare,
        can_reject: bool,
    ) -> Result<Self, ConnectError> {
        let target = |name: &String| {
            Target::new(name, config.per_table.branch(name)).map_err(|_| {
                ConnectError::config(format!("iceberg.tables: {name} must be a namespace, a dot and a name"))
            })
        };
        let named = config.dynamic_field.clone().map(|field| Routing { field, patterns: Vec::new() });
        let routes = named.as_ref().or(config.routing.as_ref()).map(Routes::new).transpose()?;
        let targets = config.tables.iter().map(target).collect::<Result<Vec<_>, ConnectError>>()?;
        let mut task = Self {
            config,
            office,
            uploads,
            share,
            can_reject,
            targets,
            routes,
            loading: None,
            change: None,
            refusals: 0,
            told: HashSet::new(),
            batches: 0,
            is_started: false,
            assigned: BTreeSet::new(),
            fresh: BTreeSet::new(),
            is_closing: false,
            covered: Positions::new(),
            round: None,
            due: None,
            durable: Vec::new(),
            rejected: Vec::new(),
            file_names: FileNames::new(),
        };
        task.load();
        Ok(task)
    }

    fn names(&self) -> Names {
        self.rules().names
    }

    fn rules(&self) -> Rules {
        let names = Names { ignore_case: self.config.ignores_case };
        Rules { names, force_optional: self.config.shaping.force_optional }
    }

    /// Asks for all tables.
    fn load(&mut self) {
        let may_be_missing = self.config.shaping.creates || self.config.dynamic_field.is_some();
        let absence = if may_be_missing { Absence::IsFine } else { Absence::Fails };
        let idents = self.targets.iter().map(|target| target.ident.clone()).collect();
        self.loading = Some(self.office.load(idents, absence));
    }

    /// Takes the answers of a round, of loading and of a change.
    fn take_answers(&mut self) -> Result<(), ConnectError> {
        if let Some(round) = &self.round
            && let Some(tables) = answered(&round.answer)?
        {
            let covered = self.round.take().map(|round| round.covered).unwrap_or_default();
            self.adopt(tables, Some(&covered))?;
            let position = |(partition, next_offset)| Position { partition, next_offset };
            self.durable.extend(covered.into_iter().map(position));
        }
        if let Some(loading) = &self.loading
            && let Some(tables) = answered(loading)?
        {
            self.loading = None;
            self.adopt(tables, None)?;
            self.fresh.clear();
            self.is_started = true;
        }
        if let Some(change) = &self.change
            && let Some(tables) = answered(&change.answer)?
        {
            let asked_for = self.change.take().map(|change| change.partitions).unwrap_or_default();
            self.adopt_change(tables, &asked_for)?;
        }
        Ok(())
    }

    /// Starts a round or a loading when it is time.
    fn start_work(&mut self, now: Now) -> Result<(), ConnectError> {
        if self.round.is_some() || self.loading.is_some() {
            return Ok(());
        }
        let is_due = *self.due.get_or_insert(now.monotonic + self.config.commit_interval) <= now.monotonic;
        if self.is_closing || is_due || self.is_full() || self.is_too_large() {
            self.due = Some(now.monotonic + self.config.commit_interval);
            self.is_closing = false;
            self.start_round()?;
        }
        if is_due && self.change.is_none() {
            self.forget_missing();
        }
        if self.round.is_none() && self.change.is_none() && !self.fresh.is_empty() {
            self.load();
        }
        Ok(())
    }

    fn start_round(&mut self) -> Result<(), ConnectError> {
        if self.covered.is_empty() {
            return Ok(());
        }
        let covered = std::mem::take(&mut self.covered);
        let (mut appends, mut stored) = (Vec::new(), Vec::new());
        let mut described_bytes = 0;
        for target in &mut self.targets {
            let (files, waits) = target.take_files()?;
            described_bytes += target.described_bytes(files.len());
            let Some(table) = target.loaded.as_ref().filter(|_| !files.is_empty()) else { continue };
            let uuid = table.uuid();
            target.is_in_round = true;
            stored.extend(waits);
            let held = |partition: &TopicPartition| target.held(partition);
            // A table may hold more than was put: its rows were left out.
            let reached = |(partition, next): (&TopicPartition, &i64)| {
                (partition.clone(), held(partition).map_or(*next, |held| held.max(*next)))
            };
            appends.push(Append {
                ident: target.ident.clone(),
                uuid,
                branch: target.branch.clone(),
                files,
                known: covered.keys().map(|partition| (partition.clone(), held(partition))).collect(),
                positions: covered.iter().map(reached).collect(),
            });
        }
        // The library copies them.
        let held = self.uploads.in_flight.take(2 * described_bytes);
        self.round = Some(self.office.commit(appends, stored, covered, held));
        Ok(())
    }

    /// Tells the worker what is held; closes row groups, then ends files, when it holds too much: those worth
    /// it first, smaller ones when that is not enough.
    fn relieve(&mut self) -> Result<(), ConnectError> {
        self.share.set(self.buffered_bytes());
        for bytes_min in [WORTH_BYTES, NEED_BYTES] {
            for give_back in [Target::flush_large, |target: &mut Target, bytes_min, surplus| {
                target.end_large(usize::MAX, bytes_min, surplus)
            }] {
                if !self.share.memory().wants_relief() {
                    return Ok(());
                }
                let mut surplus = self.surplus_bytes();
                for target in &mut self.targets {
                    surplus = surplus.saturating_sub(give_back(target, bytes_min, surplus)?);
                }
                self.share.set(self.buffered_bytes());
            }
        }
        Ok(())
    }

    /// What should be given back, without what is on its way to the store already. While others hold the
    /// most, half of what is held here stays: files would all end as soon as they begin.
    fn surplus_bytes(&self) -> u64 {
        let memory = self.share.memory();
        let surplus = memory.surplus_bytes().saturating_sub(self.uploads.in_flight.used_bytes());
        if memory.is_exhausted() { surplus } else { surplus.min(self.share.bytes() / 2) }
    }

    /// Nothing more may be taken, and files that are too small to be ended hold what is to be given back.
    fn is_too_large(&self) -> bool {
        self.share.memory().is_exhausted() && self.share.bytes() >= TOO_LARGE_BYTES
    }

    /// Files wait that are worth a commit of their own, or too many tables have some.
    fn is_full(&self) -> bool {
        self.targets.iter().map(Target::finished_files).sum::<usize>() >= FINISHED_FILES_MAX
            || self.targets.len() > TABLES_MAX
                && self.targets.iter().filter(|target| target.has_files()).count() > TABLES_MAX
    }

    fn cover(&mut self, partition: &TopicPartition, next: i64) {
        let covered = self.covered.entry(partition.clone()).or_insert(next);
        *covered = next.max(*covered);
    }
}

fn answered(answer: &Answer) -> Result<Option<Tables>, ConnectError> {
    match answer.try_recv() {
        Ok(outcome) => Ok(Some(outcome?)),
        Err(flume::TryRecvError::Empty) => Ok(None),
        Err(flume::TryRecvError::Disconnected) => {
            Err(ConnectError::retriable("Work on tables ended without an answer"))
        }
    }
}

impl SinkTask for IcebergSinkTask {
    /// The tables are there.
    fn has_started(&self) -> bool {
        self.is_started
    }

    fn delivery(&self) -> Option<String> {
        Some("exactly once: snapshots hold the positions of their rows".to_owned())
    }

    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.fresh.extend(partitions.iter().cloned());
        self.assigned.extend(partitions.iter().cloned());
        self.forget_idle(0);
        // Whoever had them may have committed since these tables were asked for.
        self.loading = None;
        Ok(())
    }

    /// Not before the tables said what they hold of every partition, nor while they change or too many files
    /// wait.
    fn no_room(&self) -> Option<NoRoom> {
        let has_room = self.is_started && self.fresh.is_empty() && self.change.is_none() && !self.is_full();
        (!has_room).then_some(NoRoom::Store)
    }

    fn put(&mut self, batch: SinkBatch, _now: Now) -> Result<(), ConnectError> {
        batch.assert_consistent();
        let Some(last) = batch.offsets.last().copied() else { return Ok(()) };
        self.take_batch(&batch)?;
        self.cover(&batch.partition, last + 1);
        self.relieve()
    }

    /// While tables are made or changed for its rows.
    fn may_refuse(&self) -> bool {
        self.adapts()
    }

    fn take_rejected(&mut self, out: &mut Vec<Rejected>) {
        out.append(&mut self.rejected);
    }

    fn passed(&mut self, position: &Position) {
        self.cover(&position.partition, position.next_offset);
    }

    fn poll(&mut self, now: Now) -> Result<(), ConnectError> {
        self.take_answers()?;
        self.start_work(now)?;
        self.relieve()
    }

    fn take_durable(&mut self, out: &mut Vec<Position>) {
        out.append(&mut self.durable);
    }

    /// What was taken is committed with the next round, which begins at once: files hold rows of several
    /// partitions.
    fn close(&mut self, partitions: &[TopicPartition]) {
        self.fresh.retain(|partition| !partitions.contains(partition));
        self.assigned.retain(|partition| !partitions.contains(partition));
        self.is_closing = true;
        self.office.waker.wake();
    }

    fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        let any = |covered: &Positions| partitions.iter().any(|partition| covered.contains_key(partition));
        !any(&self.covered) && !self.round.as_ref().is_some_and(|round| any(&round.covered))
    }

    fn buffered_bytes(&self) -> u64 {
        let bytes = |target: &Target| {
            let metadata = target.loaded.as_ref().filter(|_| self.config.dynamic_field.is_some());
            target.buffered_bytes() + metadata.map_or(0, TargetTable::metadata_bytes)
        };
        self.targets.iter().map(bytes).sum()
    }

    /// Uploads that are not whole leave nothing; a commit that is under way ends by itself, and whoever comes
    /// next finds its positions.
    fn stop(&mut self) {
        self.targets.clear();
        self.loading = None;
        self.change = None;
        self.round = None;
        self.share.set(0);
    }
}
