//! One decode call.

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::{Decoded, Run};

use super::fault::refused;
use super::format::{Format, ReadRows};
use super::readers::{Key, Readers, Slot};
use super::subjects::Subjects;
use super::wire;

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
    pub(super) fn run(mut self, readers: &mut Readers<F::Reader>, payloads: &[Option<&[u8]>]) -> Decoded {
        let mut row = 0;
        while row < payloads.len() {
            row = match payloads[row] {
                None => self.nulls(payloads, row),
                Some(payload) => match wire::split::<F>(payload) {
                    Ok((key, _)) => self.same(readers.slot(key), key, payloads, row),
                    Err(fault) => {
                        self.fail(row, fault.while_reading(F::READING, self.topic, None));
                        row + 1
                    }
                },
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
        payloads: &[Option<&[u8]>],
        row: usize,
    ) -> usize {
        let same = payloads[row..].iter().map_while(|payload| match wire::split::<F>((*payload)?) {
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
                    let id = key.id.to_string();
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
        let id = key.id.to_string();
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
