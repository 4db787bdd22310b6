//! `ProtobufConverter`: Protobuf messages of a schema registry to Arrow columns and back.
//!
//! The text of a schema is parsed by the registry's crate; `descriptor` resolves its names, `mapping` makes a
//! Connect schema and a tree of column builders (`read`) of a message type, once per schema id and path.
//! Payloads then go straight into columns, no message is built. The other way a Connect schema becomes a file
//! and a design (`mapping`), which `write` binds to the columns of a batch. Nothing here may log or keep
//! record contents, or reach the network but through `lakeward_registry::Registry`.
//!
//! Differences from Java, all on purpose:
//! - Maps with messages as keys have no columns: every record of such a schema fails.
//! - Messages that contain themselves through others or in a map are read, but a Connect schema of that kind
//!   becomes no file; nor are they filled in without end (`generate.struct.for.nulls`). At both, Java's stack
//!   overflows, which ends the task; here the record fails.
//! - A required field of a Connect schema is never null: where Java leaves null in one (with
//!   `wrapper.for.nullables`), the record fails with the words that Java has when it looks at the field.
//! - A decimal whose scale is not that of its field fails when it is read, not when it is used.
//! - A value that equals the default of its Connect field is written; Java leaves it out, and readers would
//!   see zero.
//! - A number that its enum does not have (`int.for.enums=true`) is left out of a single field, as Java
//!   does; in a list it is written.
//! - Files with an `edition` are read by the rules of proto2.
//!
//! Source: Protobuf's language and encoding; `ProtobufConverter`, `ProtobufData`, `ProtobufSchema`,
//! `AbstractKafkaProtobufDeserializer` and `AbstractKafkaProtobufSerializer` of Confluent Schema Registry 8.

mod config;
mod convert;
mod descriptor;
mod fault;
mod mapping;
mod read;
#[cfg(test)]
mod tests;
mod wire;
mod write;

pub use config::ProtobufConverterPlugin;
pub use convert::ProtobufConverter;
