//! One decode call.

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::{Decoded, Run};

use super::fault::{again, refused};
use super::format::{Format, ReadRows, Refused};
use super::readers::{Missing, Readers, Slot};
use super::subjects::Subjects;
use super::wire::{Frames, Key, Payloads, Stretch};

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

    /// Decodes all of `frames`.
    pub(super) fn run(mut self, readers: &mut Readers<F::Reader>, frames: Frames<'_>) -> Decoded {
        let mut row = 0;
        while row < frames.payloads.len() {
            row += match frames.stretch::<F>(row) {
                Stretch::Nulls(count) => {
                    let rows = (row_number(row)..row_number(row + count)).collect();
                    self.decoded.runs.push(Run { rows, values: Values::Null { rows: count } });
                    count
                }
                Stretch::Named(key, payloads) => {
                    match readers.slot(key) {
                        Some(Slot::Reader(reader)) => self.read(reader, key, payloads, row),
                        slot => {
                            let error = self.unreadable(slot.as_deref(), key);
                            let errors = (row..row + payloads.len()).map(|row| (row, again(&error)));
                            self.decoded.errors.extend(errors);
                        }
                    }
                    payloads.len()
                }
                Stretch::Broken(fault) => {
                    self.fail(row, fault.while_reading(F::READING, self.topic, None));
                    1
                }
            };
        }
        self.decoded
    }

    fn fail(&mut self, row: usize, error: ConnectError) {
        self.decoded.errors.push((row, error));
    }

    /// The payloads of one type, which start at row `start`.
    fn read(&mut self, reader: &mut F::Reader, key: Key<'_>, payloads: Payloads<'_>, start: usize) {
        let mut refused = Refused::default();
        reader.read_all(payloads, &mut refused);
        let values = reader.finish();
        let mut rows: Vec<u32> = (row_number(start)..row_number(start + payloads.len())).collect();
        if !refused.0.is_empty() {
            let id = key.schema.to_string();
            let mut bad = refused.0.iter().map(|(at, _)| row_number(start + at)).peekable();
            rows.retain(|row| bad.next_if_eq(row).is_none());
            for (at, fault) in &refused.0 {
                self.fail(start + at, fault.while_reading(F::READING, self.topic, Some(&id)));
            }
        }
        if !rows.is_empty() {
            self.decoded.runs.push(Run { rows, values });
        }
    }

    #[cold]
    fn unreadable(&self, slot: Option<&Slot<F::Reader>>, key: Key<'_>) -> ConnectError {
        let id = key.schema.to_string();
        match slot {
            Some(Slot::Failed(missing, cause)) => {
                let side = self.subjects.side();
                let middle = match missing {
                    Missing::Latest => F::resolving(side, &id),
                    Missing::Written => F::retrieving(side, &id),
                };
                refused(cause, self.topic, F::READING, &middle)
            }
            Some(Slot::Refused(fault)) => fault.while_reading(F::READING, self.topic, Some(&id)),
            _ => ConnectError::retriable(format!("Schema {id} has not been fetched yet")),
        }
    }
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer than 2^32 rows")
}
