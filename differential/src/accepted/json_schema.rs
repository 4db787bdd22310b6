//! `JsonSchemaConverter`.

use serde_json::Value as Json;

use super::json::{is_utf8, repeats_a_member, same_floats};
use super::{Finding, Known, accepted, class, message};
use crate::case::Answer;
use crate::compare::Kind;

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "json-schema-not-utf-8",
        "Java decodes JSON only as far as it reads, and takes UTF-16 and encoded surrogates; a record \
         that is not UTF-8 from end to end is refused",
        |finding| {
            let text = |payload: &[u8]| payload.get(HEAD..).is_none_or(is_utf8);
            let is_refused = matches!(finding.ours, Answer::Failed(_));
            is_json_schema(finding) && is_refused && finding.payload().is_some_and(|payload| !text(payload))
        },
    ),
    accepted(
        "json-schema-float-text",
        "a JDK before 19 writes some floats with more digits than it takes to read them back; ours are \
         those of later ones",
        |finding| match (finding.java, finding.ours) {
            (
                Answer::Registered { schema: java_schema, body: java },
                Answer::Registered { schema: our_schema, body: ours },
            ) => {
                // The registry writes escapes and exponents of schemas in lower case.
                let (java_schema, our_schema) = (java_schema.to_lowercase(), our_schema.to_lowercase());
                is_json_schema(finding)
                    && same_floats(java_schema.as_bytes(), our_schema.as_bytes())
                    && same_floats(java, ours)
            }
            _ => false,
        },
    ),
    accepted(
        "json-schema-member-order",
        "members of a schema whose names share a bucket of a hash table come in the order in which Java met \
         the parameters of the Connect schema; ours are sorted, and mean the same",
        |finding| match (finding.java, finding.ours) {
            (
                Answer::Registered { schema: java_schema, body: java },
                Answer::Registered { schema: our_schema, body: ours },
            ) => {
                is_json_schema(finding)
                    && same_texts("", java_schema.as_bytes(), our_schema.as_bytes())
                    && same_texts("default", java, ours)
            }
            _ => false,
        },
    ),
    accepted(
        "json-schema-refused-first",
        "a schema that has no Connect form is refused before a payload is looked at; Java reads the \
         payload first",
        |finding| {
            is_json_schema(finding)
                && finding.kind == Kind::Class
                && message(finding.java) == "Failed to read"
                && UNMAPPED.contains(&class(finding.ours))
        },
    ),
    accepted(
        "json-schema-null-in-required",
        "a text field whose member is no text is null in Java even if it is required, as long as it has \
         a default or stands in a list or map; a column of a required schema holds no null, so the \
         record is refused",
        |finding| {
            is_json_schema(finding)
                && matches!(finding.java, Answer::Typed(_))
                && message(finding.ours).starts_with("Invalid value: null used for required")
        },
    ),
    accepted(
        "json-schema-repeated-member",
        "of members of one name Java looks only at the last; ours checks all of them, and an object in \
         the place of a list has an item for each",
        |finding| {
            let kinds = [Kind::Class, Kind::Outcome, Kind::Value];
            is_json_schema(finding)
                && kinds.contains(&finding.kind)
                && finding.payload().is_some_and(repeats_a_member)
        },
    ),
];

/// Bytes in front of a text: zero and the id of its schema.
const HEAD: usize = 5;

/// Exceptions of schemas.
const UNMAPPED: [&str; 2] =
    ["org.apache.kafka.connect.errors.SchemaBuilderException", "java.lang.IllegalArgumentException"];

fn is_json_schema(finding: &Finding<'_>) -> bool {
    finding.is_class(".JsonSchemaConverter")
}

/// Whether two schemas say the same, whatever the order of members and symbols and the digits of floats.
fn same_texts(name: &str, java: &[u8], ours: &[u8]) -> bool {
    match (serde_json::from_slice(java), serde_json::from_slice(ours)) {
        (Ok(java), Ok(ours)) => same_json(name, &java, &ours),
        _ => false,
    }
}

/// `name` is that of the member around both: symbols, and entries of maps in a default, have no order.
fn same_json(name: &str, java: &Json, ours: &Json) -> bool {
    match (java, ours) {
        (Json::Object(java), Json::Object(ours)) => {
            let same = |(member, one): (&String, &Json)| {
                let inside = if name == "default" { name } else { member };
                ours.get(member).is_some_and(|two| same_json(inside, one, two))
            };
            java.len() == ours.len() && java.iter().all(same)
        }
        (Json::Array(java), Json::Array(ours)) if ["default", "enum"].contains(&name) => {
            java.len() == ours.len()
                && java.iter().all(|one| ours.iter().any(|two| same_json(name, one, two)))
        }
        (Json::Array(java), Json::Array(ours)) => {
            java.len() == ours.len() && java.iter().zip(ours).all(|(one, two)| same_json("", one, two))
        }
        (Json::Number(java), Json::Number(ours)) => {
            same_floats(java.to_string().as_bytes(), ours.to_string().as_bytes())
        }
        _ => java == ours,
    }
}
