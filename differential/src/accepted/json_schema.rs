//! `JsonSchemaConverter`.

use super::json::{is_utf8, repeats_a_member, same_floats};
use super::{Finding, Known, accepted, class, message};
use crate::case::Answer;
use crate::compare::Kind;

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "json-schema-not-utf-8",
        "Java decodes JSON only as far as it reads, and takes UTF-16 and encoded surrogates; a record that is \
         not UTF-8 from end to end is refused",
        |finding| {
            let text = |payload: &[u8]| payload.get(HEAD..).is_none_or(is_utf8);
            is_json_schema(finding) && finding.payload().is_some_and(|payload| !text(payload))
        },
    ),
    accepted(
        "json-schema-float-text",
        "a JDK before 19 writes some floats with more digits than it takes to read them back; ours are those of \
         later ones",
        |finding| match (finding.java, finding.ours) {
            (
                Answer::Registered { schema: java_schema, body: java },
                Answer::Registered { schema: our_schema, body: ours },
            ) => {
                is_json_schema(finding)
                    && same_floats(java_schema.as_bytes(), our_schema.as_bytes())
                    && same_floats(java, ours)
            }
            _ => false,
        },
    ),
    accepted(
        "json-schema-refused-first",
        "a schema that has no Connect form is refused before a payload is looked at; Java reads the payload first",
        |finding| {
            is_json_schema(finding)
                && finding.kind == Kind::Class
                && message(finding.java) == "Failed to read"
                && UNMAPPED.contains(&class(finding.ours))
        },
    ),
    accepted(
        "json-schema-null-in-required",
        "a text field whose member is no text is null in Java even if it is required, as long as it has a default \
         or stands in a list or map; a column of a required schema holds no null, so the record is refused",
        |finding| {
            is_json_schema(finding)
                && matches!(finding.java, Answer::Typed(_))
                && message(finding.ours).starts_with("Invalid value: null used for required")
        },
    ),
    accepted(
        "json-schema-empty-union",
        "a required union of which no field is set is null; Java leaves it out of its object, and takes a record \
         of nothing else for a tombstone",
        |finding| {
            is_json_schema(finding)
                && matches!(finding.java, Answer::Bytes(None))
                && matches!(finding.ours, Answer::Registered { body, .. } if body == b"null")
        },
    ),
    accepted(
        "json-schema-repeated-member",
        "of members of one name Java looks only at the last; ours checks all of them, and an object in the place \
         of a list has an item for each",
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
