//! Enums as STRINGs with a parameter per symbol.
//!
//! Source: `JsonSchemaData#toConnectEnums`; `toString` of Java's collections and numbers.

use lakeward_api::decimal::Decimal;
use lakeward_api::schema::{Kind, Schema};
use serde_json::Value as Json;

use super::members::{ENUM, GENERAL_ENUM, NULL_SYMBOL, in_hash_order};

/// The STRING of an enum of `values`.
pub(super) fn enum_schema(values: &[Json], generalized: bool) -> Schema {
    let parameter = if generalized { GENERAL_ENUM } else { ENUM };
    let mut schema = Schema::new(Kind::String);
    schema.parameters.insert(parameter.to_owned(), String::new());
    for (at, value) in values.iter().enumerate() {
        let symbol = if value.is_null() { NULL_SYMBOL.to_owned() } else { symbol_of(value) };
        let text = if generalized { at.to_string() } else { symbol.clone() };
        schema.parameters.insert(format!("{parameter}.{symbol}"), text);
    }
    schema
}

/// Java's text of a JSON value. Recursion is bounded by the depth that the JSON reader allows.
fn symbol_of(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => {
            let text = number.to_string();
            let is_fraction = text.contains(['.', 'e', 'E']);
            let decimal = Decimal::parse(&text).filter(|_| is_fraction);
            decimal.map_or(text, |decimal| decimal.to_java_text())
        }
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(symbol_of).collect::<Vec<_>>().join(", "))
        }
        Json::Object(members) => {
            let entries = members.iter().map(|(name, value)| (name.clone(), symbol_of(value))).collect();
            let entries = in_hash_order(entries).into_iter().map(|(name, value)| format!("{name}={value}"));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
