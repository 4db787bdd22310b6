//! What both sides are compared in: schemas, values and records exactly as Java holds them.
//!
//! It is a model of its own, not that of `lakeward-api`: what our types cannot tell apart must still be
//! visible here.

mod record;
mod schema;
mod show;
mod value;

pub use record::{Header, Record, Side, TimestampType, Typed};
pub(crate) use schema::LOGICAL;
pub use schema::{Field, Kind, Schema, same_schemas};
pub use show::Show;
pub use value::Value;
