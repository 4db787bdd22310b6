//! One decode call.

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::{Decoded, Run};

use super::fault::refused;
use super::format::{Format, ReadRows};
use super::readers::{Readers, Slot};
use super::subjects::Subjects;
use super::wire::{Frames, Key};

/// What a call has decoded so far.
pub(super) struct Decoding<'a, F> {
    topic: &'a str,
    subjects: Subjects,
    decoded: Decoded,
    format: std::marker::PhantomData<F>,
}

impl<'a, F: Format> Decoding<'a, F> {
    pub(super) fn new(topic: &'a str, subjects: Subjects) -> Self {
        Self { topic, subjects, decoded: Decoded::default(), format: std::marker::PhantomData }
    }

    /// Decodes all of `payloads`.
    pub(super) fn run(mut self, readers: &mut Readers<F::Reader>, frames: Frames<'_>) -> Decoded {
        let mut row = 0;
        while row < frames.payloads.len() {
            row = match frames.split::<F>(row) {
                None => self.nulls(frames.payloads, row),
                Some(Ok((key, _))) => self.same(readers.slot(key), key, frames, row),
                Some(Err(fault)) => {
                    self.fail(row, fault.while_reading(F::READING, self.topic, None));
                    row + 1
                }
            };
        }
        self.decoded
    }

    fn fail(&mut self, row: usize, error: ConnectError) {
        self.decoded.errors.push((row, error));
    }

    /// The tombstones from `row` on; answers the row after them.
    fn nulls(&mut self, payloads: &[Option<&[u8]>], row: usize) -> usize {
        let count = payloads[row..].iter().take_while(|payload| payload.is_none()).count();
        let rows = (row..row + count).map(row_number).collect();
        self.decoded.runs.push(Run { rows, values: Values::Null { rows: count } });
        row + count
    }

    /// The payloads of one schema from `row` on; answers the row after them.
    fn same(
        &mut self,
        slot: Option<&mut Slot<F::Reader>>,
        key: Key<'_>,
        frames: Frames<'_>,
        row: usize,
    ) -> usize {
        let same = (row..frames.payloads.len()).map_while(|row| match frames.split::<F>(row)? {
            Ok((other, value)) if other == key => Some(value),
            _ => None,
        });
        let mut end = row;
        let Some(Slot::Reader(reader)) = slot else {
            for _ in same {
                let error = self.unreadable(slot.as_deref(), key);
                self.fail(end, error);
                end += 1;
            }
            return end;
        };
        let mut rows = Vec::new();
        for value in same {
            match reader.read(value) {
                Ok(()) => rows.push(row_number(end)),
                Err(fault) => {
                    let id = key.schema.to_string();
                    self.fail(end, fault.while_reading(F::READING, self.topic, Some(&id)));
                }
            }
            end += 1;
        }
        let values = reader.finish();
        if !rows.is_empty() {
            self.decoded.runs.push(Run { rows, values });
        }
        end
    }

    #[cold]
    fn unreadable(&self, slot: Option<&Slot<F::Reader>>, key: Key<'_>) -> ConnectError {
        let id = key.schema.to_string();
        match slot {
            Some(Slot::Failed(cause)) => {
                refused(cause, self.topic, F::READING, &F::retrieving(self.subjects.side(), &id))
            }
            Some(Slot::Refused(fault)) => fault.while_reading(F::READING, self.topic, Some(&id)),
            _ => ConnectError::retriable(format!("Schema {id} has not been fetched yet")),
        }
    }
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer than 2^32 rows")
}
