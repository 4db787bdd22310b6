//! The converter: payloads to runs of one schema, columns to payloads.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded, Run};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_registry::{Registry, RegistrySettings};

use super::super::registry_framing::{self, State, refused};
use super::config;
use super::fault::{Converted, READING, WRITING, framing};
use super::readers::{Readers, Rules, Slot, poll_slot};
use super::wire;
use super::write::Writer;
use super::writers::{Writers, poll_ready};

/// `io.confluent.connect.protobuf.ProtobufConverter` for one side of a task's records.
///
/// # Memory
/// Readers and designs of `schemas.cache.config` schemas, and what the registry's client caches.
pub struct ProtobufConverter {
    registry: Box<dyn Registry>,
    rules: Rules,
    /// Readers by topic: versions are counted per subject.
    topics: HashMap<Box<str>, Readers>,
    writers: Writers,
}

impl ProtobufConverter {
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
}

impl Converter for ProtobufConverter {
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
            let Ok((id, path, _)) = split(payload) else { continue };
            if last == Some((id, path)) {
                continue;
            }
            last = Some((id, path));
            if poll_slot(readers, &mut *self.registry, topic, (id, path), self.rules).is_pending() {
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
                    Ok((id, path, _)) => {
                        decoding.run(readers.slot(&(id, path.into())), (id, path), payloads, row)
                    }
                    Err(fault) => {
                        decoding.fail(row, fault.while_reading(topic, None));
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
        if array.null_count() == array.len() {
            return Ok(Poll::Ready(()));
        }
        Ok(poll_ready(&mut self.writers, &mut *self.registry, topic, schema, self.rules))
    }

    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        let mut encoded = Encoded::with_capacity(values.rows(), ROW_BYTES);
        let Values::Typed { schema, array } = values else {
            for row in 0..values.rows() {
                if is_null(values, row) {
                    encoded.push_null();
                } else {
                    encoded.push(|_| Err(schemaless()));
                }
            }
            return Ok(encoded);
        };
        let state = self.writers.state(topic, Some(schema));
        let writer = match &state {
            Some(Ok((made, State::Ready { writer: prefix, .. }))) => Writer::new(&made.design.root, array)
                .map(|writer| (writer, prefix))
                .map_err(|fault| fault.while_writing(topic)),
            None => Err(ConnectError::retriable("The Protobuf schema is not registered yet")),
            Some(Err(fault)) => Err(fault.while_writing(topic)),
            Some(Ok((_, State::Refused(fault)))) => Err(fault.while_writing(topic)),
            Some(Ok((_, State::Failed(cause)))) => {
                Err(refused(cause, topic, WRITING, "Error registering Protobuf schema: "))
            }
        };
        for row in 0..array.len() {
            if array.is_null(row) {
                encoded.push_null();
                continue;
            }
            encoded.push(|out| match &writer {
                Ok((writer, prefix)) => {
                    out.extend_from_slice(prefix);
                    writer.write(row, out).map_err(|fault| fault.while_writing(topic))
                }
                Err(error) => Err(again(error)),
            });
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

    /// The payloads of one schema and path from `row` on; answers the row after them.
    fn run(
        &mut self,
        slot: Option<&mut Slot>,
        (id, path): (i32, &[u8]),
        payloads: &[Option<&[u8]>],
        row: usize,
    ) -> usize {
        let same = payloads[row..].iter().map_while(|payload| match split((*payload)?) {
            Ok((other, other_path, value)) if (other, other_path) == (id, path) => Some(value),
            _ => None,
        });
        let Some(Slot::Reader(reader)) = slot else {
            let count = same.count();
            for row in row..row + count {
                let error = self.unreadable(slot.as_deref(), id);
                self.fail(row, error);
            }
            return row + count;
        };
        let mut end = row;
        let mut rows = Vec::new();
        for value in same {
            match reader.read(value) {
                Ok(()) => rows.push(row_number(end)),
                Err(fault) => self.fail(end, fault.while_reading(self.topic, Some(id))),
            }
            end += 1;
        }
        let values = Values::Typed { schema: Arc::clone(&reader.schema), array: reader.finish() };
        if !rows.is_empty() {
            self.decoded.runs.push(Run { rows, values });
        }
        end
    }

    fn unreadable(&self, slot: Option<&Slot>, id: i32) -> ConnectError {
        match slot {
            Some(Slot::Failed(cause)) => {
                refused(cause, self.topic, READING, &format!("Error retrieving Protobuf schema for id {id}"))
            }
            Some(Slot::Refused(fault)) => fault.while_reading(self.topic, Some(id)),
            _ => {
                let side = self.rules.subjects.side();
                ConnectError::retriable(format!("The {side} schema {id} has not been fetched yet"))
            }
        }
    }
}

/// Schema id, path and message of a payload.
#[inline]
fn split(payload: &[u8]) -> Converted<(i32, &[u8], &[u8])> {
    let (id, rest) = registry_framing::split(payload).map_err(framing)?;
    let (path, message) = wire::split(rest)?;
    Ok((id, path, message))
}

/// The same error once more: rows that share a cause each have their own.
fn again(error: &ConnectError) -> ConnectError {
    let copy = ConnectError::new(error.class(), error.java_class(), error.to_string());
    match std::error::Error::source(error).and_then(|source| source.downcast_ref::<ConnectError>()) {
        Some(source) => copy.with_source(again(source)),
        None => copy,
    }
}

/// Java's converter asks the absent schema for its name.
#[cold]
fn schemaless() -> ConnectError {
    ConnectError::new(
        ErrorClass::Record,
        "java.lang.NullPointerException",
        "A value without a schema cannot be written as Protobuf",
    )
}

fn is_null(values: &Values, row: usize) -> bool {
    match values {
        Values::Dynamic(values) => matches!(values[row], Value::Null),
        Values::Null { .. } => true,
        Values::Typed { array, .. } => array.is_null(row),
    }
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer than 2^32 rows")
}

/// About the bytes of a payload.
const ROW_BYTES: usize = 128;
