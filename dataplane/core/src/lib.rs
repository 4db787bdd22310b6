//! The decisions of a task, without IO: which positions may be committed, what a bad record does, how long to
//! wait before a retry. No threads, sockets, files, clocks or randomness: time is an argument.

pub mod backoff;
mod decisions;
pub mod error_counters;
pub mod handover;
pub mod ledger;
pub mod retry;
pub mod source_ledger;
pub mod source_offsets;
pub mod tolerance;
