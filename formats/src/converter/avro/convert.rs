//! The converter: payloads to runs of one schema, columns to payloads.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded, Run};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_registry::{Registry, RegistrySettings};

use super::super::registry_framing::{State, refused, split, write};
use super::anything;
use super::config;
use super::fault::{READING, WRITING, framing};
use super::read::{Cursor, Outcome};
use super::readers::{Form, Readers, Rules, Slot, poll_slot};
use super::writers::{Writers, poll_ready};

/// `io.confluent.connect.avro.AvroConverter` for one side of a task's records.
///
/// # Memory
/// Readers and writers of `schemas.cache.config` schemas, and what the registry's client caches.
pub struct AvroConverter {
    registry: Box<dyn Registry>,
    rules: Rules,
    /// Readers by topic: versions are counted per subject.
    topics: HashMap<Box<str>, Readers>,
    writers: Writers,
    /// Generalised unions named so far.
    unions: u32,
}

impl AvroConverter {
    /// A converter for `role` with `settings` (prefix cut off) that asks `registry` instead of the registry
    /// that the settings name.
    ///
    /// # Errors
    /// `Config` when a setting is wrong.
    pub fn over(
        registry: Box<dyn Registry>,
        role: ConverterRole,
        settings: &ConfigMap,
    ) -> Result<Self, ConnectError> {
        let of_registry = RegistrySettings::parse(settings, role == ConverterRole::Key)?;
        Ok(Self::new(registry, config::rules(role, settings, &of_registry)?))
    }

    pub(super) fn new(registry: Box<dyn Registry>, rules: Rules) -> Self {
        Self { registry, rules, topics: HashMap::new(), writers: Writers::default(), unions: 0 }
    }
}

impl Converter for AvroConverter {
    fn poll_decode_ready(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.into(), Readers::default());
        }
        let Some(readers) = self.topics.get_mut(topic) else { return Ok(Poll::Ready(())) };
        readers.start_batch(self.rules.entries_max);
        let mut answer = Poll::Ready(());
        let mut last = None;
        for payload in payloads.iter().flatten() {
            let Ok((id, _)) = split(payload) else { continue };
            if last == Some(id) {
                continue;
            }
            last = Some(id);
            let registry = &mut *self.registry;
            if poll_slot(readers, registry, topic, id, self.rules, &mut self.unions).is_pending() {
                answer = Poll::Pending;
            }
        }
        Ok(answer)
    }

    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let readers = self.topics.entry(topic.into()).or_default();
        let mut decoding = Decoding { topic, rules: self.rules, decoded: Decoded::default() };
        let mut row = 0;
        while row < payloads.len() {
            row = match payloads[row] {
                None => decoding.nulls(payloads, row),
                Some(payload) => match split(payload) {
                    Ok((id, _)) => decoding.run(readers.slot(&id), id, payloads, row),
                    Err(message) => {
                        decoding.fail(row, framing(message).while_reading(topic, None));
                        row + 1
                    }
                },
            };
        }
        readers.forget_failures();
        Ok(decoding.decoded)
    }

    fn poll_encode_ready(&mut self, topic: &str, values: &Values) -> Result<Poll<()>, ConnectError> {
        let schema = match values {
            Values::Null { .. } => return Ok(Poll::Ready(())),
            Values::Dynamic(values) if values.iter().all(Value::is_null) => return Ok(Poll::Ready(())),
            Values::Typed { array, .. } if array.null_count() == array.len() => return Ok(Poll::Ready(())),
            Values::Dynamic(_) => None,
            Values::Typed { schema, .. } => Some(schema),
        };
        Ok(poll_ready(&mut self.writers, &mut *self.registry, topic, schema, self.rules))
    }

    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        let state = self.writers.state(topic, values.schema());
        let mut encoded = Encoded::with_capacity(values.rows(), ROW_BYTES);
        let row_error = || match &state {
            None => ConnectError::retriable("The Avro schema is not registered yet"),
            Some(Err(fault)) => fault.while_writing(topic),
            Some(Ok((_, State::Failed(cause)))) => {
                refused(cause, topic, WRITING, "Error registering or retrieving the Avro schema")
            }
            Some(Ok((_, State::Refused(fault)))) => fault.while_writing(topic),
            Some(Ok((_, State::Ready { .. }))) => ConnectError::fatal("the schema has no writer"),
        };
        match (values, &state) {
            (Values::Null { rows }, _) => (0..*rows).for_each(|_| encoded.push_null()),
            (
                Values::Typed { array, .. },
                Some(Ok((_, State::Ready { registered, writer: Some(writer) }))),
            ) => {
                let bound = writer.bind(array);
                for row in 0..array.len() {
                    if array.is_null(row) {
                        encoded.push_null();
                        continue;
                    }
                    encoded.push(|out| {
                        write(registered.id, out);
                        writer.write(&bound, row, out).map_err(|fault| fault.while_writing(topic))
                    });
                }
            }
            (Values::Dynamic(values), Some(Ok((_, State::Ready { registered, .. })))) => {
                for value in values {
                    if value.is_null() {
                        encoded.push_null();
                        continue;
                    }
                    encoded.push(|out| {
                        write(registered.id, out);
                        anything::write(value, out).map_err(|fault| fault.while_writing(topic))
                    });
                }
            }
            (values, _) => {
                for row in 0..values.rows() {
                    if is_null(values, row) {
                        encoded.push_null();
                    } else {
                        encoded.push(|_| Err(row_error()));
                    }
                }
            }
        }
        Ok(encoded)
    }
}

