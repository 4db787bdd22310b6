//! Types of an Avro schema with the Connect schemas that they become.

use lakeward_api::schema::Schema;
use serde_json::{Map, Value as Json};

/// One type. Named types that are used twice are there twice.
#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) shape: Shape,
    /// What Connect makes of it.
    pub(super) schema: Schema,
    /// `arg.properties`.
    pub(super) args: Map<String, Json>,
}

/// What a type is made of.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Array(Box<Type>),
    Boolean,
    Bytes,
    Double,
    Enum(Vec<String>),
    Fixed(usize),
    Float,
    Int,
    Long,
    Map(Box<Type>),
    /// A union of null and this.
    Optional(Box<Type>),
    Record(Vec<(String, Type)>),
    String,
}
