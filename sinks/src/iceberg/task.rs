//! The task: rows to files, files and positions to snapshots.
//!
//! # Delivery
//! A position becomes durable when the snapshot with its rows is committed; the snapshot holds the position,
//! too. Rows below a position that a table holds are in that table and left out (decision 0017).
//!
//! # Memory
//! One open file per table, as `ColumnarFile` says; finished bytes count as in flight until the store has
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use iceberg::TableIdent;
use iceberg::spec::DataFile;
use lakeward_api::batch::SinkBatch;
use lakeward_api::memory::MemoryShare;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{Now, Rejected, SinkTask};
use lakeward_api::{ConnectError, ErrorClass};
use uuid::Uuid;

use super::columns::Names;
use super::commit::Append;
use super::config::IcebergConfig;
use super::data_file::{OpenFile, Stored, Uploads};
use super::round::{Answer, Office, Round, Tables};
use super::rows;
use super::table::{Positions, TargetTable, positions};

/// Smaller row groups are not worth closing.
const KEPT_BYTES: u64 = 1 << 20;

/// One task of the Iceberg sink.
pub(super) struct IcebergSinkTask {
    config: IcebergConfig,
    office: Office,
    uploads: Uploads,
    share: MemoryShare,
    can_reject: bool,
    targets: Vec<Target>,
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
    files_made: u64,
    run: Uuid,
}

/// One table.
struct Target {
    ident: TableIdent,
    loaded: Option<TargetTable>,
    /// Of open partitions: what the table holds.
    held: BTreeMap<TopicPartition, Option<i64>>,
    open: Option<OpenFile>,
    finished: Vec<(DataFile, Stored)>,
}

impl Target {
    fn end_file(&mut self) -> Result<(), ConnectError> {
        if let Some(open) = self.open.take() {
            self.finished.push(open.finish()?);
        }
        Ok(())
    }
}

impl IcebergSinkTask {
    /// # Errors
    /// `Config` when a table has no namespace.
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
            Ok(Target { ident, loaded: None, held: BTreeMap::new(), open: None, finished: Vec::new() })
        };
        let targets = config.tables.iter().map(target).collect::<Result<Vec<_>, ConnectError>>()?;
        Ok(Self {
            loading: Some(office.load(targets.iter().map(|target| target.ident.clone()).collect())),
            config,
            office,
            uploads,
            share,
            can_reject,
            targets,
            is_started: false,
            fresh: BTreeSet::new(),
            is_closing: false,
            covered: Positions::new(),
            round: None,
            due: None,
            durable: Vec::new(),
            rejected: Vec::new(),
            files_made: 0,
            run: Uuid::new_v4(),
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
        if self.is_closing || is_due {
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
            target.end_file()?;
            if target.finished.is_empty() {
                continue;
            }
            let (files, waits): (Vec<_>, Vec<_>) = target.finished.drain(..).unzip();
            stored.extend(waits);
            let held = |partition: &TopicPartition| target.held.get(partition).copied().flatten();
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

    /// Appends the rows of a batch to the files of all tables.
    fn take_rows(&mut self, batch: &SinkBatch) -> Result<(), ConnectError> {
        let names = self.names();
        let mut made = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            let held = target.held.get(&batch.partition).copied().flatten().unwrap_or(i64::MIN);
            let first = batch.offsets.partition_point(|offset| *offset < held);
            if first == batch.rows() {
                continue;
            }
            let values = batch.values.slice(first, batch.rows() - first);
            let loaded = target.open.as_ref().map_or(target.loaded.as_ref(), |open| Some(open.target()));
            let loaded =
                loaded.ok_or_else(|| ConnectError::fatal("Rows were put before tables were loaded"))?;
            if let Some(columns) = rows::columns(loaded.fields(), &values, names)? {
                made.push((index, columns));
            }
        }
        for (index, columns) in made {
            let target = &mut self.targets[index];
            if target.open.is_none() {
                let loaded = target.loaded.as_ref().expect("it was just there");
                self.files_made += 1;
                let name = format!("{}-{:05}.parquet", self.run, self.files_made);
                target.open = Some(OpenFile::create(loaded, &name, &self.uploads)?);
            }
            let open = target.open.as_mut().expect("it was just made");
            open.write(columns)?;
            if open.bytes() >= open.target().file_bytes_target() {
                target.end_file()?;
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

    /// Tells the worker what is held; closes row groups when it holds too much.
    fn relieve(&mut self) -> Result<(), ConnectError> {
        self.share.set(self.buffered_bytes());
        if self.share.memory().wants_relief() {
            let open = self.targets.iter_mut().filter_map(|target| target.open.as_mut());
            for large in open.filter(|open| open.buffered_bytes() > KEPT_BYTES) {
                large.flush_early()?;
            }
            self.share.set(self.buffered_bytes());
        }
        Ok(())
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

    /// Not before the tables said what they hold of every partition.
    fn has_room(&self) -> bool {
        self.is_started && self.fresh.is_empty()
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
        self.targets.iter().filter_map(|target| target.open.as_ref()).map(OpenFile::buffered_bytes).sum()
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
