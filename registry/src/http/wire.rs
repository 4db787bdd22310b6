//! Bodies of requests and answers.

use serde_json::{Map, Value};

use crate::{Guid, Reference, RegistryError, SchemaText, SchemaType};

/// Confluent's content type.
pub(super) const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";
pub(super) const ACCEPT: &str =
    "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json";
/// Java's code for an error answer that is not JSON.
const UNREADABLE: i32 = 50_005;

/// The body that names a schema. Avro is the default and not named.
pub(super) fn body(schema: &SchemaText) -> String {
    let mut body = Map::new();
    body.insert("schema".to_owned(), Value::from(&*schema.text));
    if schema.kind != SchemaType::Avro {
        body.insert("schemaType".to_owned(), schema.kind.as_str().into());
    }
    if !schema.references.is_empty() {
        body.insert("references".to_owned(), schema.references.iter().map(Reference::to_json).collect());
    }
    Value::Object(body).to_string()
}

/// The schema of an answer.
pub(super) fn schema(answer: &Value) -> Result<SchemaText, RegistryError> {
    let text = answer["schema"].as_str().ok_or_else(|| unusable("it has no schema"))?;
    let name = answer["schemaType"].as_str();
    let kind = SchemaType::from_name(name)
        .ok_or_else(|| unusable(format!("unknown schema type {}", name.unwrap_or_default())))?;
    let references = answer["references"].as_array().into_iter().flatten();
    let references = references.map(Reference::from_json).collect::<Option<_>>();
    let references =
        references.ok_or_else(|| unusable("it has a reference without name, subject or version"))?;
    Ok(SchemaText { kind, text: text.into(), references })
}

/// A 32-bit member of an answer.
pub(super) fn number(answer: &Value, name: &str) -> Option<i32> {
    answer[name].as_i64()?.try_into().ok()
}

/// The GUID of an answer; older registries give none.
pub(super) fn guid(answer: &Value) -> Option<Guid> {
    Guid::parse(answer["guid"].as_str()?)
}

pub(super) fn required_number(answer: &Value, name: &str) -> Result<i32, RegistryError> {
    number(answer, name).ok_or_else(|| unusable(format!("it has no {name}")))
}

/// The error of an answer with a status other than 2xx.
pub(super) fn refusal(status: u16, body: &[u8]) -> RegistryError {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let code = answer.as_ref().and_then(|answer| number(answer, "error_code"));
    let message = answer.as_ref().and_then(|answer| answer["message"].as_str());
    RegistryError::Refused {
        status,
        code: code.unwrap_or(if answer.is_some() { i32::from(status) } else { UNREADABLE }),
        message: message.map_or_else(|| format!("the registry answered HTTP {status}"), str::to_owned),
    }
}

pub(super) fn unusable(message: impl Into<String>) -> RegistryError {
    RegistryError::Answer { message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avro_is_not_named() {
        let mut text = SchemaText { kind: SchemaType::Avro, text: "\"int\"".into(), references: Vec::new() };
        assert_eq!(body(&text), r#"{"schema":"\"int\""}"#);
        text.kind = SchemaType::Protobuf;
        text.references.push(Reference { name: "n".into(), subject: "s".into(), version: 1 });
        assert_eq!(
            body(&text),
            "{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"PROTOBUF\",\
             \"references\":[{\"name\":\"n\",\"subject\":\"s\",\"version\":1}]}"
        );
        let answer = serde_json::from_str(&body(&text)).unwrap();
        assert_eq!(schema(&answer).unwrap(), text);
    }

    #[test]
    fn error_answers_keep_code_and_message() {
        let text = |status, body: &str| refusal(status, body.as_bytes()).to_string();
        assert_eq!(text(404, r#"{"error_code":40403,"message":"m"}"#), "m; error code: 40403");
        assert_eq!(text(502, "<html>"), "the registry answered HTTP 502; error code: 50005");
        assert_eq!(text(401, "{}"), "the registry answered HTTP 401; error code: 401");
    }
}
