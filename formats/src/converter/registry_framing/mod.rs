//! What the converters of a schema registry share: the converter itself, over the bytes in front of a value,
//! subjects, what is known about schemas, and what a refusal of the registry is for Kafka Connect.
//!
//! A format says what is its own through [`Format`]. Nothing here may know a schema language.
//!
//! Differences from Java, all on purpose:
//! - Rules and migrations of a registry are not run: with `use.latest.version` payloads become those of the
//!   latest version by the rules of their format alone.
//! - Where the latest version cannot be fetched for a reason that may heal, a record is tried again; Java's
//!   AvroConverter refuses it.
//! - A payload that names no schema fails with `Unknown magic byte!`; Java 8 puts one more exception around
//!   it.
//! - Subjects are named by topic unless the settings say otherwise, as in release 8.0; from 8.2 on Java asks
//!   the registry first, which `AssociatedNameStrategy` does here.
//!
//! Source: `AbstractKafkaSchemaSerDe` and the converters of Confluent Schema Registry 8.

mod bytes;
mod config;
mod converter;
mod decode;
#[cfg(test)]
pub(super) mod dump;
mod fault;
mod format;
mod frame;
#[cfg(test)]
mod latest_tests;
mod readers;
mod subjects;
mod wire;
mod writers;

pub(super) use bytes::{append_leading, leading_varint};
#[cfg(test)]
pub(super) use config::rules;
pub(super) use config::{
    GENERALIZED_SUMS, IGNORE_DEFAULTS, OwnSettings, VERSION, config_def, connected, flag, key,
};
pub(super) use converter::RegistryConverter;
pub(super) use fault::{Converted, Fault, SERIALIZATION, Words};
pub(super) use format::{Format, ReadRows, Refused, WriteRows};
pub(super) use frame::Frame;
pub(super) use wire::Payloads;
pub(super) use writers::Made;
