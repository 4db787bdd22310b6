//! The contract suite: cases as text files that hold for Java Connect 4.1 and for our worker alike.
//!
//! Owns the language of the case files ([`script`], [`pattern`], [`variables`]), the workers they run against
//! ([`target`]), what a step does ([`request`], [`action`]) and the report ([`report`]). The cases themselves
//! are in `conformance/contract/*.cases`; a difference that is accepted is a row of
//! `conformance/DIFFERENCES.md`. A case that does not hold for Java is a wrong case.

pub mod action;
pub mod differences;
pub mod files;
pub mod pattern;
pub mod report;
pub mod request;
pub mod run;
pub mod script;
pub mod target;
pub mod variables;
