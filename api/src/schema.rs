//! The Connect schema model and its lossless mapping to Arrow types.
//!
//! Source: `org.apache.kafka.connect.data.Schema` and its logical types, Kafka 4.1.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, TimeUnit};

use crate::parameters::Parameters;
use crate::recursion::Recursive;
use crate::value::Value;

/// Name of the STRINGs that hold the JSON text of a value whose type could not be inferred.
const JSON_TEXT_NAME: &str = "lakeward.JsonText";
/// Logical type names start with this.
const LOGICAL_PREFIX: &str = "org.apache.kafka.connect.data.";

/// One Connect schema. Equality is deep over all attributes, as Java's `ConnectSchema#equals`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Type, with the schemas it is made of.
    pub kind: Kind,
    /// Whether null is a valid value.
    pub optional: bool,
    /// Value that stands in for null when `replace.null.with.default` is on.
    pub default: Option<Value>,
    /// Schema name; logical types are recognised by it.
    pub name: Option<Arc<str>>,
    /// Schema version.
    pub version: Option<i32>,
    /// Documentation.
    pub doc: Option<Arc<str>>,
    /// Free parameters (a Decimal's `scale`).
    pub parameters: Parameters,
}

/// The Connect types.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// ARRAY of items.
    Array(Arc<Schema>),
    /// BOOLEAN.
    Boolean,
    /// BYTES.
    Bytes,
    /// FLOAT32.
    Float32,
    /// FLOAT64.
    Float64,
    /// INT16.
    Int16,
    /// INT32.
    Int32,
    /// INT64.
    Int64,
    /// INT8.
    Int8,
    /// MAP from keys to values.
    Map {
        /// Key schema.
        key: Arc<Schema>,
        /// Value schema.
        value: Arc<Schema>,
    },
    /// The place where a schema contains itself: what it refers to, mostly a STRUCT around this place. Name,
    /// version, doc and parameters are those of that schema; `optional` is the place's own.
    Recursive(Recursive),
    /// STRING.
    String,
    /// STRUCT with named fields in order.
    Struct(Vec<Field>),
}

/// A field of a STRUCT.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Field name, unique in its struct.
    pub name: Arc<str>,
    /// Field schema.
    pub schema: Arc<Schema>,
}

/// The logical types that Connect itself defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// Days since the epoch in INT32.
    Date,
    /// Unscaled two's complement in BYTES.
    Decimal {
        /// Digits after the point.
        scale: i32,
    },
    /// Milliseconds of the day in INT32.
    Time,
    /// Milliseconds since the epoch in INT64.
    Timestamp,
}

