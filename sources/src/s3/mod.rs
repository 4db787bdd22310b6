//! Sources that read objects of S3 (or of a local directory) back to topics.
//!
//! `task` lists and reads, one object after the other, in the order of names; what differs between connectors
//! (which objects, to which topics, what is stored as their offsets) is a [`plan::Plan`]. Requests run behind
//! the bridge, decoding on the shard. See decision 0012.

pub mod aiven;
pub mod confluent;
mod error;
mod hash;
mod listing;
mod metadata;
mod objects;
mod plan;
mod reading;
mod store;
mod task;
#[cfg(test)]
mod tests;

use lakeward_api::config::ConfigMap;

pub use aiven::AivenS3SourceConnector;
pub use confluent::S3SourceConnector;

/// How many tasks there are, in the configurations of tasks.
const TASKS: &str = "lakeward.tasks";

/// The configurations of tasks that divide a bucket among themselves: each knows how many there are.
fn task_configs(props: &ConfigMap, tasks_max: u32) -> Vec<ConfigMap> {
    let mut task = props.clone();
    task.insert(TASKS.to_owned(), tasks_max.to_string());
    vec![task; tasks_max as usize]
}

/// How many tasks the configuration of one says there are.
fn tasks(props: &ConfigMap) -> u32 {
    props.get(TASKS).and_then(|text| text.parse().ok()).unwrap_or(1)
}
