//! The only Kafka client code of Lakeward: the sink consumer, the producers, the admin client, the compacted
//! logs of the internal topics, leader election, and the translation of Java client settings.
//!
//! Nothing outside this crate names the client library or the wire protocol.

pub mod admin;
pub mod consumer;
pub mod error;
pub mod log;
pub mod membership;
pub mod producer;
pub mod settings;
mod sys;

pub use error::KafkaError;
