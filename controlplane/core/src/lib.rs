//! The control plane without IO: what the internal topics say, how statuses may change, and what should run
//! here.
//!
//! No threads, clocks, sockets or randomness: records and times are arguments. `lakeward-controlplane` drives
//! it.

pub mod config_log;
pub mod java_json;
pub mod offsets;
pub mod properties;
pub mod reconcile;
pub mod status;

pub use properties::Properties;
