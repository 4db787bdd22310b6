//! What the converters of a schema registry share: the converter itself, over the bytes in front of a value,
//! subjects, what is known about schemas, and what a refusal of the registry is for Kafka Connect.
//!
//! A format says what is its own through [`Format`]. Nothing here may know a schema language.
//!
//! Source: `AbstractKafkaSchemaSerDe` and the converters of Confluent Schema Registry 8.

mod config;
mod converter;
mod decode;
#[cfg(test)]
pub(super) mod dump;
mod fault;
mod format;
mod readers;
mod subjects;
mod wire;
mod writers;

#[cfg(test)]
pub(super) use config::rules;
pub(super) use config::{
    GENERALIZED_SUMS, IGNORE_DEFAULTS, OwnSettings, VERSION, config_def, connected, flag, key,
};
pub(super) use converter::RegistryConverter;
pub(super) use fault::{Converted, Fault, SERIALIZATION, Words};
pub(super) use format::{Format, ReadRows, WriteRows};
pub(super) use writers::Made;
