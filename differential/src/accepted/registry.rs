//! Converters that ask a schema registry.

use serde_json::Value as Json;

use super::{Known, accepted, class, message};
use crate::case::Answer;
use crate::compare::{Kind, same_json};
use crate::model::{Show, Typed};

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "registry-message",
        "the class of an exception is Java's; its text names the problem, not the library Java reads with",
        |finding| {
            finding.kind == Kind::Message
                && ["AvroConverter", "JsonSchemaConverter", "ProtobufConverter"]
                    .iter()
                    .any(|class| finding.is_class(class))
        },
    ),
    accepted(
        "map-order",
        "Java writes the entries of maps in the order of a hash table, ours as they came: they have none",
        |finding| finding.kind == Kind::Order && matches!(finding.java, Answer::Registered { .. }),
    ),
    accepted("null-key", "columns hold no map with null as a key: such a record fails", |finding| {
        message(finding.ours) == "A map has null as a key, which columns cannot hold"
    }),
    accepted(
        "fixed-decimal",
        "the library that Java reads with gives a fixed decimal two names; the converter does not",
        |finding| {
            let start =
                "Mismatched names: name already added to SchemaBuilder (org.apache.kafka.connect.data.D";
            message(finding.java).starts_with(start) && is_answered(finding.ours)
        },
    ),
    accepted(
        "second-fault",
        "Java reads all bytes of a record before it looks at values: of a decimal without bytes and another \
         fault it may name the other one",
        |finding| {
            let empty = |answer| message(answer) == "Zero length BigInteger";
            let number = "java.lang.NumberFormatException";
            let numbers = class(finding.java) == number && class(finding.ours).contains("SchemaParse");
            finding.kind == Kind::Class && (empty(finding.java) || empty(finding.ours) || numbers)
        },
    ),
    accepted(
        "empty-decimal-default",
        "Java reads no record of a schema in which a decimal's default has no bytes; ours has no default",
        |finding| finding.kind == Kind::Outcome && message(finding.java) == "Zero length BigInteger",
    ),
    accepted(
        "logical-name",
        "a schema that calls another type by the name of a logical one is written without it; Java fails",
        |finding| {
            message(finding.java).contains(" can only be used with an underlying ")
                && is_answered(finding.ours)
        },
    ),
    accepted("memory", "Java believes what damaged bytes say about their size", |finding| {
        class(finding.java) == "java.lang.OutOfMemoryError" && !class(finding.ours).is_empty()
    }),
    accepted(
        "field-parameters",
        "the library that Java reads with writes no parameters at fields whose type was written before",
        |finding| match (finding.java, finding.ours) {
            (Answer::Registered { schema: java, .. }, Answer::Registered { schema: ours, .. }) => {
                let without = |schema| without_member("connect.parameters", schema);
                finding.kind == Kind::Schema
                    && matches!((without(java), without(ours)), (Some(java), Some(ours))
                        if same_json(&java, &ours))
            }
            _ => false,
        },
    ),
    accepted(
        "empty-name",
        "the library that Java reads with writes an empty name as `x`; there is none for it",
        |finding| message(finding.ours) == "Empty name",
    ),
    accepted(
        "null-without-schema",
        "null is Kafka's null, also where Avro has no schema for other values of its kind: Java fails",
        |finding| matches!(finding.ours, Answer::Bytes(None)) && !class(finding.java).is_empty(),
    ),
    accepted(
        "enum-default",
        "a default that is none of the symbols of an enum cannot be written; Java does not look at it",
        |finding| match (finding.java, finding.ours) {
            (Answer::Registered { .. }, Answer::Failed(failure)) => failure.causes.iter().any(|(_, text)| {
                text.as_deref().is_some_and(|text| text.contains("not in the enum symbol set"))
            }),
            _ => false,
        },
    ),
    accepted(
        "union-number",
        "generalised unions are numbered as schemas are met: Java meets one with its first good record",
        |finding| match (finding.java, finding.ours) {
            (Answer::Typed(java), Answer::Typed(ours)) => {
                let schema = |typed: &Typed| typed.schema.as_ref().map(|schema| unnumbered(&schema.shown()));
                finding.kind == Kind::Schema && schema(java) == schema(ours)
            }
            _ => false,
        },
    ),
    accepted(
        "recursive-schema",
        "what contains itself and has no name, or is an entry of a map, is refused; Java ends with a \
         StackOverflowError",
        |finding| {
            let text = message(finding.ours);
            class(finding.java) == "java.lang.StackOverflowError"
                && (text.starts_with("A schema without a name contains itself, ")
                    || text.contains(" contains itself, but as an entry of a map "))
        },
    ),
];

/// Whether there is a value or a payload.
fn is_answered(answer: &Answer) -> bool {
    matches!(answer, Answer::Typed(_) | Answer::Registered { .. })
}

/// A text without the numbers of generalised unions.
fn unnumbered(text: &str) -> String {
    let mut parts = text.split("connect_union_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A schema of Avro whose fields do without `name`; nothing when it is no JSON.
fn without_member(name: &str, schema: &str) -> Option<Json> {
    fn strip(name: &str, json: &mut Json) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(|item| strip(name, item)),
            Json::Object(members) => {
                if let Some(Json::Array(fields)) = members.get_mut("fields") {
                    fields
                        .iter_mut()
                        .filter_map(Json::as_object_mut)
                        .for_each(|field| drop(field.remove(name)));
                }
                members.values_mut().for_each(|member| strip(name, member));
            }
            _ => {}
        }
    }
    let mut json = serde_json::from_str(schema).ok()?;
    strip(name, &mut json);
    Some(json)
}
