//! Connect schemas as JSON Schemas, member for member as Java writes them.
//!
//! Source: `JsonSchemaData#rawSchemaFromConnectSchema`; the text forms of `org.everit.json.schema` and
//! `org.json`.

use std::collections::HashSet;

use lakeward_api::decimal::Decimal;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use serde_json::{Map, Value as Json};

use super::config::Mapping;
use super::fault::{Converted, Fault, data};
use super::members::{
    ENUM, GENERAL_ENUM, ID, INDEX, NAMESPACE, NULL_SYMBOL, PARAMETERS, TYPE, VERSION, hashed, in_copied_order,
};
use super::union::is_union;
use crate::json_text::{DecimalFormat, append_typed, hash};

/// The JSON Schema of `schema`, without white space.
///
/// # Errors
/// `DataException` for a default that does not have the type of its schema.
pub(super) fn from_connect(schema: &Schema, mapping: Mapping) -> Converted<Json> {
    FromConnect { mapping, ids: HashSet::new() }.schema(schema, None, Optional::Heeded)
}

struct FromConnect<'s> {
    mapping: Mapping,
    /// STRUCTs that can be referred to.
    ids: HashSet<&'s str>,
}

/// Whether an optional schema is a choice between null and the type.
#[derive(Clone, Copy, PartialEq)]
enum Optional {
    Heeded,
    /// The alternatives of a union stand for themselves.
    Ignored,
}

type Members = Map<String, Json>;

impl<'s> FromConnect<'s> {
    /// Recursion is bounded by the depth of the schema.
    fn schema(&mut self, schema: &'s Schema, index: Option<usize>, optional: Optional) -> Converted<Json> {
        let id = schema.parameters.get(ID).map(String::as_str);
        self.ids.extend(id);
        let is_struct = matches!(schema.kind, Kind::Struct(_));
        if is_struct && is_union(schema) {
            return Ok(one_of(id, index, self.alternatives(schema)?));
        }
        if schema.optional && (optional == Optional::Heeded || is_struct) {
            // A STRUCT keeps its id, too.
            let value = self.typed(schema, id.filter(|_| is_struct), None)?;
            return Ok(one_of(id, index, vec![null(), value]));
        }
        self.typed(schema, id, index)
    }

    fn alternatives(&mut self, schema: &'s Schema) -> Converted<Vec<Json>> {
        let mut alternatives = Vec::new();
        if schema.optional {
            alternatives.push(null());
        }
        for (at, Field { schema, .. }) in schema.fields().iter().enumerate() {
            self.ids.extend(schema.parameters.get(ID).map(String::as_str));
            let is_plain_struct = matches!(schema.kind, Kind::Struct(_)) && !is_union(schema);
            alternatives.push(if is_plain_struct {
                self.typed(schema, schema.parameters.get(ID).map(String::as_str), Some(at))?
            } else if is_union(schema) {
                let mut inner = self.alternatives(schema)?;
                inner.retain(|alternative| *alternative != null());
                one_of(schema.parameters.get(ID).map(String::as_str), Some(at), inner)
            } else {
                self.schema(schema, Some(at), Optional::Ignored)?
            });
        }
        Ok(alternatives)
    }

