//! Defaults of Avro fields and `connect.default` annotations as values of Connect schemas. What does not fit
//! is left out, as Java does with a warning.
//!
//! Source: `AvroData#defaultValueFromAvro`, `org.apache.avro.util.internal.JacksonUtils#toObject`.

use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;
use lakeward_api::{decimal::Decimal, rows};
use serde_json::Value as Json;

use super::super::read::shortest;
use super::super::schema::{AvroSchema, RecordField, Shape, Type, TypeId};
use super::{GENERALIZED_FIELD, Mapping, fixed_size, is_enum, is_union, scrub_field, scrub_full, split};

/// Where a default comes from: both are JSON, read by different rules.
#[derive(Clone, Debug)]
pub(super) enum Default {
    /// `connect.default`.
    Annotation(Json),
    /// The default of the field, of a type its schema allows.
    Field(Json),
    /// A default that stands as a text where a number belongs: `NaN`, `Infinity`.
    Number(f64),
}

/// The default of `field`, when it is of the field's type.
pub(super) fn field_default(avro: &AvroSchema, field: &RecordField) -> Option<Default> {
    let default = field.default.as_ref()?;
    if let (Shape::Float | Shape::Double, Json::String(text)) = (&avro.get(field.kind).shape, default) {
        return text.trim().parse().ok().map(Default::Number);
    }
    is_of(avro, field.kind, default).then(|| Default::Field(default.clone()))
}

/// Whether Avro makes a value of `json` under the type `id`; containers are looked into later.
fn is_of(avro: &AvroSchema, id: TypeId, json: &Json) -> bool {
    if json.is_null() {
        return true;
    }
    match &avro.get(id).shape {
        Shape::Union(branches) => branches.first().is_some_and(|first| is_of(avro, *first, json)),
        Shape::Boolean | Shape::Null => json.is_boolean(),
        Shape::Int | Shape::Long => json.as_i64().is_some(),
        Shape::Float | Shape::Double => json.is_number(),
        Shape::String | Shape::Enum { .. } | Shape::Bytes | Shape::Fixed(_) => json.is_string(),
        Shape::Array(_) => json.is_array(),
        Shape::Map(_) | Shape::Record(_) => json.is_object(),
    }
}

/// The default as a value of `schema`, `None` when there is none that fits.
pub(super) fn default_value(
    avro: &AvroSchema,
    kind: &Type,
    schema: &Schema,
    default: &Default,
    mapping: Mapping,
) -> Option<Value> {
    let (json, reader) = match default {
        Default::Annotation(json) => (json, Reader { avro, mapping, annotation: true }),
        Default::Field(json) => (json, Reader { avro, mapping, annotation: false }),
        Default::Number(number) => {
            return match schema.kind {
                Kind::Float32 => Some(Value::Float32(*number as f32)),
                Kind::Float64 => Some(Value::Float64(*number)),
                _ => None,
            };
        }
    };
    if json.is_null() {
        return None;
    }
    reader.value(kind, schema, json).filter(|value| !value.is_null())
}

struct Reader<'a> {
    avro: &'a AvroSchema,
    mapping: Mapping,
    annotation: bool,
}

