//! Load generator and verifier: puts known records into a topic and proves what arrived in the store.
//!
//! Owns: the seeded event generator, the JSON-lines loader, the counting producer, and the verifier that re-
//! reads every Parquet object over S3. Must not: share code with the worker it judges (it reads through its
//! own client), or take the broker's latest offset for the truth: only acknowledged offsets count. It is a
//! tool, so errors are `anyhow`.

pub mod canonical;
pub mod event;
pub mod input;
pub mod latency;
pub mod producer;
pub mod rows;
pub mod store;
pub mod topic;
pub mod verify;