impl Schema {
    /// A required schema of `kind` with no other attribute.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            optional: false,
            default: None,
            name: None,
            version: None,
            doc: None,
            parameters: Parameters::new(),
        }
    }

    /// An optional schema of `kind` with no other attribute.
    pub fn optional(kind: Kind) -> Self {
        Self { optional: true, ..Self::new(kind) }
    }

    /// The same schema under `name`.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// An optional STRING that holds JSON text. It is another schema than a plain STRING, so that no file
    /// mixes the two: `"5"` would be a text in one row and a number in the next.
    pub fn json_text() -> Self {
        Self::optional(Kind::String).named(JSON_TEXT_NAME)
    }

    /// Whether this is [`Schema::json_text`].
    pub fn is_json_text(&self) -> bool {
        matches!(self.kind, Kind::String) && self.name.as_deref() == Some(JSON_TEXT_NAME)
    }

    /// A Connect logical schema: `Date`, `Time`, `Timestamp`, or `Decimal` with its scale.
    pub fn logical_of(logical: Logical) -> Self {
        let (kind, simple) = match logical {
            Logical::Date => (Kind::Int32, "Date"),
            Logical::Time => (Kind::Int32, "Time"),
            Logical::Timestamp => (Kind::Int64, "Timestamp"),
            Logical::Decimal { .. } => (Kind::Bytes, "Decimal"),
        };
        let mut schema = Self::new(kind).named(&format!("{LOGICAL_PREFIX}{simple}"));
        schema.version = Some(1);
        if let Logical::Decimal { scale } = logical {
            schema.parameters.insert("scale".to_owned(), scale.to_string());
        }
        schema
    }

    /// The logical type this schema's name and base type stand for.
    pub fn logical(&self) -> Option<Logical> {
        let simple = self.name.as_deref()?.strip_prefix(LOGICAL_PREFIX)?;
        match (simple, &self.kind) {
            ("Date", Kind::Int32) => Some(Logical::Date),
            ("Time", Kind::Int32) => Some(Logical::Time),
            ("Timestamp", Kind::Int64) => Some(Logical::Timestamp),
            ("Decimal", Kind::Bytes) => {
                let scale = self.parameters.get("scale")?.parse().ok()?;
                Some(Logical::Decimal { scale })
            }
            _ => None,
        }
    }

    /// The fields of a STRUCT; empty for every other type.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// The field called `name` of a STRUCT, with its index.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields().iter().enumerate().find(|(_, field)| &*field.name == name)
    }

    /// The Arrow type that holds this schema's values without loss.
    ///
    /// | Connect | Arrow |
    /// |---|---|
    /// | INT8 … INT64, FLOAT32/64, BOOLEAN, STRING, BYTES | the same (`Utf8`, `Binary`) |
    /// | Date, Time, Timestamp | `Date32`, `Time32(ms)`, `Timestamp(ms, UTC)` |
    /// | Decimal | `Binary` (unscaled big-endian: any precision) |
    /// | ARRAY | `List(item)` |
    /// | MAP | `Map(entries(key, value))`, unsorted |
    /// | STRUCT | `Struct` |
    /// | a STRUCT within itself | `Binary`: its value as [`crate::packed`] has it |
    pub fn arrow_type(&self) -> DataType {
        match self.logical() {
            Some(Logical::Date) => return DataType::Date32,
            Some(Logical::Time) => return DataType::Time32(TimeUnit::Millisecond),
            Some(Logical::Timestamp) => {
                return DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
            }
            Some(Logical::Decimal { .. }) | None => {}
        }
        match &self.kind {
            Kind::Array(item) => DataType::List(Arc::new(item.arrow_field("item"))),
            Kind::Boolean => DataType::Boolean,
            Kind::Bytes | Kind::Recursive(_) => DataType::Binary,
            Kind::Float32 => DataType::Float32,
            Kind::Float64 => DataType::Float64,
            Kind::Int16 => DataType::Int16,
            Kind::Int32 => DataType::Int32,
            Kind::Int64 => DataType::Int64,
            Kind::Int8 => DataType::Int8,
            Kind::Map { key, value } => {
                let key = ArrowField::new("key", key.arrow_type(), false);
                let entries = DataType::Struct(Fields::from(vec![key, value.arrow_field("value")]));
                DataType::Map(Arc::new(ArrowField::new("key_value", entries, false)), false)
            }
            Kind::String => DataType::Utf8,
            Kind::Struct(_) => DataType::Struct(self.arrow_fields()),
        }
    }

    /// The Arrow field `name` of this schema: nullable when optional.
    pub fn arrow_field(&self, name: &str) -> ArrowField {
        ArrowField::new(name, self.arrow_type(), self.optional)
    }

    /// The Arrow fields of a STRUCT; empty for every other type.
    pub fn arrow_fields(&self) -> Fields {
        self.fields().iter().map(|field| field.schema.arrow_field(&field.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logical_types_are_recognised_by_name_and_base() {
        for logical in [Logical::Date, Logical::Time, Logical::Timestamp, Logical::Decimal { scale: 3 }] {
            assert_eq!(Schema::logical_of(logical).logical(), Some(logical));
        }
        let wrong_base = Schema::new(Kind::String).named("org.apache.kafka.connect.data.Date");
        assert_eq!(wrong_base.logical(), None);
        assert_eq!(wrong_base.arrow_type(), DataType::Utf8);
    }

    #[test]
    fn required_map_values_are_not_nullable() {
        let map = Schema::new(Kind::Map {
            key: Arc::new(Schema::new(Kind::String)),
            value: Arc::new(Schema::new(Kind::Int32)),
        });
        let DataType::Map(entries, false) = map.arrow_type() else { panic!("not a map") };
        let DataType::Struct(fields) = entries.data_type() else { panic!("no entries") };
        assert!(!fields[0].is_nullable() && !fields[1].is_nullable());
    }
}
