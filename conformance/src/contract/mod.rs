//! The contract suite: cases as text files that hold for Java Connect 4.1 and for our worker alike.
//!
//! Owns the language of the case files ([`launch`], [`script`], [`pattern`], [`variables`]), the workers they
//! run against ([`target`], [`process`], [`tls`]), what a step does ([`stage`], [`request`], [`action`]) and
//! the report ([`report`]). The cases themselves
//! are in `conformance/contract/*.cases`; a difference that is accepted is a row of
//! `conformance/DIFFERENCES.md`. A case that does not hold for Java is a wrong case.

pub mod action;
pub mod differences;
pub mod files;
pub mod launch;
pub mod pattern;
pub mod process;
pub mod report;
pub mod request;
pub mod run;
pub mod script;
pub mod stage;
pub mod target;
pub mod tls;
pub mod variables;
