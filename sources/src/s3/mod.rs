//! Sources that read objects of S3 (or of a local directory) back to topics.
//!
//! `task` lists and reads, one object after the other, in the order of names; what differs between connectors
//! (which objects, to which topics, what is stored as their offsets) is a [`plan::Plan`]. Requests run behind
//! the bridge, decoding on the shard. See decision 0012.

pub mod aiven;
pub mod confluent;
mod error;
mod hash;
mod plan;
mod reading;
mod store;
mod task;
#[cfg(test)]
mod tests;

pub use aiven::AivenS3SourceConnector;
pub use confluent::S3SourceConnector;

/// How many tasks there are, in the configurations of tasks.
const TASKS: &str = "lakeward.tasks";
