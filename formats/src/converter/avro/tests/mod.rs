//! Tests against Java's own outcome, round trips, and damaged payloads.

mod damage;
mod defaults;
mod golden;
mod recursion;
mod registry;
mod resolution;
