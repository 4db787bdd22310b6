//! What a plugin author sees: records, schemas, batches, errors, configuration definitions and the connector
//! traits. Everything else in the workspace may depend on this crate; it depends on no runtime, no Kafka
//! client and no HTTP.

// Lets `#[derive(ConfigDef)]` name this crate by its public path from inside it, too.
extern crate self as lakeward_api;

pub mod arrow_metadata;
pub mod batch;
pub mod bridge;
pub mod budget;
pub mod config;
pub mod converter;
pub mod cuts;
pub mod decimal;
pub mod error;
pub mod failpoint;
pub mod handover;
pub mod header;
mod java_class;
pub mod java_text;
pub mod literal;
pub mod memory;
pub mod metrics;
pub mod offset_store;
pub mod packed;
pub mod parameters;
pub mod plugin;
pub mod pulse;
pub mod record;
pub mod recursion;
pub mod rows;
pub mod runtime;
pub mod schema;
pub mod secrets;
pub mod shaped;
pub mod sink;
pub mod source;
pub mod spill;
pub mod transform;
pub mod value;

pub use error::{ConnectError, ErrorClass};
