//! The frames between this program and the Java one: big-endian, every number of fixed width.
//!
//! A schema is a reference: 0 is none, 1 is followed by its definition, n + 2 is the definition that ended as
//! number n of the same case, -1 the place where a STRUCT contains itself.
//! java/WireReader.java and java/WireWriter.java have the same forms.

mod read;
mod write;

pub(crate) use read::Reader;
pub(crate) use write::Writer;

/// Flags of a schema definition.
const OPTIONAL: u8 = 1;
const HAS_DEFAULT: u8 = 2;
const HAS_VERSION: u8 = 4;

/// Reference to a STRUCT around this place: whether the place is optional, and how many STRUCTs away it is.
const RECURSIVE: i32 = -1;

/// Tags of values.
mod tag {
    pub(super) const NULL: u8 = 0;
    pub(super) const BOOLEAN: u8 = 1;
    pub(super) const INT8: u8 = 2;
    pub(super) const INT16: u8 = 3;
    pub(super) const INT32: u8 = 4;
    pub(super) const INT64: u8 = 5;
    pub(super) const FLOAT32: u8 = 6;
    pub(super) const FLOAT64: u8 = 7;
    pub(super) const STRING: u8 = 8;
    pub(super) const BINARY: u8 = 9;
    pub(super) const LIST: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const DATE: u8 = 13;
    pub(super) const DECIMAL: u8 = 14;
    pub(super) const OTHER: u8 = 15;
}
