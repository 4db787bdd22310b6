//! Converters that ask a schema registry.

use serde_json::Value as Json;

use super::{Known, accepted, class, message};
use crate::case::Answer;
use crate::compare::Kind;
use crate::model::Show;

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
        "lost-branch",
        "branches of unions that Java reads and then does not find are read",
        |finding| {
            let text = message(finding.java);
            text.starts_with("Did not find matching union field for data")
                || text.ends_with(" is not a valid field name")
                || text == "Mismatching struct schema"
                || text == "Invalid type for MAP: class java.util.HashMap"
                || (finding.kind == Kind::Class && message(finding.ours).starts_with("Duplicate in union:"))
        },
    ),
    accepted(
        "fixed-decimal",
        "the library that Java reads with gives a fixed decimal two names; the converter does not",
        |finding| {
            message(finding.java).starts_with(
                "Mismatched names: name already added to SchemaBuilder (org.apache.kafka.connect.data.D",
            )
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
        |finding| message(finding.java).contains(" can only be used with an underlying "),
    ),
    accepted("memory", "Java believes what damaged bytes say about their size", |finding| {
        class(finding.java) == "java.lang.OutOfMemoryError" && !class(finding.ours).is_empty()
    }),
    accepted(
        "field-parameters",
        "the library that Java reads with writes no parameters at fields whose type was written before",
        |finding| match (finding.java, finding.ours) {
            (Answer::Registered { schema: java, .. }, Answer::Registered { schema: ours, .. }) => {
                finding.kind == Kind::Schema
                    && without(&["connect.parameters"], java) == without(&["connect.parameters"], ours)
            }
            _ => false,
        },
    ),
    accepted(
        "null-among-branches",
        "the library that Java reads with loses count of the branches of a union behind null",
        |finding| {
            let text = message(finding.java);
            text.contains("connect_union_field_")
                && (text.ends_with(" is not a valid field name")
                    || text.starts_with("Invalid Java object for schema "))
        },
    ),
    accepted(
        "empty-name",
        "the library that Java reads with writes an empty name as `x`; there is none for it",
        |finding| message(finding.ours) == "Empty name",
    ),
    accepted(
        "two-types-of-one-name",
        "of two types of one name in a schema values must fit the first; Java writes what cannot be read",
        |finding| match (finding.java, finding.ours) {
            (Answer::Registered { .. }, Answer::Failed(failure)) => failure.causes.iter().any(|(_, text)| {
                text.as_deref().is_some_and(|text| {
                    text.contains(" cannot be written as Avro ")
                        || text.starts_with("The data have no field ")
                })
            }),
            _ => false,
        },
    ),
    accepted(
        "null-without-schema",
        "null is Kafka's null, also where Avro has no schema for other values of its kind: Java fails",
        |finding| matches!(finding.ours, Answer::Bytes(None)) && !class(finding.java).is_empty(),
    ),
    accepted(
        "logical-default",
        "Java keeps the default of a type that is only called by the name of a logical one as a number, \
         which it cannot write",
        |finding| message(finding.java).contains(", expected Date but was class "),
    ),
    accepted(
        "first-fitting-branch",
        "Java takes a value of one of two branches of a union that both are bytes, or texts, for the first",
        |finding| match finding.java {
            Answer::Registered { schema, .. } => {
                let has = |kinds: [&str; 2]| kinds.iter().all(|kind| schema.contains(kind));
                finding.kind == Kind::Bytes && (has(["bytes", "fixed"]) || has(["string", "enum"]))
            }
            Answer::Typed(typed) => {
                finding.is_class(".AvroConverter")
                    && (finding.kind == Kind::Value || message(finding.ours) == "Zero length BigInteger")
                    && typed.shown().contains("connect.fixed.size")
            }
            _ => false,
        },
    ),
    accepted(
        "union-default",
        "Java leaves out some defaults of unions, and of what holds unions",
        |finding| match (finding.java, finding.ours) {
            (Answer::Registered { schema: java, .. }, Answer::Registered { schema: ours, .. }) => {
                finding.kind == Kind::Schema
                    && without(&["connect.parameters", "default"], java)
                        == without(&["connect.parameters", "default"], ours)
            }
            (Answer::Typed(java), Answer::Typed(_)) => {
                let shown = java.shown();
                finding.kind == Kind::Schema
                    && shown.contains("io.confluent.connect.avro.Union")
                    && shown.contains("io.confluent.connect.avro.field.default")
            }
            _ => false,
        },
    ),
    accepted(
        "broken-text",
        "bytes that are not UTF-8 become one replacement character per maximal part of a character; Java \
         counts some surrogates and overlong forms differently",
        |finding| match finding.java {
            Answer::Registered { body, .. } => {
                finding.kind == Kind::Bytes && body.windows(3).any(|part| part == "\u{fffd}".as_bytes())
            }
            Answer::Typed(typed) => {
                finding.is_class(".AvroConverter")
                    && finding.kind == Kind::Value
                    && typed.shown().contains('\u{fffd}')
            }
            _ => false,
        },
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
                finding.kind == Kind::Schema && unnumbered(&java.shown()) == unnumbered(&ours.shown())
            }
            _ => false,
        },
    ),
    accepted(
        "recursive-schema",
        "a type without a name that contains itself is refused; Java's stack overflows",
        |finding| {
            class(finding.java) == "java.lang.StackOverflowError"
                && message(finding.ours).contains(" contains itself, ")
        },
    ),
];

/// A text without the numbers of generalised unions.
fn unnumbered(text: &str) -> String {
    let mut parts = text.split("connect_union_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A schema of Avro whose fields do without `members`; nothing when it is no JSON.
fn without(members: &[&str], schema: &str) -> Option<Json> {
    fn strip(names: &[&str], json: &mut Json) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(|item| strip(names, item)),
            Json::Object(members) => {
                if let Some(Json::Array(fields)) = members.get_mut("fields") {
                    for field in fields.iter_mut().filter_map(Json::as_object_mut) {
                        names.iter().for_each(|name| drop(field.remove(*name)));
                    }
                }
                members.values_mut().for_each(|member| strip(names, member));
            }
            _ => {}
        }
    }
    let mut json = serde_json::from_str(schema).ok()?;
    strip(members, &mut json);
    Some(json)
}
