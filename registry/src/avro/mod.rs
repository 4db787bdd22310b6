//! Avro schemas as far as a registry needs them: well formed or not, and able to read each other or not.
//!
//! Converters have their own, richer model. Source: Avro 1.12 specification, "Schema Declaration" and "Schema
//! Resolution".

mod canonical;
mod compatible;
mod parse;

pub(crate) use canonical::canonical;
pub(crate) use compatible::differences;

use std::collections::HashMap;

/// A schema as an arena: named types may refer to themselves.
#[derive(Debug, Default)]
pub(crate) struct AvroSchema {
    nodes: Vec<Node>,
    names: HashMap<String, usize>,
    root: usize,
}

#[derive(Debug)]
enum Node {
    /// A named type whose definition is being read, by its full name.
    Open(String),
    Primitive(Primitive),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Fixed {
        name: Name,
        size: i64,
    },
    Enum {
        name: Name,
        symbols: Vec<String>,
        default: Option<String>,
    },
    Record {
        name: Name,
        fields: Vec<Field>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Primitive {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
}

impl Primitive {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }
}

/// A full name and the full names it also goes by.
#[derive(Debug)]
struct Name {
    full: String,
    aliases: Vec<String>,
}

impl Name {
    fn simple(&self) -> &str {
        self.full.rsplit('.').next().unwrap_or(&self.full)
    }
}

#[derive(Debug)]
struct Field {
    name: String,
    aliases: Vec<String>,
    schema: usize,
    has_default: bool,
}

/// The full name of `name` where `namespace` encloses it.
fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}
