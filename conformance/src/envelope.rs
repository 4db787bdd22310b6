//! Values with the JSON converter's schema envelope.
//!
//! Source: `JsonConverter` and `JsonSchema`, Kafka 4.1.

use serde_json::{Value, json};

/// `{"schema": …, "payload": …}` of a struct with `fields` (see [`field`]).
pub fn enveloped(fields: &[Value], payload: &Value) -> Value {
    json!({"schema": {"type": "struct", "fields": fields, "optional": false}, "payload": payload})
}

/// A required field of a plain type.
pub fn field(name: &str, kind: &str) -> Value {
    json!({"field": name, "type": kind, "optional": false})
}

/// A field that may be null.
pub fn optional(name: &str, kind: &str) -> Value {
    json!({"field": name, "type": kind, "optional": true})
}

/// A required field of a logical type of Connect itself (`Date`, `Time`, `Timestamp`).
pub fn logical(name: &str, kind: &str, logical_type: &str) -> Value {
    let class = format!("org.apache.kafka.connect.data.{logical_type}");
    json!({"field": name, "type": kind, "optional": false, "name": class, "version": 1})
}

/// An optional decimal field.
pub fn decimal(name: &str, scale: u32) -> Value {
    let scale = scale.to_string();
    json!({
        "field": name, "type": "bytes", "optional": true, "version": 1,
        "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": scale},
    })
}

/// `{"id": id}` with its schema, for tests that only count.
pub fn numbered(id: u64) -> Value {
    enveloped(&[field("id", "int64")], &json!({"id": id}))
}
