//! Moves records: pinned shards, the pipeline of each task, and the bridge to network clients.
//!
//! A task lives on one shard for one start. On shards: taking messages, decoding, encoding, bookkeeping. On
//! the bridge: everything that waits for a network. Only this crate names the thread-per-core runtime; the
//! control plane reaches it through [`lakeward_api::runtime::TaskRuntime`].

pub mod bridge;
pub mod executor;
pub mod memory;
pub mod runtime;
pub mod source;
mod spill;
mod sys;
mod task;

pub use bridge::TokioBridge;
pub use executor::{Engine, ShardSettings};
pub use runtime::{Dataplane, DataplaneSettings};
