//! Converters that ask a schema registry.

use serde_json::Value as Json;

use super::{Finding, Known, accepted, class, message};
use crate::case::Answer;
use crate::compare::Kind;

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "registry-message",
        "the class of an exception is Java's; its text names the problem, not the library that Java reads with",
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
        },
    ),
    accepted(
        "fixed-decimal",
        "the library that Java reads with gives a fixed decimal two names; the converter does not",
        |finding| {
            message(finding.java).starts_with(
                "Mismatched names: name already added to SchemaBuilder (org.apache.kafka.connect.data.Decimal)",
            )
        },
    ),
    accepted(
        "second-fault",
        "Java reads all bytes of a record before it looks at values: of a decimal without bytes and another \
         fault it may name the other one",
        |finding| {
            let empty = |answer| message(answer) == "Zero length BigInteger";
            finding.kind == Kind::Class && (empty(finding.java) || empty(finding.ours))
        },
    ),
    accepted(
        "empty-decimal-default",
        "Java reads no record of a schema in which a decimal has a default without bytes; ours has no default",
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
                finding.kind == Kind::Schema && without_parameters(java) == without_parameters(ours)
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
                    || text.starts_with("Invalid Java object for schema with type "))
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
                text.as_deref().is_some_and(|text| text.contains(" cannot be written as Avro "))
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
        "Java keeps the default of a type that is only called by the name of a logical one as a number, which \
         it cannot write",
        |finding| message(finding.java).contains(", expected Date but was class "),
    ),
    accepted(
        "recursive-schema",
        "a type that contains itself has no columns: every record of such a schema fails with its name",
        |finding| message(finding.java) == "the schema contains itself",
    ),
];

/// A schema of Avro without the parameters of its fields; nothing when it is no JSON.
fn without_parameters(schema: &str) -> Option<Json> {
    fn strip(json: &mut Json) {
        match json {
            Json::Array(items) => items.iter_mut().for_each(strip),
            Json::Object(members) => {
                if let Some(Json::Array(fields)) = members.get_mut("fields") {
                    for field in fields.iter_mut().filter_map(Json::as_object_mut) {
                        field.remove("connect.parameters");
                    }
                }
                members.values_mut().for_each(strip);
            }
            _ => {}
        }
    }
    let mut json = serde_json::from_str(schema).ok()?;
    strip(&mut json);
    Some(json)
}
