//! The chain of transforms of one task: built from the connector's configuration, applied batch by batch.
//!
//! A predicate splits a batch into the rows that its transform sees and the rows that pass it by; afterwards
//! both come together again in the order of the input. Every input row is accounted for: it is in one output
//! batch, in the errors or among the dropped.
//!
//! Source: `ConnectorConfig#transformationStages`, `TransformationChain`, `TransformationStage`, Kafka 4.1.

mod config;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;

use lakeward_api::batch::SinkBatch;
use lakeward_api::transform::{Predicate, Tested, Transform};
use lakeward_api::{ConnectError, ErrorClass};

use crate::{filter, merge};

/// The transforms of a task in the order of `transforms`. One per task, used from one shard.
pub struct Chain {
    stages: Vec<Stage>,
}

/// The outcome of a chain for one batch.
#[derive(Debug, Default)]
pub struct Applied {
    /// What goes on to the sink: in offset order, never empty ones.
    pub batches: Vec<SinkBatch>,
    /// Records that failed alone, by offset.
    pub errors: Vec<ChainError>,
    /// Offsets of the records that a transform dropped on purpose, ascending. They count as done.
    pub dropped: Vec<i64>,
}

/// A record that failed in a transform or its predicate.
#[derive(Debug)]
pub struct ChainError {
    /// Offset in the original topic-partition.
    pub offset: i64,
    /// Java class name of the transform, as errors and dead letter headers name it.
    pub class: &'static str,
    /// The failure.
    pub error: ConnectError,
}

struct Stage {
    class: &'static str,
    transform: Box<dyn Transform>,
    predicate: Option<Test>,
}

struct Test {
    predicate: Box<dyn Predicate>,
    negate: bool,
}

impl Chain {
    /// True when there is no transform: batches can go on as they are.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Prepares the chain for records of a source connector: see [`Transform::expect_source_records`].
    #[must_use]
    pub fn of_source(mut self) -> Self {
        self.stages.iter_mut().for_each(|stage| stage.transform.expect_source_records());
        self
    }

    /// Applies every transform to `batch`.
    ///
    /// # Errors
    /// What fails the task whatever `errors.tolerance` says: class `Fatal`, also when a transform loses or
    /// invents rows, and `Config`.
    pub fn apply(&mut self, batch: SinkBatch) -> Result<Applied, ConnectError> {
        let rows = batch.rows();
        let mut applied = Applied::default();
        let mut batches = vec![batch];
        for stage in &mut self.stages {
            let mut next = Vec::with_capacity(batches.len());
            for batch in batches {
                stage.apply(batch, &mut next, &mut applied)?;
            }
            batches = next;
        }
        batches.retain(|batch| batch.rows() > 0);
        applied.batches = batches;
        applied.errors.sort_by_key(|error| error.offset);
        applied.dropped.sort_unstable();
        let kept: usize = applied.batches.iter().map(SinkBatch::rows).sum();
        if kept + applied.errors.len() + applied.dropped.len() != rows {
            return Err(ConnectError::fatal("the transforms lost count of their records"));
        }
        Ok(applied)
    }
}

impl Stage {
    fn apply(
        &mut self,
        batch: SinkBatch,
        next: &mut Vec<SinkBatch>,
        applied: &mut Applied,
    ) -> Result<(), ConnectError> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let Some(test) = &mut self.predicate else { return self.transform(batch, next, applied) };
        let answers = match test.predicate.test(&batch) {
            Ok(Tested::All(answer)) if answer != test.negate => {
                return self.transform(batch, next, applied);
            }
            Ok(Tested::All(_)) => {
                next.push(batch);
                return Ok(());
            }
            Ok(Tested::Rows(answers)) => answers,
            Err(err) if err.class() == ErrorClass::Record => {
                self.fail_all(&batch, &err, applied);
                return Ok(());
            }
            Err(err) => return Err(err),
        };
        if answers.len() != batch.rows() {
            return Err(ConnectError::fatal("a predicate answered for another number of records"));
        }
        let negate = test.negate;
        let mut batch = batch;
        let (chosen, left) = split(&answers, negate);
        if left.is_empty() {
            return self.transform(batch, next, applied);
        }
        if chosen.is_empty() {
            next.push(batch);
            return Ok(());
        }
        if self.class == filter::CLASS {
            applied.dropped.extend(chosen.iter().map(|row| batch.offsets[*row as usize]));
            next.push(merge::move_rows(&mut batch, &left)?);
            return Ok(());
        }
        let mut transformed = Vec::new();
        let chosen = merge::move_rows(&mut batch, &chosen)?;
        self.transform(chosen, &mut transformed, applied)?;
        merge::in_order(merge::move_rows(&mut batch, &left)?, transformed, next)
    }

    fn transform(
        &mut self,
        batch: SinkBatch,
        next: &mut Vec<SinkBatch>,
        applied: &mut Applied,
    ) -> Result<(), ConnectError> {
        let offsets = batch.offsets.clone();
        let outcome = self.transform.apply(batch)?;
        let kept: usize = outcome.batches.iter().map(SinkBatch::rows).sum();
        if kept + outcome.errors.len() < offsets.len() {
            let known = outcome.batches.iter().flat_map(|batch| &batch.offsets);
            let mut known: Vec<i64> = known.chain(outcome.errors.iter().map(|(at, _)| at)).copied().collect();
            known.sort_unstable();
            applied.dropped.extend(offsets.iter().filter(|at| known.binary_search(at).is_err()));
        }
        for (offset, error) in outcome.errors {
            applied.errors.push(ChainError { offset, class: self.class, error });
        }
        next.extend(outcome.batches.into_iter().filter(|batch| batch.rows() > 0));
        Ok(())
    }

    fn fail_all(&self, batch: &SinkBatch, err: &ConnectError, applied: &mut Applied) {
        for offset in &batch.offsets {
            let error = ConnectError::new(err.class(), err.java_class(), err.to_string());
            applied.errors.push(ChainError { offset: *offset, class: self.class, error });
        }
    }
}

/// The rows that the transform sees and the rows that pass it by.
fn split(answers: &[bool], negate: bool) -> (Vec<u32>, Vec<u32>) {
    let rows = 0u32..;
    let (chosen, left): (Vec<_>, Vec<_>) = rows.zip(answers).partition(|(_, answer)| **answer != negate);
    let rows = |pairs: Vec<(u32, &bool)>| pairs.into_iter().map(|(row, _)| row).collect();
    (rows(chosen), rows(left))
}
