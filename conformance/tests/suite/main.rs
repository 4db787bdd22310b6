//! The conformance suite: one binary, so that all tests share one broker and one S3 server.

mod delivery;
mod demo;
mod differential;
mod differential_plugins;
mod engines;
mod failures;
mod faults;
mod internal_topics;
mod java_interop;
mod json_lines;
mod lifecycle;
mod malformed_bodies;
mod parquet_values;
mod partitioning;
mod plugin_configs;
mod registry_formats;
mod rest_shapes;
mod schemaless;
mod standalone;
mod transforms;
mod validate_keys;
