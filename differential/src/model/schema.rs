//! Schemas with every attribute of `org.apache.kafka.connect.data.Schema`.

use std::sync::Arc;

use super::value::Value;

/// One schema. Parameters keep their order: Java writes them in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Type, with the schemas it is made of.
    pub kind: Kind,
    /// Whether null is valid.
    pub optional: bool,
    /// Default value.
    pub default: Option<Value>,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<i32>,
    /// Documentation.
    pub doc: Option<String>,
    /// Parameters; an empty list is Java's null and Java's empty map.
    pub parameters: Vec<(String, String)>,
}

/// The Connect types, in the order of `Schema.Type`.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// INT8.
    Int8,
    /// INT16.
    Int16,
    /// INT32.
    Int32,
    /// INT64.
    Int64,
    /// FLOAT32.
    Float32,
    /// FLOAT64.
    Float64,
    /// BOOLEAN.
    Boolean,
    /// STRING.
    String,
    /// BYTES.
    Bytes,
    /// ARRAY of items; Java can have none.
    Array(Option<Arc<Schema>>),
    /// MAP from keys to values; Java can have none.
    Map(Option<Arc<Schema>>, Option<Arc<Schema>>),
    /// The place where a STRUCT contains itself: how many STRUCTs around it away, 1 for the next.
    Recursive(usize),
    /// STRUCT.
    Struct(Vec<Field>),
}

/// A field of a STRUCT.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Schema.
    pub schema: Arc<Schema>,
}

/// Names of the logical types start with this.
pub(crate) const LOGICAL: &str = "org.apache.kafka.connect.data.";

impl Schema {
    /// A required schema without attributes.
    pub fn new(kind: Kind) -> Self {
        let (name, doc, version) = (None, None, None);
        Self { kind, optional: false, default: None, name, version, doc, parameters: Vec::new() }
    }

    /// The simple name of the logical type this schema's name stands for.
    pub fn logical(&self) -> Option<&str> {
        let simple = self.name.as_deref()?.strip_prefix(LOGICAL)?;
        ["Date", "Decimal", "Time", "Timestamp"].contains(&simple).then_some(simple)
    }

    /// The fields of a STRUCT; none for every other type.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// True when both say the same, whatever the order of parameters.
    pub fn same(&self, other: &Self) -> bool {
        let sorted = |schema: &Self| {
            let mut parameters = schema.parameters.clone();
            parameters.sort();
            parameters
        };
        let defaults = match (&self.default, &other.default) {
            (Some(one), Some(two)) => one.same(two),
            (one, two) => one.is_none() && two.is_none(),
        };
        defaults
            && self.optional == other.optional
            && self.name == other.name
            && self.version == other.version
            && self.doc == other.doc
            && sorted(self) == sorted(other)
            && same_kinds(&self.kind, &other.kind)
    }
}

fn same_kinds(one: &Kind, two: &Kind) -> bool {
    match (one, two) {
        (Kind::Array(one), Kind::Array(two)) => same_schemas(one.as_ref(), two.as_ref()),
        (Kind::Map(key, value), Kind::Map(other_key, other_value)) => {
            same_schemas(key.as_ref(), other_key.as_ref())
                && same_schemas(value.as_ref(), other_value.as_ref())
        }
        (Kind::Struct(one), Kind::Struct(two)) => {
            let same = |(one, two): (&Field, &Field)| one.name == two.name && one.schema.same(&two.schema);
            one.len() == two.len() && one.iter().zip(two).all(same)
        }
        (Kind::Recursive(one), Kind::Recursive(two)) => one == two,
        _ => std::mem::discriminant(one) == std::mem::discriminant(two),
    }
}

/// Whether two schemas, each of which may be absent, say the same.
pub fn same_schemas(one: Option<&Arc<Schema>>, two: Option<&Arc<Schema>>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => Arc::ptr_eq(one, two) || one.same(two),
        (one, two) => one.is_none() && two.is_none(),
    }
}