impl Reader<'_> {
    /// The value, `None` when it does not fit. Recursion is bounded by the depth of the schema.
    fn value(&self, kind: &Type, schema: &Schema, json: &Json) -> Option<Value> {
        if let Shape::Union(branches) = &kind.shape {
            return self.branch(branches, schema, json);
        }
        if json.is_null() {
            return schema.optional.then_some(Value::Null);
        }
        if let Some(logical) = schema.logical() {
            return logical_value(logical, json);
        }
        let integer = || json.as_i64();
        let text = || json.as_str();
        Some(match (&schema.kind, &kind.shape) {
            (Kind::Boolean, _) => Value::Boolean(json.as_bool()?),
            (Kind::Int8, _) => Value::Int8(integer()? as i8),
            (Kind::Int16, _) => Value::Int16(integer()? as i16),
            (Kind::Int32, _) => Value::Int32(i32::try_from(integer()?).ok()?),
            (Kind::Int64, _) => Value::Int64(integer()?),
            (Kind::Float32, _) => Value::Float32(json.as_f64()? as f32),
            (Kind::Float64, _) => Value::Float64(json.as_f64()?),
            (Kind::String, _) => Value::String(text()?.into()),
            (Kind::Bytes, _) => Value::Bytes(latin1(text()?)?.into()),
            (Kind::Array(item), Shape::Array(id)) => {
                let values = json.as_array()?.iter();
                Value::Array(
                    values.map(|json| self.value(self.avro.get(*id), item, json)).collect::<Option<_>>()?,
                )
            }
            (Kind::Map { key, value }, Shape::Map(id)) if !key.optional => {
                let entry = |(name, json): (&String, &Json)| {
                    let value = self.value(self.avro.get(*id), value, json)?;
                    Some((Value::String(name.as_str().into()), value))
                };
                Value::Map(json.as_object()?.iter().map(entry).collect::<Option<_>>()?)
            }
            (Kind::Map { key, value }, Shape::Record(fields))
                if !key.optional && key.kind == Kind::String && !self.annotation =>
            {
                self.record_as_map(fields, value, json)?
            }
            // Java makes no entries of what a default has.
            (Kind::Map { key, .. }, Shape::Array(_))
                if !self.annotation && (key.optional || key.kind != Kind::String) =>
            {
                json.as_array()?.is_empty().then(|| Value::Map(Vec::new()))?
            }
            (Kind::Struct(_), Shape::Record(fields)) => self.record(fields, schema, json)?,
            _ => return None,
        })
    }

    fn record(&self, fields: &[RecordField], schema: &Schema, json: &Json) -> Option<Value> {
        let object = json.as_object()?;
        let mut values = Vec::with_capacity(fields.len());
        for (field, member) in fields.iter().zip(schema.fields()) {
            let name = if self.annotation {
                field.name.clone()
            } else {
                scrub_field(&field.name, self.mapping.scrub)
            };
            let value = match object.get(&name) {
                Some(json) => self.value(self.avro.get(field.kind), &member.schema, json)?,
                None if self.annotation => member.schema.optional.then_some(Value::Null)?,
                None => member.schema.default.clone().or(member.schema.optional.then_some(Value::Null))?,
            };
            values.push(value);
        }
        Some(Value::Struct(values))
    }

    /// A default of a union is one of its first branch, and that of "or null" one of the other branch.
    fn branch(&self, branches: &[TypeId], schema: &Schema, json: &Json) -> Option<Value> {
        if json.is_null() {
            return schema.optional.then_some(Value::Null);
        }
        if is_union(schema) {
            return self.member(branches, schema, json);
        }
        let branch = branches.iter().find(|id| !self.is_null(**id))?;
        self.value(self.avro.get(*branch), schema, json)
    }

    /// The STRUCT of a union with the default in the field that Java takes it for.
    fn member(&self, branches: &[TypeId], schema: &Schema, json: &Json) -> Option<Value> {
        let first = *branches.first()?;
        if self.annotation {
            // Java makes a value of the branch, which is no STRUCT.
            return self.is_null(first).then_some(Value::Null);
        }
        let kind = self.avro.get(first);
        let fields = schema.fields();
        let at = fields.iter().position(|field| is_taken_for(&kind.shape, json, &field.schema))?;
        let field = &fields[at];
        // Java numbers and names the branch after the schema of the field, and may so miss the field.
        let name = field_name(&field.schema, at, self.mapping)?;
        (name == *field.name).then_some(())?;
        let mut values = vec![Value::Null; fields.len()];
        values[at] = self.value(kind, &field.schema, json)?;
        Some(Value::Struct(values))
    }

    /// The default of a record that is taken for a map.
    fn record_as_map(&self, fields: &[RecordField], value: &Schema, json: &Json) -> Option<Value> {
        let entry = |(name, json): (&String, &Json)| {
            let field = fields.iter().find(|field| field.name == *name)?;
            let kind = self.avro.get(field.kind);
            (json.is_null() || is_taken_for(&kind.shape, json, value)).then_some(())?;
            Some((Value::String(name.as_str().into()), self.value(kind, value, json)?))
        };
        json.as_object()?.iter().map(entry).collect::<Option<_>>().map(Value::Map)
    }

    fn is_null(&self, id: TypeId) -> bool {
        matches!(self.avro.get(id).shape, Shape::Null)
    }
}

/// Whether Java takes a default of the type `shape` for a value of the branch `schema` of a union: it looks
/// at the class of what Avro has read, which is a text for enums, bytes for fixed and a map for records.
///
/// Source: `AvroData#isInstanceOfAvroSchemaTypeForSimpleSchema`.
fn is_taken_for(shape: &Shape, json: &Json, schema: &Schema) -> bool {
    match (&schema.kind, shape) {
        (Kind::Int32, Shape::Int)
        | (Kind::Int64, Shape::Long)
        | (Kind::Float32, Shape::Float)
        | (Kind::Float64, Shape::Double)
        | (Kind::Boolean, Shape::Boolean)
        | (Kind::Array(_), Shape::Array(_))
        | (Kind::Map { .. }, Shape::Map(_) | Shape::Record(_)) => true,
        (Kind::String, Shape::String | Shape::Enum { .. }) => !is_enum(schema),
        (Kind::Bytes, Shape::Bytes | Shape::Fixed(_)) => match fixed_size(schema) {
            Some(size) => {
                let found = json.as_str().map(|text| text.chars().count());
                found.is_some_and(|found| size.parse() == Ok(found))
            }
            None => true,
        },
        _ => false,
    }
}

/// The field of a union that Java looks for when it has found the branch `schema` at `index`; `None` for
/// STRUCTs, for which it takes no default.
///
/// Source: `AvroData#unionMemberFieldName(Schema, int)`.
fn field_name(schema: &Schema, index: usize, mapping: Mapping) -> Option<String> {
    if mapping.generalized_sums {
        return Some(format!("{GENERALIZED_FIELD}{index}"));
    }
    if fixed_size(schema).is_some() {
        let name = schema.name.as_deref()?;
        let full = || scrub_full(name, mapping.scrub);
        return Some(if mapping.enhanced { full() } else { split(name, mapping.scrub).1 });
    }
    let word = match schema.kind {
        Kind::Int32 => "int",
        Kind::Int64 => "long",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::Boolean => "boolean",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Array(_) => "array",
        Kind::Map { .. } => "map",
        _ => return None,
    };
    Some(word.to_owned())
}

fn logical_value(logical: Logical, json: &Json) -> Option<Value> {
    Some(match logical {
        Logical::Date => Value::Date(i64::from(i32::try_from(json.as_i64()?).ok()?) * rows::DAY_MS),
        Logical::Time => Value::Date(json.as_i64().filter(|ms| (0..=rows::DAY_MS).contains(ms))?),
        Logical::Timestamp => Value::Date(json.as_i64()?),
        Logical::Decimal { scale } => {
            let bytes = latin1(json.as_str()?)?;
            (!bytes.is_empty()).then_some(())?;
            let unscaled = bytes::Bytes::copy_from_slice(shortest(&bytes));
            Value::Decimal(Decimal { unscaled, scale })
        }
    })
}

/// Avro's form of bytes in JSON: one character per byte.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}
