//! One batch of a source task, from what was polled to rows that are ready, left out or tried again.
//!
//! Source: `AbstractWorkerSourceTask#sendRecords`, `RetryWithToleranceOperator#execAndRetry`, Kafka 4.1.
//! Unlike Java, a retry applies the transforms to the record and those behind it once more, and its time
//! counts over all stages of the record.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use lakeward_api::batch::SinkBatch;
use lakeward_api::record::TopicPartition;
use lakeward_api::source::{SourceBatch, SourcePosition};
use lakeward_api::transform::NO_PARTITION;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_dataplane_core::retry::{NextAttempt, RetryTracker};

use super::super::describe::Origin;
use super::super::judge::Judge;
use super::super::prepare::{self, BadRow, Prepared};
use super::{Next, Step};
use crate::task::Converters;

/// The batch at hand.
pub(super) struct Current {
    positions: Vec<SourcePosition>,
    /// The batch as it was polled, offsets are its rows; kept when rows may be tried again or shown in the
    /// log.
    polled: Option<Rc<SinkBatch>>,
    /// Under this name rows are counted for retries.
    partition: TopicPartition,
    /// What is to be transformed next.
    raw: Option<SinkBatch>,
    transformed: VecDeque<SinkBatch>,
    prepared: Option<Prepared>,
    /// Next row of `prepared`.
    cursor: usize,
    /// Rows that will not be sent and were not told yet; those with a reason failed.
    left_out: BTreeMap<usize, Option<BadRow>>,
    /// Rows from this one on are transformed once more when those before it are gone.
    again: Option<usize>,
}

impl Current {
    /// Nothing of the batch is transformed yet. `keep` keeps it as it was polled.
    pub(super) fn new(
        batch: SourceBatch,
        keep: bool,
        retries: &mut Option<RetryTracker>,
        now: Instant,
    ) -> Self {
        batch.assert_consistent();
        let rows = i64::try_from(batch.rows()).expect("a batch fits into memory");
        let partition =
            TopicPartition::new(Arc::clone(&batch.topic), batch.partition.unwrap_or(NO_PARTITION));
        if let Some(retries) = retries {
            // Row numbers of another batch may still be known.
            retries.after(&partition, None, now, 0);
        }
        let raw = SinkBatch {
            partition: partition.clone(),
            topic: batch.topic,
            offsets: (0..rows).collect(),
            timestamps_ms: batch.timestamps_ms,
            keys: batch.keys,
            values: batch.values,
            headers: batch.headers,
        };
        Self {
            // Positions stay here; the transforms see row numbers.
            positions: batch.positions,
            polled: keep.then(|| Rc::new(raw.clone())),
            partition,
            raw: Some(raw),
            transformed: VecDeque::new(),
            prepared: None,
            cursor: 0,
            left_out: BTreeMap::new(),
            again: None,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.positions.len()
    }

    /// The record that is ready; `before` records of the poll came in earlier batches.
    pub(super) fn record(&self, before: usize) -> Option<Next<'_>> {
        let prepared = self.prepared.as_ref()?;
        let row = prepared.rows.get(self.cursor)?;
        Some(Next {
            prepared,
            row,
            position: &self.positions[row.row],
            number: before + row.row,
            polled: self.polled.as_ref(),
        })
    }

    pub(super) fn sent(&mut self) {
        self.cursor += 1;
    }

