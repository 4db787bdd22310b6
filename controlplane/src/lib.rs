//! The control plane: worker configuration, REST, internal topics, herder.
//!
//! Decides what runs and answers for it; never touches a record. Tasks run behind the `TaskRuntime` trait,
//! Kafka is reached only through the Kafka crate.

mod calendar;
mod config_providers;
mod connector_class;
mod control_plane;
mod error;
mod herder;
mod java_base64;
mod java_text;
mod loggers;
mod metrics;
mod offsets;
mod rest;
mod signing;
mod standalone_files;
mod start_up;
mod store;
mod validation;
mod worker_config;

pub use control_plane::ControlPlane;
pub use error::ControlPlaneError;
pub use loggers::{ApplyLevels, connect_log_levels};
pub use worker_config::{Listener, OverridePolicy, Scheme, WorkerConfig, WorkerMode};