    /// The schema of values that are not null.
    fn typed(&mut self, schema: &'s Schema, id: Option<&str>, index: Option<usize>) -> Converted<Json> {
        let (head, connect_type, tail) = self.parts(schema)?;
        let mut members = head;
        let mut set = |name: &str, json: Json| {
            members.insert(name.to_owned(), json);
        };
        if let Some(name) = &schema.name {
            set("title", Json::from(&**name));
        }
        if let Some(doc) = &schema.doc {
            set("description", Json::from(&**doc));
        }
        if schema.default.is_some() {
            set("default", self.default(schema)?);
        }
        if let Some(id) = id {
            set("id", Json::from(id));
        }
        let mut extras = Vec::new();
        if let Some(connect_type) = connect_type {
            extras.push((TYPE.to_owned(), Json::from(connect_type)));
        }
        if let Some(version) = schema.version {
            extras.push((VERSION.to_owned(), Json::from(version)));
        }
        let parameters = schema.parameters.iter().filter(|(name, _)| !name.starts_with(NAMESPACE));
        let parameters: Vec<_> =
            parameters.map(|(name, text)| (name.clone(), Json::from(text.as_str()))).collect();
        if !parameters.is_empty() {
            extras.push((PARAMETERS.to_owned(), hashed(parameters)));
        }
        if let Some(index) = index {
            extras.push((INDEX.to_owned(), Json::from(index)));
        }
        members.extend(in_copied_order(extras));
        members.extend(tail);
        Ok(Json::Object(members))
    }

    /// What stands before the description, `connect.type`, and what stands behind.
    fn parts(&mut self, schema: &'s Schema) -> Converted<(Members, Option<&'static str>, Members)> {
        let head = |name: &str| member("type", Json::from(name));
        let none = Members::new;
        Ok(match &schema.kind {
            Kind::Int8 => (head("integer"), Some("int8"), none()),
            Kind::Int16 => (head("integer"), Some("int16"), none()),
            Kind::Int32 => (head("integer"), Some("int32"), none()),
            Kind::Int64 => (head("integer"), Some("int64"), none()),
            Kind::Float32 => (head("number"), Some("float32"), none()),
            Kind::Float64 => (head("number"), Some("float64"), none()),
            Kind::Boolean => (none(), None, head("boolean")),
            Kind::String => match self.symbols(schema) {
                Some(symbols) => (member("enum", symbols), None, none()),
                None => (head("string"), None, none()),
            },
            Kind::Bytes => {
                let is_decimal = schema.name.as_deref() == Some("org.apache.kafka.connect.data.Decimal");
                let is_number = is_decimal && self.mapping.form.decimals == DecimalFormat::Numeric;
                (head(if is_number { "number" } else { "string" }), Some("bytes"), none())
            }
            Kind::Array(item) => {
                let item = self.referable(item, None)?;
                (head("array"), None, member("items", item))
            }
            Kind::Map { key, value } if matches!(key.kind, Kind::String) && !key.optional => {
                let value = self.schema(value, None, Optional::Heeded)?;
                (head("object"), Some("map"), member("additionalProperties", value))
            }
            Kind::Map { key, value } => {
                let key = self.schema(key, Some(0), Optional::Heeded)?;
                let value = self.schema(value, Some(1), Optional::Heeded)?;
                let mut entry = head("object");
                let properties = vec![("key".to_owned(), key), ("value".to_owned(), value)];
                entry.insert("properties".to_owned(), hashed(properties));
                (head("array"), Some("map"), member("items", Json::Object(entry)))
            }
            Kind::Recursive(_) => return Err(data(ENDLESS)),
            Kind::Struct(fields) => {
                let mut properties = Vec::with_capacity(fields.len());
                for (at, field) in fields.iter().enumerate() {
                    let property = self.referable(&field.schema, Some(at))?;
                    properties.push((field.name.to_string(), property));
                }
                let mut head = head("object");
                if !self.mapping.additional_properties {
                    head.insert("additionalProperties".to_owned(), Json::Bool(false));
                }
                let tail =
                    if properties.is_empty() { none() } else { member("properties", hashed(properties)) };
                (head, None, tail)
            }
        })
    }

    /// The schema, or a reference to it when it was written before.
    fn referable(&mut self, schema: &'s Schema, index: Option<usize>) -> Converted<Json> {
        // A place of recursion has the parameters of the STRUCT that it stands for.
        let id = match &schema.kind {
            Kind::Recursive(recursive) => recursive.resolve().parameters.get(ID).cloned(),
            _ => schema.parameters.get(ID).cloned(),
        };
        match id {
            Some(id) if self.ids.contains(id.as_str()) => Ok(Json::Object(member("$ref", Json::from(id)))),
            _ => self.schema(schema, index, Optional::Heeded),
        }
    }

