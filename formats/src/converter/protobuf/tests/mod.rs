//! Tests that span the modules of the converter.

mod damage;
mod dump;
mod golden;
mod registry;
