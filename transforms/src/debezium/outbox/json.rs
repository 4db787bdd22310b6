//! `table.expand.json.payload`: a JSON text becomes a STRUCT whose schema is inferred from it.
//!
//! What cannot be expanded stays the text it is: other texts than objects, documents deeper than 128 levels,
//! integers beyond 64 bits, arrays of mixed types. Debezium does the same, except for arrays at the top and
//! values that contradict the schema inferred from their siblings: there it emits a text under another
//! schema, which typed converters refuse. Where the objects of an array differ, their fields come in
//! the order of their first appearance; in Debezium that order is left to chance. A text whose STRUCT would
//! be many times as large as itself (every object of an array has the fields of all) stays a text, too.
//!
//! Source: `JsonSchemaData`, `EventRouterDelegate#parseJsonPayload`.

use std::cell::Cell;
use std::collections::HashMap;
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
    let left = Cell::new(BYTES_BASE + text.len() * BYTES_PER_BYTE);
    let inference = Inference { nulls_as_bytes, left: &left };
    let schema = inference.schema(Some(name), &document).ok()??;
    let value = value(&document, &schema, &left)?;
    Some((schema, value))
}

/// Bytes that schema and value may take, and more of them for every byte of the text.
const BYTES_BASE: usize = 64 * 1024;
const BYTES_PER_BYTE: usize = 128;

/// A document that has no schema.
struct Unclear;

struct Inference<'a> {
    nulls_as_bytes: bool,
    /// Bytes that may still be taken.
    left: &'a Cell<usize>,
}

/// Takes `bytes` off what is left; `None` when that is too little.
fn take(left: &Cell<usize>, bytes: usize) -> Option<()> {
    left.set(left.get().checked_sub(bytes)?);
    Some(())
}

impl Inference<'_> {
    /// The schema of `node`; `None` when it is left out.
    fn schema(&self, name: Option<&str>, node: &Json) -> Result<Option<Schema>, Unclear> {
        take(self.left, size_of::<Value>() + name.map_or(0, str::len)).ok_or(Unclear)?;
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
        let objects = items.iter().filter(|item| item.is_object());
        let schemas = objects.map(|item| self.schema(name, item));
        let schemas = schemas.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
        let (first, others) = schemas.split_first().ok_or(Unclear)?;
        if others.iter().all(|schema| schema == first) {
            return Ok(first.clone());
        }
        self.merged(first, others)
    }

    /// The fields of all; a field that was only ever null gives way. A merged schema is rebuilt, without the
    /// mark that makes it optional.
    fn merged(&self, first: &Schema, others: &[Schema]) -> Result<Schema, Unclear> {
        let mut fields = first.fields().to_vec();
        let mut places: HashMap<Arc<str>, usize> =
            fields.iter().enumerate().map(|(at, field)| (Arc::clone(&field.name), at)).collect();
        for field in others.iter().flat_map(Schema::fields) {
            match places.get(&field.name) {
                None => {
                    // Every item will have it.
                    take(self.left, others.len() * size_of::<Value>()).ok_or(Unclear)?;
                    places.insert(Arc::clone(&field.name), fields.len());
                    fields.push(field.clone());
                }
                Some(&at) => {
                    let known = &mut fields[at];
                    let was_null = matches!(known.schema.kind, Kind::Bytes);
                    if was_null && !matches!(field.schema.kind, Kind::Bytes) {
                        known.schema = Arc::clone(&field.schema);
                    }
                }
            }
        }
        Ok(Schema { kind: Kind::Struct(fields), optional: false, ..first.clone() })
    }
}

fn number_kind(number: &serde_json::Number) -> Kind {
    match number.as_str().parse::<i64>() {
        Ok(whole) if i32::try_from(whole).is_ok() => Kind::Int32,
        Ok(_) => Kind::Int64,
        Err(_) => Kind::Float64,
    }
}

/// `node` under `schema`; `None` when it does not fit.
fn value(node: &Json, schema: &Schema, left: &Cell<usize>) -> Option<Value> {
    take(left, size_of::<Value>())?;
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
            Value::Array(items.iter().map(|node| value(node, item, left)).collect::<Option<_>>()?)
        }
        (Json::Object(members), Kind::Struct(fields)) => {
            let member = |field: &Field| match members.get(&*field.name) {
                Some(node) => value(node, &field.schema, left),
                None => take(left, size_of::<Value>()).map(|()| Value::Null),
            };
            Value::Struct(fields.iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn what_multiplies_stays_a_text() {
        let nested = format!("{}{{}}{}", "{\"a\":[{},".repeat(50), "]}".repeat(50));
        assert!(expand(&nested, "p", false).is_some());
        let items = |differ: bool| {
            let items: Vec<String> =
                (0..20_000).map(|at| format!("{{\"a{}\":1}}", if differ { at } else { 0 })).collect();
            format!("{{\"a\":[{}]}}", items.join(","))
        };
        assert!(expand(&items(false), "p", false).is_some());
        assert!(expand(&items(true), "p", false).is_none());
        let members: Vec<String> = (0..10_000).map(|at| format!("\"a{at}\":{{}}")).collect();
        let long = format!("{{\"{}\":{{{}}}}}", "n".repeat(100_000), members.join(","));
        assert!(expand(&long, "p", false).is_none());
    }
}
