//! `AvroConverter`: Avro records of a schema registry to Arrow columns and back.
//!
//! A schema of the registry is turned into a Connect schema (`mapping`) and a tree of column builders
//! (`read`) once; payloads then go straight into columns, no tree of values is built. The other way a Connect
//! schema becomes an Avro schema and an encoder (`write`) once, which reads the columns. Nothing here may log
//! or keep record contents, or reach the network but through `lakeward_registry::Registry`.
//!
//! Differences from Java, all on purpose:
//! - Values of types that contain themselves are at most 256 levels deep; deeper ones fail. Entries of maps
//!   that contain themselves, on which Java's stack overflows, are refused with the name of the type.
//! - A map with null as a key fails.
//! - A payload without bytes may not stand for many array items (`{"type":"record","fields":[]}`).
//! - Branches of unions that Java reads and then does not find (int8, int16, decimals of fixed size, null in
//!   the middle of a generalised union) are read.
//! - Two types of one name in one schema: values that do not fit the first of them fail, Java writes them.
//! - With `use.latest.version` fields are found by name, not by position.
//!
//! Source: Avro 1.12 specification; `AvroConverter`, `AvroData`, `AbstractKafkaAvroDeserializer` and
//! `AbstractKafkaAvroSerializer` of Confluent Schema Registry 8.

mod anything;
mod config;
mod convert;
mod datum;
mod datum_reader;
mod fault;
mod mapping;
mod read;
mod resolve;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub use config::AvroConverterPlugin;
pub use convert::AvroConverter;
pub(crate) use datum::{AvroOnly, DatumOptions, DatumWriter, is_avro_map, schema_text};
pub(crate) use datum_reader::{DatumReader, connect_schema};
pub(crate) use read::shortest;
pub(crate) use write::write_long;
