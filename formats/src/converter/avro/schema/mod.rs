//! Avro schemas as a table of types. Named types appear once, so a schema may refer to itself.
//!
//! Source: Avro 1.12 specification, "Schema Declaration".

mod parse;
mod print;

use serde_json::{Map, Value as Json};

pub(super) use parse::parse;
pub(super) use print::print;

/// An Avro schema: types that refer to each other by index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AvroSchema {
    types: Vec<Type>,
    pub(super) root: TypeId,
}

/// The place of a type in its schema's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TypeId(u32);

/// One type with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Type {
    pub(super) shape: Shape,
    /// Record, enum and fixed have one.
    pub(super) name: Option<FullName>,
    pub(super) doc: Option<String>,
    /// Every attribute the specification does not name, `logicalType` included.
    pub(super) props: Map<String, Json>,
}

/// What a type is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Array(TypeId),
    Boolean,
    Bytes,
    Double,
    Enum { symbols: Vec<String>, default: Option<String> },
    Fixed(usize),
    Float,
    Int,
    Long,
    Map(TypeId),
    Null,
    Record(Vec<RecordField>),
    String,
    Union(Vec<TypeId>),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordField {
    pub(super) name: String,
    pub(super) kind: TypeId,
    pub(super) doc: Option<String>,
    pub(super) default: Option<Json>,
    pub(super) props: Map<String, Json>,
}

/// The name of a named type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FullName {
    /// Empty when there is none.
    pub(super) namespace: String,
    pub(super) simple: String,
}

impl FullName {
    /// The name that `name` stands for inside `enclosing`, with an explicit `namespace` if there is one.
    pub(super) fn new(name: &str, namespace: Option<&str>, enclosing: &str) -> Self {
        match name.rsplit_once('.') {
            Some((namespace, simple)) => Self { namespace: namespace.to_owned(), simple: simple.to_owned() },
            None => {
                let namespace = namespace.unwrap_or(enclosing).to_owned();
                Self { namespace, simple: name.to_owned() }
            }
        }
    }

    /// Namespace and name with a point between.
    pub(super) fn full(&self) -> String {
        if self.namespace.is_empty() {
            self.simple.clone()
        } else {
            format!("{}.{}", self.namespace, self.simple)
        }
    }
}

impl Type {
    /// An unnamed type without attributes.
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, name: None, doc: None, props: Map::new() }
    }

    /// The text of attribute `key`; `None` also when it is not a text.
    pub(super) fn text_prop(&self, key: &str) -> Option<&str> {
        self.props.get(key)?.as_str()
    }

    /// The full name of a named type.
    pub(super) fn full_name(&self) -> String {
        self.name.as_ref().map(FullName::full).unwrap_or_default()
    }

    /// The word for the type in schema texts.
    pub(super) fn word(&self) -> &'static str {
        match &self.shape {
            Shape::Array(_) => "array",
            Shape::Boolean => "boolean",
            Shape::Bytes => "bytes",
            Shape::Double => "double",
            Shape::Enum { .. } => "enum",
            Shape::Fixed(_) => "fixed",
            Shape::Float => "float",
            Shape::Int => "int",
            Shape::Long => "long",
            Shape::Map(_) => "map",
            Shape::Null => "null",
            Shape::Record(_) => "record",
            Shape::String => "string",
            Shape::Union(_) => "union",
        }
    }

    /// What tells the branches of a union apart: the word, or the full name of a named type.
    pub(super) fn branch_key(&self) -> String {
        if self.name.is_some() { self.full_name() } else { self.word().to_owned() }
    }
}

impl AvroSchema {
    /// The type at `id`.
    pub(super) fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// The type at `id`, to be completed.
    pub(super) fn get_mut(&mut self, id: TypeId) -> &mut Type {
        &mut self.types[id.0 as usize]
    }

    /// The outermost type.
    pub(super) fn root_type(&self) -> &Type {
        self.get(self.root)
    }

    /// Adds a type.
    pub(super) fn add(&mut self, kind: Type) -> TypeId {
        let id = TypeId(u32::try_from(self.types.len()).expect("a schema text has fewer types"));
        self.types.push(kind);
        id
    }

    /// The branch of a union of exactly null and one other type, with the index of null.
    pub(super) fn nullable(&self, branches: &[TypeId]) -> Option<(TypeId, usize)> {
        let [first, second] = branches else { return None };
        let is_null = |id: &TypeId| matches!(self.get(*id).shape, Shape::Null);
        match (is_null(first), is_null(second)) {
            (true, false) => Some((*second, 0)),
            (false, true) => Some((*first, 1)),
            _ => None,
        }
    }
}