    /// The symbols of an enum.
    fn symbols(&self, schema: &Schema) -> Option<Json> {
        if !schema.parameters.contains_key(ENUM) && !schema.parameters.contains_key(GENERAL_ENUM) {
            return None;
        }
        let parameter = if self.mapping.generalized_sums { GENERAL_ENUM } else { ENUM };
        let symbol = |name: &str| name.strip_prefix(parameter)?.strip_prefix('.').map(str::to_owned);
        let symbols: Vec<String> = schema.parameters.iter().filter_map(|(name, _)| symbol(name)).collect();
        let hash = |at: usize| if symbols[at] == NULL_SYMBOL { 0 } else { hash::of_text(&symbols[at]) };
        let mut listed = Vec::with_capacity(symbols.len());
        let Ok(()) = hash::in_order(symbols.len(), hash, |_, at| {
            let symbol = symbols[at].as_str();
            listed.push(if symbol == NULL_SYMBOL { Json::Null } else { Json::from(symbol) });
            Ok::<(), std::convert::Infallible>(())
        });
        Some(Json::Array(listed))
    }

    fn default(&self, schema: &Schema) -> Converted<Json> {
        let mut text = Vec::new();
        let Some(default) = &schema.default else { return Ok(Json::Null) };
        if !is_finite(default) {
            let message = "JSON does not allow non-finite numbers.".to_owned();
            return Err(Box::new(Fault::Bare { class: "org.json.JSONException", message }));
        }
        append_typed(&mut text, schema, default, self.mapping.form)?;
        let json = serde_json::from_slice(&text);
        json.map(written_twice).map_err(|_| data("A default has no JSON form"))
    }
}

/// Whether all numbers in `value` are numbers. Recursion is bounded by the depth of the schema.
fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float32(number) => number.is_finite(),
        Value::Float64(number) => number.is_finite(),
        Value::Array(items) | Value::Struct(items) => items.iter().all(is_finite),
        Value::Map(entries) => entries.iter().all(|(key, value)| is_finite(key) && is_finite(value)),
        _ => true,
    }
}

/// A value as it is after `org.json` and then Jackson have written it: fractions without zeros at their end,
/// exponents as `BigDecimal` writes them, members in hash order.
fn written_twice(json: Json) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.into_iter().map(written_twice).collect()),
        Json::Object(members) => {
            hashed(members.into_iter().map(|(name, json)| (name, written_twice(json))).collect())
        }
        Json::Number(number) => {
            let text = number.to_string();
            let text = if text.contains(['e', 'E']) {
                Decimal::parse(&text).map_or(text, |decimal| decimal.to_java_text())
            } else if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            };
            let text = if text == "-0" { "0" } else { &text };
            serde_json::from_str(text).unwrap_or(Json::Number(number))
        }
        other => other,
    }
}

/// Java refers to a STRUCT only in fields and lists; anywhere else its stack overflows.
const ENDLESS: &str = "A schema that contains itself in a map, in a union or without a number of its own has \
                       no JSON Schema";

fn one_of(id: Option<&str>, index: Option<usize>, alternatives: Vec<Json>) -> Json {
    let mut members = Members::new();
    if let Some(id) = id {
        members.insert("id".to_owned(), Json::from(id));
    }
    if let Some(index) = index {
        members.insert(INDEX.to_owned(), Json::from(index));
    }
    members.insert("oneOf".to_owned(), Json::Array(alternatives));
    Json::Object(members)
}

fn null() -> Json {
    Json::Object(member("type", Json::from("null")))
}

fn member(name: &str, json: Json) -> Members {
    Members::from_iter([(name.to_owned(), json)])
}
