//! The consumer over the C interface of the client library: batches from the consumer queue, rebalances that
//! the caller confirms later, and a wake-up for the shard.
//!
//! The safe bindings offer one poll per message (half the speed of the batch queue) and confirm rebalances
//! inside the callback, which would block a shard. This is the only unsafe code of the crate. It must stay
//! free of decisions: they belong to `crate::consumer`.

#![allow(
    unsafe_code,
    reason = "the C interface is the purpose of this module; every block states why it is sound"
)]

mod batch;
mod callbacks;
mod client;
mod generation;
mod group_offsets;
mod housekeeping;
mod main_queue;
mod oauth;
mod partitions;

pub use batch::{FetchedBatch, FetchedRun};
pub(crate) use callbacks::{ClientEvent, describe};
pub(crate) use client::{CommittedReader, NativeConsumer, Protocol};
pub(crate) use generation::{group_generation, group_member};
pub(crate) use group_offsets::{GroupRequest, group_offsets};
pub use housekeeping::set_housekeeping;
pub(crate) use main_queue::{STATISTICS_EVENT, serve_main_queue};
pub(crate) use oauth::{TokenTaker, give_token, refuse_token};
