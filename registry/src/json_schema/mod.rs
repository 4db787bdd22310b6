//! JSON Schemas as far as a registry needs them: well formed, and identical or extended compatibly.
//!
//! Source: Confluent's documentation of JSON Schema compatibility (open and closed content models). A change
//! of a keyword that is not known here is reported as not judged, never waved through.

mod compatible;

pub(crate) use compatible::differences;

use serde_json::Value;

/// Checks that `text` is a JSON Schema by its outer shape.
pub(crate) fn validate(text: &str) -> Result<(), String> {
    match serde_json::from_str(text) {
        Ok(Value::Bool(_)) => Ok(()),
        Ok(Value::Object(members)) => match members.get("type") {
            Some(Value::String(_)) | None => Ok(()),
            Some(Value::Array(types)) if types.iter().all(Value::is_string) => Ok(()),
            Some(other) => Err(format!("\"type\" is neither a name nor a list of names: {other}")),
        },
        Ok(other) => Err(format!("{other} is no schema")),
        Err(err) => Err(format!("not JSON: {err}")),
    }
}

/// Compact text; `sorted` also orders all members by name.
pub(crate) fn canonical(text: &str, sorted: bool) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            if sorted {
                value.sort_all_objects();
            }
            value.to_string()
        }
        Err(_) => text.trim().to_owned(),
    }
}
