//! The rows of a batch: to which tables they go, what these need first, and into their files.

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::sink::Rejected;
use lakeward_api::{ConnectError, ErrorClass};

use super::IcebergSinkTask;
use super::tables::Wishes;

/// Rows by the index of their table.
pub(super) type Routed = Vec<(usize, Values)>;

impl IcebergSinkTask {
    /// Appends the rows of a batch to the files of their tables.
    ///
    /// # Errors
    /// `Retriable` when tables must be made or changed first: nothing was taken.
    pub(super) fn take_batch(&mut self, batch: &SinkBatch) -> Result<(), ConnectError> {
        self.batches += 1;
        self.make_room_for_tables();
        let mut wishes = Wishes::new();
        let planned = self.planned(batch, &mut wishes);
        let routed = match planned {
            Err(error) if self.is_rejectable(&error) => {
                wishes.clear();
                self.plan_singly(batch, &mut wishes)?;
                None
            }
            routed => Some(routed?),
        };
        self.fulfil(wishes)?;
        self.refusals = 0;
        match routed.map(|routed| self.store(routed)) {
            Some(Err(error)) if !self.is_rejectable(&error) => Err(error),
            Some(Ok(())) => Ok(()),
            None | Some(Err(_)) => self.take_singly(batch),
        }
    }

    fn is_rejectable(&self, error: &ConnectError) -> bool {
        self.can_reject && error.class() == ErrorClass::Record
    }

    /// Finds the tables of the rows, and adds to `wishes` what these need.
    fn planned(&mut self, batch: &SinkBatch, wishes: &mut Wishes) -> Result<Routed, ConnectError> {
        let routed = self.routed(batch)?;
        if self.adapts() {
            for (index, values) in &routed {
                self.wish(*index, values, wishes)?;
            }
        }
        Ok(routed)
    }

    /// The same row by row; those that cannot be are rejected when they are taken.
    fn plan_singly(&mut self, batch: &SinkBatch, wishes: &mut Wishes) -> Result<(), ConnectError> {
        for row in 0..batch.rows() {
            match self.planned(&single(batch, row)?, wishes) {
                Err(error) if error.class() == ErrorClass::Record => {}
                planned => drop(planned?),
            }
        }
        Ok(())
    }

    /// What cannot be stored is left out.
    fn take_singly(&mut self, batch: &SinkBatch) -> Result<(), ConnectError> {
        for row in 0..batch.rows() {
            let single = single(batch, row)?;
            let mut wishes = Wishes::new();
            let taken = match self.planned(&single, &mut wishes) {
                // What could be done for rows of this batch is done.
                Ok(_) if !wishes.is_empty() => {
                    Err(ConnectError::data("The columns for this record cannot be"))
                }
                planned => planned.and_then(|routed| self.store(routed)),
            };
            match taken {
                Err(error) if error.class() == ErrorClass::Record => {
                    let (partition, offset) = (single.partition, single.offsets[0]);
                    self.rejected.push(Rejected { partition, offset, error });
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// The rows for each table that it does not hold yet.
    fn routed(&mut self, batch: &SinkBatch) -> Result<Routed, ConnectError> {
        let by_table: Vec<(usize, Option<Vec<u32>>)> = match &mut self.routes {
            None => (0..self.targets.len()).map(|index| (index, None)).collect(),
            Some(routes) if self.config.dynamic_field.is_some() => {
                let named = routes.names(&batch.topic, &batch.values)?;
                let index = |(name, rows): (String, _)| Ok((self.index_of(&name)?, Some(rows)));
                named.into_iter().map(index).collect::<Result<_, ConnectError>>()?
            }
            Some(routes) => {
                let rows = routes.rows(&batch.topic, &batch.values)?;
                rows.into_iter().map(Some).enumerate().collect()
            }
        };
        let mut routed = Routed::new();
        for (index, rows) in by_table {
            let target = &mut self.targets[index];
            let held = target.held(&batch.partition).unwrap_or(i64::MIN);
            let first = batch.offsets.partition_point(|offset| *offset < held);
            let values = match rows {
                None => batch.values.slice(first, batch.rows() - first),
                Some(rows) => {
                    batch.values.take(&rows[rows.partition_point(|row| (*row as usize) < first)..])?
                }
            };
            if values.rows() > 0 {
                target.used = self.batches;
                routed.push((index, values));
            }
        }
        Ok(routed)
    }

    /// Appends rows to files; all of them, or none.
    fn store(&mut self, routed: Routed) -> Result<(), ConnectError> {
        let names = self.names();
        let mut made = Vec::new();
        for (index, values) in routed {
            let target = &self.targets[index];
            if target.is_missing {
                continue;
            }
            made.push((index, target.groups(&values, names)?));
        }
        for (index, groups) in made {
            for (partition, columns) in groups {
                self.targets[index].write(partition, columns, &mut self.file_names, &self.uploads)?;
            }
        }
        Ok(())
    }
}

fn single(batch: &SinkBatch, row: usize) -> Result<SinkBatch, ConnectError> {
    let row = u32::try_from(row).map_err(|_| ConnectError::fatal("A batch has too many rows"))?;
    batch.take(&[row])
}
