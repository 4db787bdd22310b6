//! JSON Schemas as Connect schemas.
//!
//! Only what fixes a column's type is used: `type` (also as a list with `null`), `properties`, `required`,
//! `items`,
//! `additionalProperties`, `nullable`, `enum` of texts, `title`, `description`, `default`. Validation key
//! words are ignored; choices (`oneOf`, `$ref`, …) have no single type and are refused.

use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Schema};
use serde_json::Value as Json;

use super::{DEPTH_MAX, record_kind, set_default};

/// Reads a JSON Schema; its root is a record.
pub(super) fn parse(json: &Json) -> Result<Schema, String> {
    schema_of(json, "the schema", DEPTH_MAX)
}

fn schema_of(json: &Json, path: &str, depth_left: usize) -> Result<Schema, String> {
    if depth_left == 0 {
        return Err(format!("{path} is nested more than {DEPTH_MAX} levels deep"));
    }
    if let Some(choice) = CHOICES.iter().find(|choice| json.get(**choice).is_some()) {
        return Err(format!("{path} uses {choice}, which has no single column type"));
    }
    let (name, nullable) = type_name(json, path)?;
    let kind = match name {
        "array" => {
            let item = json.get("items").ok_or_else(|| format!("{path} has no items"))?;
            Kind::Array(Arc::new(schema_of(item, &format!("{path}[]"), depth_left - 1)?))
        }
        "boolean" => Kind::Boolean,
        "integer" => Kind::Int64,
        "number" => Kind::Float64,
        "object" => object_kind(json, path, depth_left - 1)?,
        "string" => Kind::String,
        other => return Err(format!("{path} has the unknown type {other}")),
    };
    let mut schema = Schema::new(kind);
    schema.optional = nullable || json["nullable"].as_bool() == Some(true);
    if matches!(schema.kind, Kind::Struct(_)) {
        schema.name = json["title"].as_str().map(Into::into);
    }
    schema.doc = json["description"].as_str().map(Into::into);
    set_default(&mut schema, json.get("default"), path)?;
    Ok(schema)
}

/// The one type that is not null, and whether null is allowed besides it.
fn type_name<'a>(json: &'a Json, path: &str) -> Result<(&'a str, bool), String> {
    let one_type = || format!("{path} must have one type, or one type and null");
    match &json["type"] {
        Json::String(name) => Ok((name, false)),
        Json::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
            let mut others = names.iter().filter(|name| **name != "null");
            match (others.next(), others.next()) {
                (Some(name), None) => Ok((name, names.contains(&"null"))),
                _ => Err(one_type()),
            }
        }
        _ if json["properties"].is_object() => Ok(("object", false)),
        _ if json["enum"].as_array().is_some_and(|all| all.iter().all(Json::is_string)) => {
            Ok(("string", false))
        }
        _ => Err(one_type()),
    }
}

fn object_kind(json: &Json, path: &str, depth_left: usize) -> Result<Kind, String> {
    let Some(properties) = json["properties"].as_object() else {
        return match &json["additionalProperties"] {
            value @ Json::Object(_) => {
                let value = schema_of(value, &format!("{path}{{}}"), depth_left)?;
                Ok(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: Arc::new(value) })
            }
            _ => Err(format!("{path} is an object without properties")),
        };
    };
    let required: Vec<&str> = json["required"]
        .as_array()
        .map_or_else(Vec::new, |names| names.iter().filter_map(Json::as_str).collect());
    let field = |(name, property): (&String, &Json)| {
        let path = if path == "the schema" { name.clone() } else { format!("{path}.{name}") };
        let mut schema = schema_of(property, &path, depth_left)?;
        schema.optional |= !required.contains(&name.as_str());
        Ok::<_, String>(Field { name: name.as_str().into(), schema: Arc::new(schema) })
    };
    let fields = properties.iter().map(field).collect::<Result<_, _>>()?;
    record_kind(fields, path)
}

const CHOICES: [&str; 5] = ["$ref", "allOf", "anyOf", "not", "oneOf"];
