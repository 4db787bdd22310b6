//! The converter itself: payloads to runs of one schema, columns to payloads.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::task::Poll;

use arrow_array::Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::plugin::ConverterRole;
use lakeward_registry::{Registry, RegistrySettings};

use super::config::rules;
use super::decode::Decoding;
use super::fault::{Fault, again, refused};
use super::format::{Format, WriteRows};
use super::readers::Readers;
use super::subjects::Rules;
use super::wire;
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
        Ok(Self { inner: Box::new(FramedConverter::<F>::new(registry, rules)), plugin: PhantomData })
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
    /// Readers by topic: versions are counted per subject.
    topics: HashMap<Box<str>, Readers<F::Reader>>,
    writers: Writers<F::Design, F::Writer>,
}

impl<F: Format> FramedConverter<F> {
    pub(super) fn new(registry: Box<dyn Registry>, rules: Rules<F::Mapping>) -> Self {
        Self { registry, rules, format: F::default(), topics: HashMap::new(), writers: Writers::default() }
    }

    /// Whether row `row` is Kafka's null.
    fn is_tombstone(&self, values: &Values, row: usize) -> bool {
        match values {
            Values::Dynamic(values) => values[row].is_null(),
            Values::Null { .. } => true,
            Values::Shaped(array) => array.is_null(row),
            Values::Typed { schema, array } => {
                array.is_null(row) && !F::writes_null(schema, self.rules.mapping)
            }
        }
    }

    fn are_tombstones(&self, values: &Values) -> bool {
        match values {
            Values::Shaped(array) | Values::Typed { array, .. } if array.null_count() < array.len() => false,
            _ => (0..values.rows()).all(|row| self.is_tombstone(values, row)),
        }
    }

    /// What stands in front of every value, and what writes them.
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
                Err(refused(cause, topic, F::WRITING, &F::registering(&made.text.text)))
            }
            Some(Ok((made, State::Ready { registered, writer }))) => {
                let rows = F::bind(made, writer, values, self.rules.mapping);
                let rows = rows.map_err(|fault| faulty(&fault))?;
                let mut prefix = Vec::new();
                wire::write(registered.id, &mut prefix);
                prefix.extend_from_slice(F::path(writer));
                Ok((prefix, rows))
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
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.into(), Readers::default());
        }
        let Some(readers) = self.topics.get_mut(topic) else { return Ok(Poll::Ready(())) };
        readers.start_batch(self.rules.entries_max);
        let mut answer = Poll::Ready(());
        let mut last = None;
        for payload in payloads.iter().flatten() {
            let Ok((key, _)) = wire::split::<F>(payload) else { continue };
            if last == Some(key) {
                continue;
            }
            last = Some(key);
            let registry = &mut *self.registry;
            if readers.poll_slot(key, registry, topic, &mut self.format, self.rules).is_pending() {
                answer = Poll::Pending;
            }
        }
        Ok(answer)
    }

    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let readers = self.topics.entry(topic.into()).or_default();
        let decoded = Decoding::<F>::new(topic, self.rules.subjects).run(readers, payloads);
        readers.forget_failures();
        Ok(decoded)
    }

    fn poll_encode_ready(&mut self, topic: &str, values: &Values) -> Result<Poll<()>, ConnectError> {
        if self.are_tombstones(values) {
            return Ok(Poll::Ready(()));
        }
        let (registry, schema) = (&mut *self.registry, values.schema());
        Ok(self.writers.poll_ready::<F>(registry, topic, schema, self.rules))
    }

    fn encode(&mut self, topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        let mut encoded = Encoded::with_capacity(values.rows(), ROW_BYTES);
        if self.are_tombstones(values) {
            (0..values.rows()).for_each(|_| encoded.push_null());
            return Ok(encoded);
        }
        let bound = self.bind(topic, values);
        for row in 0..values.rows() {
            if self.is_tombstone(values, row) {
                encoded.push_null();
                continue;
            }
            encoded.push(|out| match &bound {
                Ok((prefix, rows)) => {
                    out.extend_from_slice(prefix);
                    rows.write(row, out).map_err(|fault| fault.while_writing(F::WRITING, topic))
                }
                Err(error) => Err(again(error)),
            });
        }
        Ok(encoded)
    }
}

/// About the bytes of a payload.
const ROW_BYTES: usize = 128;
