//! The differential test: seeded cases through Apache Kafka's own classes and through ours, compared in
//! bytes, schemas, values and exceptions.
//!
//! `target` lists what is compared and `generate` makes the cases; `java` and `ours` answer them; `compare`
//! says what a difference is, `accepted` which ones are known and why, `shrink` makes them small, `run` ties
//! it together. Nothing here may be used by the worker.

mod accepted;
pub mod bench;
pub mod case;
mod compare;
mod generate;
pub mod java;
pub mod model;
mod ours;
mod random;
pub mod robustness;
pub mod run;
mod shrink;
mod target;
mod wire;

pub use compare::Kind;
pub use random::Random;
pub use target::{TARGETS, Target};
