//! Converters (bytes of a topic to Connect values) and file formats (Connect values to bytes of a part).
//!
//! This crate owns the CPU-bound middle of a sink: decoding records into Arrow columns and encoding columns
//! into files. It must not know about Kafka clients, object stores, offsets or runtimes: everything here is
//! a function of its arguments and of state that one task owns.

pub mod converter;
mod error;
pub mod file;
mod json_text;
#[cfg(test)]
mod random;
#[cfg(test)]
mod recursion;

pub use converter::{converters, header_converters, register};
pub use error::FormatError;
