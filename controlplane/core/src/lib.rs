//! The control plane without IO: what the internal topics say, how statuses may change, and what should run
//! here.
//!
//! No threads, clocks, sockets or randomness: records and times are arguments. `lakeward-controlplane` drives
//! it.

pub mod auto_restart;
pub mod config_log;
pub mod java_json;
pub mod offsets;
pub mod properties;
pub mod reconcile;
#[cfg(test)]
pub(crate) mod seeds;
pub mod session_keys;
#[cfg(test)]
mod simulation;
pub mod status;
pub mod watchdog;

pub use properties::Properties;