    /// `None` when the batch is done.
    pub(super) fn step(
        &mut self,
        converters: &mut Converters,
        retries: &mut Option<RetryTracker>,
        judge: &mut Judge,
        now: Instant,
    ) -> Result<Option<Step>, ConnectError> {
        loop {
            if let Some(raw) = self.raw.take() {
                let transformed = prepare::transform(converters, raw)?;
                self.transformed = transformed.batches.into();
                self.left_out.extend(transformed.dropped.into_iter().map(|row| (row, None)));
                self.take_bad(transformed.bad, retries, judge, now)?;
            }
            let next = self.prepared.as_ref().and_then(|prepared| prepared.rows.get(self.cursor));
            let next = next.map(|row| row.row);
            if next.is_none()
                && let Some(batch) = self.transformed.front()
            {
                if prepare::poll_ready(converters, batch)?.is_pending() {
                    return Ok(Some(Step::Waiting));
                }
                let (prepared, bad) = prepare::encode(converters, batch)?;
                self.transformed.pop_front();
                (self.prepared, self.cursor) = (Some(prepared), 0);
                self.take_bad(bad, retries, judge, now)?;
                continue;
            }
            match (self.left_out.first_entry(), next) {
                (Some(entry), next) if next.is_none_or(|next| *entry.key() < next) => {
                    let (row, bad) = entry.remove_entry();
                    if let Some(bad) = bad {
                        self.refuse(bad, judge)?;
                    }
                    return Ok(Some(Step::Skipped(row, self.positions[row].clone())));
                }
                (_, Some(_)) => return Ok(Some(Step::Ready)),
                _ => {}
            }
            if let Some(due) = self.begin_again(retries, now)? {
                return Ok(Some(Step::Retry(due)));
            }
            if self.raw.is_none() {
                return Ok(None);
            }
        }
    }

    fn refuse(&self, bad: BadRow, judge: &mut Judge) -> Result<(), ConnectError> {
        let BadRow { row, stage, class, error } = bad;
        let position = &self.positions[row];
        let origin = self.polled.as_ref().map(|batch| Origin { position, batch, row });
        judge.refuse(stage, class, error, origin.as_ref())
    }

    /// Rows failed. The first one that may pass later is tried again, and with it those behind it.
    fn take_bad(
        &mut self,
        bad: Vec<BadRow>,
        retries: &mut Option<RetryTracker>,
        judge: &Judge,
        now: Instant,
    ) -> Result<(), ConnectError> {
        let may_pass = |bad: &&BadRow| bad.error.class() == ErrorClass::Retriable;
        let first = bad.iter().filter(may_pass).map(|bad| bad.row).min();
        self.left_out.extend(bad.into_iter().map(|bad| (bad.row, Some(bad))));
        let (Some(first), Some(retries)) = (first, retries) else { return Ok(()) };
        let random = RandomState::new().build_hasher().finish();
        let offset = i64::try_from(first).expect("a batch fits into memory");
        match retries.after(&self.partition, Some(offset), now, random) {
            NextAttempt::Never => Ok(()),
            NextAttempt::Behind { .. } => self.cut(first + 1),
            NextAttempt::Later { .. } => {
                judge.tried_again();
                self.cut(first)
            }
        }
    }

    /// Forgets what became of the rows from `row` on: they are transformed once more.
    fn cut(&mut self, row: usize) -> Result<(), ConnectError> {
        self.left_out.split_off(&row);
        if let Some(prepared) = &mut self.prepared {
            prepared.rows.retain(|prepared| prepared.row < row);
        }
        let mut kept = VecDeque::new();
        for batch in self.transformed.drain(..) {
            let rows = batch.offsets.partition_point(|found| prepare::row_of(*found) < row);
            if rows == batch.rows() {
                kept.push_back(batch);
            } else if rows > 0 {
                kept.push_back(batch.take(&row_numbers(0, rows))?);
            }
        }
        self.transformed = kept;
        self.again = Some(row).filter(|row| *row < self.rows());
        Ok(())
    }

    /// Takes up the rows that are tried again, or says when.
    fn begin_again(
        &mut self,
        retries: &mut Option<RetryTracker>,
        now: Instant,
    ) -> Result<Option<Instant>, ConnectError> {
        let (Some(row), Some(retries), Some(polled)) = (self.again, retries, &self.polled) else {
            return Ok(None);
        };
        let offset = i64::try_from(row).expect("a batch fits into memory");
        if let Some(due) = retries.pause_before(&self.partition, offset, now) {
            return Ok(Some(due));
        }
        self.again = None;
        self.raw = Some(polled.take(&row_numbers(row, self.rows()))?);
        Ok(None)
    }
}

fn row_numbers(from: usize, to: usize) -> Vec<u32> {
    let number = |row: usize| u32::try_from(row).expect("a batch is bounded far below 2^32 records");
    (number(from)..number(to)).collect()
}
