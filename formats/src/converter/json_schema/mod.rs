//! `JsonSchemaConverter`: JSON under the JSON Schemas of a schema registry to Arrow columns and back.
//!
//! A schema of the registry is read (`document`) and turned into a Connect schema (`to_connect`) once;
//! payloads then go straight into columns by the reader that `JsonConverter` has, too. The other way a
//! Connect schema becomes a JSON Schema (`from_connect`) once, and columns are written by the shared JSON
//! writer. Nothing here may log or keep record contents, or reach the network but through
//! `lakeward_registry::Registry`.
//!
//! Differences from Java, all on purpose:
//! - Types that contain themselves in the values of a map or in a union can be read, but not be written: the
//!   records are refused. Java's stack overflows there.
//! - A member that is missing although its field is required and has no default fails here; Java leaves a
//!   hole in the STRUCT that fails wherever the value is checked next. `use.optional.for.nonrequired=true`
//!   makes such fields optional, here and there.
//! - The alternatives of a union are always optional; in Java one that is a union of one type is not.
//! - Numbers may have leading zeros; `NaN` and `Infinity` must stand in quotes.
//! - Schemas without any type (`{}`), `preserve.additional.properties` and
//!   references that are not registered (`http://…`) are refused.
//! - Two different writings of a `$ref` to one definition are one reference, and 2019-09 and later schemas
//!   are read by the rules of draft 7.
//! - Parts that one schema says without `allOf` (`properties` beside `anyOf`) keep the order `enum`, `allOf`,
//!   `oneOf`, `anyOf`, `const`, type; Java's order changes from run to run.
//! - Maps written as a list of `{"key":…,"value":…}`: entries with equal keys are one when the keys are
//!   scalars; entries whose keys are containers all stay.
//! - Schemaless values are refused with a text of our own.
//!
//! Source: `JsonSchemaConverter`, `JsonSchemaData`, `AbstractKafkaJsonSchemaDeserializer` and
//! `AbstractKafkaJsonSchemaSerializer` of Confluent Schema Registry 8; JSON Schema draft 7.

mod all_of;
mod config;
mod convert;
mod document;
mod enums;
mod fault;
mod from_connect;
mod members;
mod structs;
#[cfg(test)]
mod tests;
mod to_connect;
mod union;
mod validation;

pub use config::JsonSchemaConverterPlugin;
pub use convert::JsonSchemaConverter;
