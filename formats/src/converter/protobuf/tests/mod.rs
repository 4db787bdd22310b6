//! Tests that span the modules of the converter.

mod damage;
mod golden;
mod nested;
mod registry;
