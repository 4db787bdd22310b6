//! `table.expand.json.payload`: a JSON text becomes a STRUCT whose schema is inferred from it.
//!
//! What cannot be expanded stays the text it is: other texts than objects, documents deeper than 128 levels,
//! integers beyond 64 bits, arrays of mixed types. Debezium does the same, except for arrays at the top and
//! values that contradict the schema inferred from their siblings: there it emits a text under another
//! schema, which typed converters refuse. Where the objects of an array differ, their fields come in
//! the order of their first appearance; in Debezium that order is left to chance.
//!
//! Source: `JsonSchemaData`, `EventRouterDelegate#parseJsonPayload`.

use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use serde::Deserialize as _;
use serde_json::Value as Json;

/// The STRUCT in `text`, named `name`; `None` when it stays a text.
pub(super) fn expand(text: &str, name: &str, nulls_as_bytes: bool) -> Option<(Schema, Value)> {
    if !text.starts_with('{') {
        return None;
    }
    // Like Jackson, this reads one document and leaves what follows it.
    let document = Json::deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
    let schema = Inference { nulls_as_bytes }.schema(Some(name), &document).ok()??;
    let value = value(&document, &schema)?;
    Some((schema, value))
}

/// A document that has no schema.
struct Unclear;

struct Inference {
    nulls_as_bytes: bool,
}

impl Inference {
    /// The schema of `node`; `None` when it is left out.
    fn schema(&self, name: Option<&str>, node: &Json) -> Result<Option<Schema>, Unclear> {
        Ok(Some(match node {
            Json::String(_) => Schema::optional(Kind::String),
            Json::Bool(_) => Schema::optional(Kind::Boolean),
            Json::Number(number) => Schema::optional(number_kind(number)),
            Json::Null if self.nulls_as_bytes => Schema::optional(Kind::Bytes),
            Json::Null => return Ok(None),
            Json::Array(items) if items.is_empty() => return Ok(None),
            Json::Array(items) => Schema::optional(Kind::Array(Arc::new(self.item(name, items)?))),
            Json::Object(members) => {
                let mut fields: Vec<Field> = Vec::with_capacity(members.len());
                for (member, node) in members {
                    if member.is_empty() {
                        return Err(Unclear);
                    }
                    let path = match name.filter(|name| !name.trim().is_empty()) {
                        Some(name) => format!("{name}.{member}"),
                        None => member.clone(),
                    };
                    if let Some(schema) = self.schema(Some(&path), node)? {
                        fields.push(Field { name: member.as_str().into(), schema: Arc::new(schema) });
                    }
                }
                let schema = Schema::optional(Kind::Struct(fields));
                match name {
                    Some(name) => schema.named(name),
                    None => schema,
                }
            }
        }))
    }

    /// The schema that all items share.
    fn item(&self, name: Option<&str>, items: &[Json]) -> Result<Schema, Unclear> {
        let mut there = items.iter().filter(|item| !item.is_null());
        let Some(first) = there.next() else { return self.schema(None, &Json::Null)?.ok_or(Unclear) };
        for item in there {
            if std::mem::discriminant(item) != std::mem::discriminant(first) {
                return Err(Unclear);
            }
            if let (Json::Number(first), Json::Number(item)) = (first, item)
                && number_kind(first) != number_kind(item)
            {
                return Err(Unclear);
            }
        }
        if !first.is_object() {
            return self.schema(None, first)?.ok_or(Unclear);
        }
        let mut merged: Option<Schema> = None;
        for item in items.iter().filter(|item| item.is_object()) {
            let Some(schema) = self.schema(name, item)? else { continue };
            merged = Some(match merged {
                None => schema,
                Some(merged) => merge(merged, schema),
            });
        }
        let mut schema = merged.ok_or(Unclear)?;
        // A merged schema is rebuilt, without the mark that makes it optional.
        if items.iter().filter(|item| item.is_object()).count() > 1 && schema.optional {
            schema.optional = self.all_alike(name, items)?;
        }
        Ok(schema)
    }

    fn all_alike(&self, name: Option<&str>, items: &[Json]) -> Result<bool, Unclear> {
        let mut first: Option<Schema> = None;
        for item in items.iter().filter(|item| item.is_object()) {
            let schema = self.schema(name, item)?;
            match (&first, schema) {
                (None, schema) => first = schema,
                (Some(first), Some(schema)) if *first == schema => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The fields of both; a field that was only ever null gives way.
fn merge(left: Schema, right: Schema) -> Schema {
    if left == right {
        return left;
    }
    let mut fields = left.fields().to_vec();
    for field in right.fields() {
        match fields.iter_mut().find(|known| known.name == field.name) {
            None => fields.push(field.clone()),
            Some(known) => {
                let was_null = matches!(known.schema.kind, Kind::Bytes);
                if was_null && !matches!(field.schema.kind, Kind::Bytes) {
                    known.schema = Arc::clone(&field.schema);
                }
            }
        }
    }
    Schema { kind: Kind::Struct(fields), optional: false, ..left }
}

fn number_kind(number: &serde_json::Number) -> Kind {
    match number.as_str().parse::<i64>() {
        Ok(whole) if i32::try_from(whole).is_ok() => Kind::Int32,
        Ok(_) => Kind::Int64,
        Err(_) => Kind::Float64,
    }
}

/// `node` under `schema`; `None` when it does not fit.
fn value(node: &Json, schema: &Schema) -> Option<Value> {
    Some(match (node, &schema.kind) {
        (Json::Null, _) => Value::Null,
        (Json::String(text), Kind::String) => Value::String(text.as_str().into()),
        (Json::Bool(value), Kind::Boolean) => Value::Boolean(*value),
        (Json::Number(number), kind) if number_kind(number) == *kind => {
            let text = number.as_str();
            match kind {
                Kind::Int32 => Value::Int32(text.parse().ok()?),
                Kind::Int64 => Value::Int64(text.parse().ok()?),
                // An integer beyond 64 bits has no value here.
                _ if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
                    Value::Float64(text.parse().ok()?)
                }
                _ => return None,
            }
        }
        (Json::Array(items), Kind::Array(item)) => {
            Value::Array(items.iter().map(|node| value(node, item)).collect::<Option<_>>()?)
        }
        (Json::Object(members), Kind::Struct(fields)) => {
            let member = |field: &Field| match members.get(&*field.name) {
                Some(node) => value(node, &field.schema),
                None => Some(Value::Null),
            };
            Value::Struct(fields.iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
