//! The only Kafka client code of Lakeward: the sink consumer, the producers, the admin client, the compacted
//! logs of the internal topics, leader election, and the translation of Java client settings.
//!
//! Nothing outside this crate names the client library or the wire protocol.

pub mod admin;
mod client_check;
pub mod client_metrics;
pub mod consumer;
pub mod error;
pub mod group_offsets;
pub mod leader;
pub mod log;
pub mod membership;
pub mod oauth;
pub mod offset_store;
pub mod producer;
mod secrets;
pub mod settings;
pub mod source_producer;
pub mod source_topics;
mod sys;
pub mod transactions;

pub use error::KafkaError;
pub use sys::set_housekeeping;
