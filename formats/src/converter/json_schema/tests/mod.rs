//! Java's answers, the registry's part, damage and round trips.

mod blocks;
mod damage;
mod golden;
mod leniency;
mod recursion;
mod registry;
mod roundtrip;
mod unions;
