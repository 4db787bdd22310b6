//! Avro schemas as Connect schemas.
//!
//! The JSON values are ours, not Avro's JSON encoding: unions with null are plain values, dates, times of
//! day and timestamps are integers of their unit, bytes are base64, decimals numbers or base64.
//!
//! Source: the Avro specification; `AvroData#toConnectSchema` for the types.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Logical, Schema};
use serde_json::Value as Json;

use super::{DEPTH_MAX, record_kind, set_default};

/// Reads an Avro schema.
pub(super) fn parse(json: &Json) -> Result<Schema, String> {
    AvroReader { named: HashMap::new() }.schema(json, "", "the schema", DEPTH_MAX)
}

struct AvroReader {
    /// Types defined so far by full name; `None` while one is being defined.
    named: HashMap<String, Option<Schema>>,
}

impl AvroReader {
    fn schema(
        &mut self,
        json: &Json,
        namespace: &str,
        path: &str,
        depth_left: usize,
    ) -> Result<Schema, String> {
        if depth_left == 0 {
            return Err(format!("{path} is nested more than {DEPTH_MAX} levels deep"));
        }
        match json {
            Json::String(name) => self.by_name(name, namespace, path),
            Json::Array(branches) => self.union(branches, namespace, path, depth_left - 1),
            Json::Object(_) => self.complex(json, namespace, path, depth_left - 1),
            _ => Err(format!("{path} is not an Avro schema")),
        }
    }

    fn by_name(&self, name: &str, namespace: &str, path: &str) -> Result<Schema, String> {
        if let Some(kind) = primitive(name) {
            return Ok(Schema::new(kind));
        }
        if name == "null" {
            return Err(format!("{path} has the type null; use a union such as [\"null\",\"string\"]"));
        }
        let known = self.named.get(&full_name(name, namespace)).or_else(|| self.named.get(name));
        match known {
            Some(Some(schema)) => Ok(schema.clone()),
            Some(None) => Err(format!("{path} is recursive, which declared schemas cannot be")),
            None => Err(format!("{path} has the unknown type {name}")),
        }
    }

    fn union(
        &mut self,
        branches: &[Json],
        namespace: &str,
        path: &str,
        depth_left: usize,
    ) -> Result<Schema, String> {
        let is_null = |branch: &&Json| branch.as_str() == Some("null");
        let nulls = branches.iter().filter(is_null).count();
        let values: Vec<&Json> = branches.iter().filter(|branch| !is_null(branch)).collect();
        let [value] = values.as_slice() else {
            return Err(format!("{path} must be a union of null and one other type"));
        };
        let mut schema = self.schema(value, namespace, path, depth_left)?;
        schema.optional = nulls > 0;
        Ok(schema)
    }

    fn complex(
        &mut self,
        json: &Json,
        namespace: &str,
        path: &str,
        depth_left: usize,
    ) -> Result<Schema, String> {
        let kind = match &json["type"] {
            Json::String(kind) => kind.as_str(),
            nested @ (Json::Object(_) | Json::Array(_)) => {
                return self.schema(nested, namespace, path, depth_left);
            }
            _ => return Err(format!("{path} has no type")),
        };
        match kind {
            "array" => {
                let item = self.schema(&json["items"], namespace, &format!("{path}[]"), depth_left)?;
                Ok(Schema::new(Kind::Array(Arc::new(item))))
            }
            "map" => {
                let value = self.schema(&json["values"], namespace, &format!("{path}{{}}"), depth_left)?;
                let key = Arc::new(Schema::new(Kind::String));
                Ok(Schema::new(Kind::Map { key, value: Arc::new(value) }))
            }
            "record" | "enum" | "fixed" => self.define(json, kind, namespace, path, depth_left),
            _ => logical(json, kind, path, || self.by_name(kind, namespace, path)),
        }
    }

    fn define(
        &mut self,
        json: &Json,
        kind: &str,
        namespace: &str,
        path: &str,
        depth_left: usize,
    ) -> Result<Schema, String> {
        let Some(name) = json["name"].as_str() else { return Err(format!("{path} has no name")) };
        let full = full_name(name, json["namespace"].as_str().unwrap_or(namespace));
        if self.named.insert(full.clone(), None).is_some() {
            return Err(format!("{path} defines {full} a second time"));
        }
        let mut schema = match kind {
            "enum" => Schema::new(Kind::String),
            "fixed" => logical(json, "bytes", path, || Ok(Schema::new(Kind::Bytes)))?,
            _ => {
                let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace);
                let path = if path == "the schema" { name } else { path };
                Schema::new(self.fields(json, inner, path, depth_left)?).named(&full)
            }
        };
        schema.doc = json["doc"].as_str().map(Into::into);
        self.named.insert(full, Some(schema.clone()));
        Ok(schema)
    }

    fn fields(
        &mut self,
        json: &Json,
        namespace: &str,
        path: &str,
        depth_left: usize,
    ) -> Result<Kind, String> {
        let Some(list) = json["fields"].as_array() else { return Err(format!("{path} has no fields")) };
        let field = |field: &Json| {
            let Some(name) = field["name"].as_str() else {
                return Err(format!("{path} has a field without name"));
            };
            let path = format!("{path}.{name}");
            let mut schema = self.schema(&field["type"], namespace, &path, depth_left)?;
            set_default(&mut schema, field.get("default"), &path)?;
            Ok(Field { name: name.into(), schema: Arc::new(schema) })
        };
        let fields = list.iter().map(field).collect::<Result<_, _>>()?;
        record_kind(fields, path)
    }
}

fn primitive(name: &str) -> Option<Kind> {
    Some(match name {
        "boolean" => Kind::Boolean,
        "bytes" => Kind::Bytes,
        "double" => Kind::Float64,
        "float" => Kind::Float32,
        "int" => Kind::Int32,
        "long" => Kind::Int64,
        "string" => Kind::String,
        _ => return None,
    })
}

/// The schema of a type with annotations; those without meaning for its base type are ignored, as Avro
/// demands.
fn logical(
    json: &Json,
    base: &str,
    path: &str,
    plain: impl Fn() -> Result<Schema, String>,
) -> Result<Schema, String> {
    match (json["logicalType"].as_str().unwrap_or_default(), base) {
        ("date", "int") => Ok(Schema::logical_of(Logical::Date)),
        ("time-millis", "int") => Ok(Schema::logical_of(Logical::Time)),
        ("timestamp-millis", "long") => Ok(Schema::logical_of(Logical::Timestamp)),
        ("decimal", "bytes") => {
            let scale = json["scale"].as_i64().unwrap_or(0);
            let scale =
                i32::try_from(scale).map_err(|_| format!("{path} has a decimal scale out of range"))?;
            let mut schema = Schema::logical_of(Logical::Decimal { scale });
            if let Some(precision) = json["precision"].as_i64() {
                schema.parameters.insert("connect.decimal.precision".to_owned(), precision.to_string());
            }
            Ok(schema)
        }
        (unit, "long") if unit.contains("-micros") || unit.contains("-nanos") => Err(format!(
            "{path} has the logical type {unit}; use timestamp-millis, or long without a logical type"
        )),
        _ => plain(),
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}
