//! The converter itself: payloads to runs of one schema, columns to payloads.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::task::Poll;

use arrow_array::Array;
use arrow_buffer::NullBuffer;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::plugin::ConverterRole;
use lakeward_registry::{Choice, Registry, RegistrySettings};

use super::super::around::{Around, Prefix};
use super::config::rules;
use super::decode::Decoding;
use super::fault::{Fault, NOT_REST, TOKEN, again, refused};
use super::format::{Format, WriteRows};
use super::frame::Frame;
use super::readers::Readers;
use super::subjects::Rules;
use super::wire::{self, Frames, Stretch};
use super::writers::{State, Writers};

/// The converter of the plugin `P` for one side of a task's records.
///
/// # Memory
/// Readers and writers of `schemas.cache.config` schemas, and what the registry's client caches.
pub struct RegistryConverter<P> {
    inner: Box<dyn Converter>,
    plugin: PhantomData<fn() -> P>,
}

impl<P> RegistryConverter<P> {
    /// A converter for `role` with `settings` (prefix cut off) that asks `registry` instead of the registry
    /// that the settings name.
    ///
    /// # Errors
    /// `Config` when a setting is wrong.
    pub(in super::super) fn asking<F: Format>(
        registry: Box<dyn Registry>,
        role: ConverterRole,
        settings: &ConfigMap,
    ) -> Result<Self, ConnectError> {
        let of_registry = RegistrySettings::parse(settings, role == ConverterRole::Key)?;
        let rules = rules::<F>(role, settings, &of_registry)?;
        Ok(Self {
            inner: Box::new(FramedConverter::<F>::new(registry, rules, &of_registry)),
            plugin: PhantomData,
        })
    }
}

impl<P> Converter for RegistryConverter<P> {
    fn poll_decode_ready(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        self.inner.poll_decode_ready(topic, payloads)
    }

    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        self.inner.decode(topic, payloads)
    }

    fn payload_header(&self) -> Option<&'static str> {
        self.inner.payload_header()
    }

    fn poll_decode_ready_with(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
        headers: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        self.inner.poll_decode_ready_with(topic, payloads, headers)
    }

    fn decode_with(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
        headers: &[Option<&[u8]>],
    ) -> Result<Decoded, ConnectError> {
        self.inner.decode_with(topic, payloads, headers)
    }

    fn poll_encode_ready(&mut self, topic: &str, values: &Values) -> Result<Poll<()>, ConnectError> {
        self.inner.poll_encode_ready(topic, values)
    }

    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        self.inner.encode(topic, values)
    }
}

/// The converter of one format.
pub(super) struct FramedConverter<F: Format> {
    registry: Box<dyn Registry>,
    rules: Rules<F::Mapping>,
    format: F,
    /// What finding a schema to write with is called, before the text of a schema.
    asking: String,
    /// Readers by topic: versions are counted per subject.
    topics: HashMap<Box<str>, Readers<F::Reader>>,
    writers: Writers<F::Design, F::Writer>,
}

impl<F: Format> FramedConverter<F> {
    pub(super) fn new(
        registry: Box<dyn Registry>,
        rules: Rules<F::Mapping>,
        settings: &RegistrySettings,
    ) -> Self {
        Self {
            registry,
            rules,
            asking: asking::<F>(&settings.writing.choice),
            format: F::default(),
            topics: HashMap::new(),
            writers: Writers::default(),
        }
    }

    /// Which rows are not Kafka's null; `None` when none is.
    fn valid(&self, values: &Values) -> Option<NullBuffer> {
        let nulls = match values {
            Values::Dynamic(values) => Some(values.iter().map(|value| !value.is_null()).collect()),
            Values::Null { rows } => Some(NullBuffer::new_null(*rows)),
            Values::Shaped(array) => array.nulls().cloned(),
            Values::Typed { schema, .. } if F::writes_null(schema, self.rules.mapping) => None,
            Values::Typed { array, .. } => array.nulls().cloned(),
        };
        nulls.filter(|nulls| nulls.null_count() > 0)
    }

    /// What names the schema of every value, and what writes them.
    fn bind<'a>(&'a self, topic: &str, values: &'a Values) -> Result<(Vec<u8>, F::Rows<'a>), ConnectError> {
        let faulty = |fault: &Fault| fault.while_writing(F::WRITING, topic);
        match self.writers.state(topic, values.schema()) {
            None => Err(ConnectError::retriable(format!(
                "The {} schema is not registered yet",
                F::WRITING.format
            ))),
            Some(Err(fault)) => Err(faulty(fault)),
            Some(Ok((_, State::Refused(fault)))) => Err(faulty(fault)),
            Some(Ok((made, State::Failed(cause)))) => {
                let middle = match cause.java_class() {
                    NOT_REST | TOKEN => F::WRITING.one.to_owned(),
                    _ => format!("{}{}", self.asking, made.text.text),
                };
                Err(refused(cause, topic, F::WRITING, &middle))
            }
            Some(Ok((made, State::Ready { registered, writer }))) => {
                let rows = F::bind(made, writer, values, self.rules.mapping);
                let rows = rows.map_err(|fault| faulty(&fault))?;
                let name = match registered.guid {
                    _ if !self.rules.writes_header => wire::of_id(registered.id),
                    Some(guid) => wire::of_guid(guid),
                    None => return Err(faulty(&F::framing(NO_GUID.to_owned()))),
                };
                Ok(([name.as_slice(), F::path(writer)].concat(), rows))
            }
        }
    }
}

