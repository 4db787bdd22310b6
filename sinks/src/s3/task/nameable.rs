//! Records whose objects could not be named: they are left out one by one before they have a part in any
//! file.
//!
//! Values and keys of records have a part in names, so one record could otherwise end the task of all others.

use lakeward_api::ConnectError;

use super::S3SinkTask;
use super::nulls::select_values;
use super::taken::Taken;
use crate::s3::partitioner::{Encoded, Ids};
use crate::s3::rotation::GROUP_MARK;

/// Shorter encoded partitions, a routed topic among them, make names that every store can hold unless
/// settings are to blame.
const LONG_BYTES: usize = 256;

impl S3SinkTask {
    /// The rows of `taken` that can be stored under a name, when others may be left out. `None`: there is
    /// none.
    ///
    /// # Errors
    /// When a name is impossible for all records.
    pub(super) fn keep_nameable(
        &mut self,
        taken: Taken,
        encoded: Encoded,
    ) -> Result<Option<(Taken, Encoded)>, ConnectError> {
        let in_doubt: Vec<bool> = encoded.names.iter().map(|name| self.is_in_doubt(name)).collect();
        if !self.rejects.is_possible() || !in_doubt.contains(&true) {
            return Ok(Some((taken, encoded)));
        }
        let batch = &taken.batch;
        let mut kept = Vec::new();
        for (row, number) in (0u32..).take(batch.rows()).enumerate() {
            let id = match &encoded.ids {
                Ids::PerRow(ids) => ids[row] as usize,
                Ids::Uniform => 0,
            };
            // A file is called after this record or an earlier one, whose number is not longer.
            let offset = batch.offsets[row];
            match in_doubt[id]
                .then(|| self.part_names(&batch.partition, &encoded.names[id], offset, &taken).err())
                .flatten()
            {
                Some(error) => self.rejects.add_row(batch, row, error.into())?,
                None => kept.push(number),
            }
        }
        if kept.len() == batch.rows() {
            return Ok(Some((taken, encoded)));
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let headers = taken.headers.as_ref().map(|headers| select_values(headers, &kept));
        let taken = self.taken(batch.take(&kept)?, headers, taken.now_ms);
        Ok(Some((taken, encoded.take(&kept))))
    }

    /// Whether records may be to blame for a name that cannot be: one that is long, or has nothing of a key.
    fn is_in_doubt(&self, name: &str) -> bool {
        name.len() > LONG_BYTES || (self.layout.is_some() && name.ends_with(GROUP_MARK))
    }
}
