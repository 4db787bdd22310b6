//! What the black-box tests share: connector configurations and a running scenario.
//!
//! The tests know the worker only from outside: property files, REST, topics, objects, signals, exit codes.
//! They state Kafka Connect's contract, so nothing here may reach into the worker's crates.

pub mod contract;
pub mod envelope;
pub mod scenario;
pub mod sink_config;