/// One decode call.
struct Decoding<'a> {
    topic: &'a str,
    rules: Rules,
    decoded: Decoded,
}

impl Decoding<'_> {
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

    /// The payloads of schema `id` from `row` on; answers the row after them.
    fn run(&mut self, slot: Option<&mut Slot>, id: i32, payloads: &[Option<&[u8]>], row: usize) -> usize {
        let same = payloads[row..].iter().map_while(|payload| match split((*payload)?) {
            Ok((other, value)) if other == id => Some(value),
            _ => None,
        });
        let mut end = row;
        let mut rows = Vec::new();
        let values = match slot {
            Some(Slot::Reader(Form::Reader(reader))) => {
                for value in same {
                    match reader.read(value) {
                        Ok(Outcome::Value) => rows.push(row_number(end)),
                        Ok(Outcome::Null) => self.decoded.errors.push((end, root_null())),
                        Err(fault) => {
                            self.decoded.errors.push((end, fault.while_reading(self.topic, Some(id))));
                        }
                    }
                    end += 1;
                }
                Values::Typed { schema: Arc::<Schema>::clone(&reader.schema), array: reader.finish() }
            }
            Some(Slot::Reader(Form::Anything)) => {
                let mut values = Vec::new();
                for value in same {
                    match anything::read(&mut Cursor::new(value)) {
                        Ok(value) => {
                            rows.push(row_number(end));
                            values.push(value);
                        }
                        Err(fault) => {
                            self.decoded.errors.push((end, fault.while_reading(self.topic, Some(id))));
                        }
                    }
                    end += 1;
                }
                Values::Dynamic(values)
            }
            other => {
                let count = same.count();
                for row in row..row + count {
                    let error = self.unreadable(other.as_deref(), id);
                    self.decoded.errors.push((row, error));
                }
                return row + count;
            }
        };
        if !rows.is_empty() {
            self.decoded.runs.push(Run { rows, values });
        }
        end
    }

    fn unreadable(&self, slot: Option<&Slot>, id: i32) -> ConnectError {
        match slot {
            Some(Slot::Failed(cause)) => {
                let side = self.rules.subjects.side();
                let middle = format!("Error retrieving Avro {side} schema for id {id}");
                refused(cause, self.topic, READING, &middle)
            }
            Some(Slot::Refused(fault)) => fault.while_reading(self.topic, Some(id)),
            _ => ConnectError::retriable(format!("Schema {id} has not been fetched yet")),
        }
    }
}

/// Java's converter answers nothing at all for such a record, which ends the task whatever it tolerates.
#[cold]
fn root_null() -> ConnectError {
    ConnectError::new(
        ErrorClass::Fatal,
        "java.lang.NullPointerException",
        "A payload is null under a nullable Avro type; AvroConverter has no value for that. Write Kafka's \
         own null instead.",
    )
}

fn is_null(values: &Values, row: usize) -> bool {
    match values {
        Values::Dynamic(values) => values[row].is_null(),
        Values::Null { .. } => true,
        Values::Typed { array, .. } => array.is_null(row),
    }
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer than 2^32 rows")
}

/// About the bytes of a payload.
const ROW_BYTES: usize = 128;
