//! The converter: payloads to runs of one schema, columns to payloads.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use arrow_array::{Array, ArrayRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded, Run};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::schema::Schema;
use lakeward_registry::{Registry, RegistrySettings};

use super::super::registry_framing::{Known, State, refused, split, write};
use super::config::{self, Rules};
use super::fault::{Fault, READING, WRITING};
use super::readers::{Readers, Slot, poll_slot};
use super::writers::{Writers, poll_ready};
use crate::json_text::{ColumnText, NullForm};

/// `io.confluent.connect.json.JsonSchemaConverter` for one side of a task's records.
///
/// # Memory
/// Readers and writers of `schemas.cache.config` schemas, and what the registry's client caches.
pub struct JsonSchemaConverter {
    registry: Box<dyn Registry>,
    rules: Rules,
    /// Readers by topic: versions are counted per subject.
    topics: HashMap<Box<str>, Readers>,
    writers: Writers,
}

impl JsonSchemaConverter {
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
        Self { registry, rules, topics: HashMap::new(), writers: Writers::default() }
    }

    fn encode_typed(&self, topic: &str, schema: &Arc<Schema>, array: &ArrayRef) -> Encoded {
        let rows = array.len();
        let nulls = Nulls::of(schema, self.rules);
        let state = self.writers.state(topic, Some(schema));
        let Some(Ok((_, State::Ready { registered, .. }))) = state else {
            let mut encoded = Encoded::with_capacity(rows, 0);
            for row in 0..rows {
                if nulls == Nulls::Tombstones && array.is_null(row) {
                    encoded.push_null();
                } else {
                    encoded.push(|_| Err(not_ready(state.as_ref(), topic)));
                }
            }
            return encoded;
        };
        let mut encoded = Encoded::with_capacity(rows, ROW_BYTES);
        let column = match ColumnText::new(schema, array, self.rules.mapping.form) {
            Ok(column) => column,
            Err(error) => {
                let fault: Box<Fault> = error.into();
                (0..rows).for_each(|_| encoded.push(|_| Err(fault.while_writing(topic))));
                return encoded;
            }
        };
        for row in 0..rows {
            if nulls == Nulls::Tombstones && array.is_null(row) {
                encoded.push_null();
                continue;
            }
            encoded.push(|out| {
                write(registered.id, out);
                column.append(out, row).map_err(|error| Box::<Fault>::from(error).while_writing(topic))
            });
        }
        encoded
    }
}

/// What a null with a schema becomes. Source: `JsonSchemaData#fromConnectData`.
#[derive(Clone, Copy, PartialEq)]
enum Nulls {
    /// Kafka's null.
    Tombstones,
    /// The default or `null`.
    Written,
}

impl Nulls {
    fn of(schema: &Schema, rules: Rules) -> Self {
        let has_default = schema.default.is_some() && rules.mapping.form.nulls == NullForm::Default;
        if has_default || schema.optional { Self::Written } else { Self::Tombstones }
    }
}

#[cold]
fn not_ready(state: Option<&Known<'_, (), (), Fault>>, topic: &str) -> ConnectError {
    match state {
        None => ConnectError::retriable("The JSON Schema is not registered yet"),
        Some(Err(fault)) => fault.while_writing(topic),
        Some(Ok((_, State::Refused(fault)))) => fault.while_writing(topic),
        Some(Ok((made, State::Failed(cause)))) => {
            let text = &made.text.text;
            refused(cause, topic, WRITING, &format!("Error registering JSON schema: {text}"))
        }
        Some(Ok((_, State::Ready { .. }))) => ConnectError::fatal("The schema is ready, but was not used"),
    }
}

impl Converter for JsonSchemaConverter {
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
            if poll_slot(readers, &mut *self.registry, topic, id, self.rules).is_pending() {
                answer = Poll::Pending;
            }
        }
        Ok(answer)
    }

    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let readers = self.topics.entry(topic.into()).or_default();
        let mut decoding = Decoding { topic, decoded: Decoded::default() };
        let mut row = 0;
        while row < payloads.len() {
            row = match payloads[row] {
                None => decoding.nulls(payloads, row),
                Some(payload) => match split(payload) {
                    Ok((id, _)) => decoding.run(readers.slot(&id), id, payloads, row),
                    Err(message) => {
                        decoding.fail(row, Fault::Serialization(message).while_reading(topic, None));
                        row + 1
                    }
                },
            };
        }
        readers.forget_failures();
        Ok(decoding.decoded)
    }

    fn poll_encode_ready(&mut self, topic: &str, values: &Values) -> Result<Poll<()>, ConnectError> {
        let Values::Typed { schema, array } = values else { return Ok(Poll::Ready(())) };
        if array.null_count() == array.len() && Nulls::of(schema, self.rules) == Nulls::Tombstones {
            return Ok(Poll::Ready(()));
        }
        Ok(poll_ready(&mut self.writers, &mut *self.registry, topic, schema, self.rules))
    }

    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        let mut encoded = Encoded::with_capacity(values.rows(), 0);
        match values {
            Values::Typed { schema, array } => return Ok(self.encode_typed(topic, schema, array)),
            Values::Null { rows } => (0..*rows).for_each(|_| encoded.push_null()),
            Values::Dynamic(values) => {
                for value in values {
                    if value.is_null() {
                        encoded.push_null();
                    } else {
                        let fault = Fault::Serialization(NO_SCHEMA.to_owned());
                        encoded.push(|_| Err(fault.while_writing(topic)));
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
        let Some(Slot::Reader(reader)) = slot else {
            for _ in same {
                self.fail(end, self.unreadable(slot.as_deref(), id));
                end += 1;
            }
            return end;
        };
        let mut rows = Vec::new();
        for value in same {
            match reader.read(value) {
                Ok(()) => rows.push(row_number(end)),
                Err(error) => {
                    let error = Box::<Fault>::from(error).while_reading(self.topic, Some(id));
                    self.fail(end, error);
                }
            }
            end += 1;
        }
        if !rows.is_empty() {
            let values = Values::Typed { schema: Arc::clone(reader.schema()), array: reader.finish() };
            self.decoded.runs.push(Run { rows, values });
        }
        end
    }

    fn unreadable(&self, slot: Option<&Slot>, id: i32) -> ConnectError {
        match slot {
            Some(Slot::Failed(cause)) => {
                refused(cause, self.topic, READING, &format!("Error retrieving JSON schema for id {id}"))
            }
            Some(Slot::Refused(fault)) => fault.while_reading(self.topic, Some(id)),
            _ => ConnectError::retriable(format!("Schema {id} has not been fetched yet")),
        }
    }
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer than 2^32 rows")
}

const NO_SCHEMA: &str = "Values without a schema cannot be written: a JSON Schema is made from a Connect \
                         schema. Use a converter that brings schemas along, or JsonConverter with \
                         schemas.enable=false.";

/// About the bytes of a payload.
const ROW_BYTES: usize = 128;
