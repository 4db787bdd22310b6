//! The task: rows to files, files and positions to snapshots.
//!
//! # Delivery
//! A position becomes durable when the snapshot with its rows is committed; the snapshot holds the position,
//! too. Rows below a position that a table holds are in that table and left out (decision 0017).
//!
//! # Memory
//! Open files of tables as `target.rs` says; finished bytes count as in flight until the store has them.

use std::collections::BTreeSet;
use std::time::Instant;

use iceberg::TableIdent;
use lakeward_api::batch::SinkBatch;
use lakeward_api::memory::MemoryShare;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{NoRoom, Now, Rejected, SinkTask};
use lakeward_api::{ConnectError, ErrorClass};

use super::columns::Names;
use super::commit::Append;
use super::config::IcebergConfig;
use super::data_file::Uploads;
use super::round::{Answer, Office, Round, Tables};
use super::route::Routes;
use super::table::{Positions, positions};
use super::target::{FINISHED_FILES_MAX, FileNames, Target};

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
    /// Tables were loaded once.
    is_started: bool,
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
            let ident = TableIdent::from_strs(name.split('.')).map_err(|_| {
                ConnectError::config(format!("iceberg.tables: {name} must be a namespace, a dot and a name"))
            })?;
            Ok(Target::new(ident))
        };
        let routes = config.routing.as_ref().map(Routes::new).transpose()?;
        let targets = config.tables.iter().map(target).collect::<Result<Vec<_>, ConnectError>>()?;
        Ok(Self {
            loading: Some(office.load(targets.iter().map(|target| target.ident.clone()).collect())),
            config,
            office,
            uploads,
            share,
            can_reject,
            targets,
            routes,
            is_started: false,
            fresh: BTreeSet::new(),
            is_closing: false,
            covered: Positions::new(),
            round: None,
            due: None,
            durable: Vec::new(),
            rejected: Vec::new(),
            file_names: FileNames::new(),
        })
    }

    fn names(&self) -> Names {
        Names { ignore_case: self.config.ignores_case }
    }

    /// Takes the answer of a round or of loading.
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
        Ok(())
    }

    /// Goes on with tables as they are now: after a commit of everything below `committed`, or to learn the
    /// positions of new partitions.
    fn adopt(&mut self, tables: Tables, committed: Option<&Positions>) -> Result<(), ConnectError> {
        for (ident, table) in tables {
            let target = self.targets.iter_mut().find(|target| target.ident == ident);
            let target = target.expect("only tables of this task are asked for");
            let held = positions(table.table.metadata(), &self.office.committer.group)?.unwrap_or_default();
            let learned: Vec<TopicPartition> = match committed {
                Some(committed) => committed.keys().cloned().collect(),
                None => self.fresh.iter().cloned().collect(),
            };
            for partition in learned {
                let position = held.get(&partition).copied();
                if let Some(position) = position.filter(|_| committed.is_none()) {
                    tracing::info!(table = %ident, %partition, position, "rows below are in the table");
                }
                target.held.insert(partition, position);
            }
            target.loaded = Some(table);
        }
        Ok(())
    }

    /// Starts a round or a loading when it is time.
    fn start_work(&mut self, now: Now) -> Result<(), ConnectError> {
        if self.round.is_some() || self.loading.is_some() {
            return Ok(());
        }
        let is_due = *self.due.get_or_insert(now.monotonic + self.config.commit_interval) <= now.monotonic;
        if self.is_closing || is_due || self.is_full() {
            self.due = Some(now.monotonic + self.config.commit_interval);
            self.is_closing = false;
            self.start_round()?;
        }
        if self.round.is_none() && !self.fresh.is_empty() {
            self.loading =
                Some(self.office.load(self.targets.iter().map(|target| target.ident.clone()).collect()));
        }
        Ok(())
    }

    fn start_round(&mut self) -> Result<(), ConnectError> {
        if self.covered.is_empty() {
            return Ok(());
        }
        let covered = std::mem::take(&mut self.covered);
        let (mut appends, mut stored) = (Vec::new(), Vec::new());
        for target in &mut self.targets {
            let (files, waits) = target.take_files()?;
            if files.is_empty() {
                continue;
            }
            stored.extend(waits);
            let held = |partition: &TopicPartition| target.held(partition);
            // A table may hold more than was put: its rows were left out.
            let reached = |(partition, next): (&TopicPartition, &i64)| {
                (partition.clone(), held(partition).map_or(*next, |held| held.max(*next)))
            };
            appends.push(Append {
                ident: target.ident.clone(),
                files,
                known: covered.keys().map(|partition| (partition.clone(), held(partition))).collect(),
                positions: covered.iter().map(reached).collect(),
            });
        }
        self.round = Some(self.office.commit(appends, stored, covered));
        Ok(())
    }

    /// Appends the rows of a batch to the files of the tables that they go to.
    fn take_rows(&mut self, batch: &SinkBatch) -> Result<(), ConnectError> {
        let names = self.names();
        let routed = match &mut self.routes {
            Some(routes) => Some(routes.rows(&batch.topic, &batch.values)?),
            None => None,
        };
        let mut made = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            let held = target.held(&batch.partition).unwrap_or(i64::MIN);
            let first = batch.offsets.partition_point(|offset| *offset < held);
            let values = match &routed {
                None => batch.values.slice(first, batch.rows() - first),
                Some(routed) => {
                    let rows = &routed[index];
                    batch.values.take(&rows[rows.partition_point(|row| (*row as usize) < first)..])?
                }
            };
            if values.rows() > 0 {
                made.push((index, target.groups(&values, names)?));
            }
        }
        for (index, groups) in made {
            for (partition, columns) in groups {
                self.targets[index].write(partition, columns, &mut self.file_names, &self.uploads)?;
            }
        }
        Ok(())
    }

    /// The same, one by one: what cannot be stored is left out.
    fn take_single_rows(&mut self, batch: &SinkBatch) -> Result<(), ConnectError> {
        for row in 0..batch.rows() {
            let row = u32::try_from(row).map_err(|_| ConnectError::fatal("A batch has too many rows"))?;
            let single = batch.take(&[row])?;
            match self.take_rows(&single) {
                Err(error) if error.class() == ErrorClass::Record => {
                    let (partition, offset) = (single.partition, single.offsets[0]);
                    self.rejected.push(Rejected { partition, offset, error });
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Tells the worker what is held; closes row groups, then files, when it holds too much.
    fn relieve(&mut self) -> Result<(), ConnectError> {
        self.share.set(self.buffered_bytes());
        if self.share.memory().wants_relief() {
            self.targets.iter_mut().try_for_each(Target::flush_early)?;
            self.share.set(self.buffered_bytes());
        }
        if self.share.memory().wants_relief() {
            let mut surplus = self.share.memory().surplus_bytes();
            for target in &mut self.targets {
                surplus = surplus.saturating_sub(target.give_back(surplus)?);
            }
            self.share.set(self.buffered_bytes());
        }
        Ok(())
    }

    /// Files wait that are worth a commit of their own.
    fn is_full(&self) -> bool {
        self.targets.iter().map(Target::finished_files).sum::<usize>() >= FINISHED_FILES_MAX
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
        // Whoever had them may have committed since these tables were asked for.
        self.loading = None;
        Ok(())
    }

    /// Not before the tables said what they hold of every partition, nor while too many files wait.
    fn no_room(&self) -> Option<NoRoom> {
        let has_room = self.is_started && self.fresh.is_empty() && !self.is_full();
        (!has_room).then_some(NoRoom::Store)
    }

    fn put(&mut self, batch: SinkBatch, _now: Now) -> Result<(), ConnectError> {
        batch.assert_consistent();
        let Some(last) = batch.offsets.last().copied() else { return Ok(()) };
        match self.take_rows(&batch) {
            Err(error) if self.can_reject && error.class() == ErrorClass::Record => {
                self.take_single_rows(&batch)?;
            }
            outcome => outcome?,
        }
        self.cover(&batch.partition, last + 1);
        self.relieve()
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
        self.is_closing = true;
        self.office.waker.wake();
    }

    fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        let any = |covered: &Positions| partitions.iter().any(|partition| covered.contains_key(partition));
        !any(&self.covered) && !self.round.as_ref().is_some_and(|round| any(&round.covered))
    }

    fn buffered_bytes(&self) -> u64 {
        self.targets.iter().map(Target::buffered_bytes).sum()
    }

    /// Uploads that are not whole leave nothing; a commit that is under way ends by itself, and whoever comes
    /// next finds its positions.
    fn stop(&mut self) {
        self.targets.clear();
        self.loading = None;
        self.round = None;
        self.share.set(0);
    }
}
