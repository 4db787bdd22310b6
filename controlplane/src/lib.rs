//! The control plane: worker configuration, REST, internal topics, herder.
//!
//! Decides what runs and answers for it; never touches a record. Tasks run behind the `TaskRuntime` trait,
//! Kafka is reached only through the Kafka crate.

mod control_plane;
mod error;
mod herder;
mod java_text;
mod rest;
mod standalone_files;
mod start_up;
mod store;
mod validation;
mod worker_config;

pub use control_plane::ControlPlane;
pub use error::ControlPlaneError;
pub use worker_config::{Listener, OverridePolicy, WorkerConfig, WorkerMode};