impl<F: Format> Converter for FramedConverter<F> {
    fn poll_decode_ready(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        self.poll_decode_ready_with(topic, payloads, &[])
    }

    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        self.decode_with(topic, payloads, &[])
    }

    fn payload_header(&self) -> Option<&'static str> {
        self.rules.reads_header.then(|| self.rules.subjects.header())
    }

    fn poll_decode_ready_with(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
        headers: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.into(), Readers::default());
        }
        let Some(readers) = self.topics.get_mut(topic) else { return Ok(Poll::Ready(())) };
        readers.start_batch(self.rules.entries_max);
        let frames = Frames { payloads, headers };
        let mut answer = Poll::Ready(());
        let mut row = 0;
        while row < payloads.len() {
            row += match frames.stretch::<F>(row) {
                Stretch::Broken(_) => 1,
                Stretch::Named(key, payloads) => {
                    let registry = &mut *self.registry;
                    if readers.poll_slot(key, registry, topic, &mut self.format, self.rules).is_pending() {
                        answer = Poll::Pending;
                    }
                    payloads.len()
                }
                Stretch::Nulls(count) => count,
            };
        }
        Ok(answer)
    }

    fn decode_with(
        &mut self,
        topic: &str,
        payloads: &[Option<&[u8]>],
        headers: &[Option<&[u8]>],
    ) -> Result<Decoded, ConnectError> {
        let readers = self.topics.entry(topic.into()).or_default();
        let frames = Frames { payloads, headers };
        let decoded = Decoding::<F>::new(topic, self.rules.subjects).run(readers, frames);
        readers.forget_failures();
        self.registry.forget_failures();
        Ok(decoded)
    }

    fn poll_encode_ready(&mut self, topic: &str, values: &Values) -> Result<Poll<()>, ConnectError> {
        if self.valid(values).is_some_and(|valid| valid.null_count() == valid.len()) {
            return Ok(Poll::Ready(()));
        }
        let (registry, schema) = (&mut *self.registry, values.schema());
        Ok(self.writers.poll_ready::<F>(registry, topic, schema, self.rules))
    }

    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        self.registry.forget_failures();
        let rows = values.rows();
        let valid = self.valid(values);
        let around = Around { rows, valid: valid.as_ref(), prefix: Prefix::new(b""), suffix: b"" };
        let mut encoded = around.encoded();
        if valid.as_ref().is_some_and(|valid| valid.null_count() == rows) {
            (0..rows).for_each(|_| encoded.push_null());
            return Ok(encoded);
        }
        match self.bind(topic, values) {
            Ok((mut prefix, bound)) => {
                if self.rules.writes_header {
                    let name = std::mem::take(&mut prefix);
                    encoded.header = Some((self.rules.subjects.header(), name.into()));
                }
                let around = Around { prefix: Prefix::new(&prefix), ..around };
                let mut frame = Frame { around, words: F::WRITING, topic, encoded };
                bound.write_all(&mut frame);
                Ok(frame.encoded)
            }
            Err(error) => {
                let is_valid = |row| valid.as_ref().is_none_or(|valid| valid.is_valid(row));
                for row in 0..rows {
                    if is_valid(row) {
                        encoded.push(|_| Err(again(&error)));
                    } else {
                        encoded.push_null();
                    }
                }
                Ok(encoded)
            }
        }
    }
}

/// Source: the serializers' `restClientErrorMsg`.
fn asking<F: Format>(choice: &Choice) -> String {
    match choice {
        Choice::Register => format!("Error registering {}", F::SCHEMA),
        Choice::LookUp => format!("Error retrieving {}", F::SCHEMA),
        Choice::Latest { .. } => format!("Error retrieving {}", F::LATEST),
        Choice::LatestWithMetadata { properties } => {
            let pairs: Vec<_> = properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("Error retrieving latest with metadata '{{{}}}'", pairs.join(", "))
        }
        Choice::Id { .. } => "Error retrieving schema ID".to_owned(),
    }
}

const NO_GUID: &str = "Schema GUID is null: the schema registry gave none. Use a registry of version 8 or \
                       later, or PrefixSchemaIdSerializer.";
