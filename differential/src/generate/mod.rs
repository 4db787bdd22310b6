//! Generators: schemas, values, JSON texts, settings and records, all from one seeded source of chance.
//!
//! They aim at edges: extreme numbers, odd texts, attributes that matter rarely, damaged input. What they
//! make must be representable on both sides; input that only Java could hold is out of scope.

pub(crate) mod converters;
mod damage;
pub(crate) mod encode;
mod envelope;
mod json;
mod records;
pub(crate) mod registry;
mod schema;
mod text;
pub(crate) mod transforms;
mod value;

pub(crate) use damage::damage;
