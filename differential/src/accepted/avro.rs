//! `AvroConverter`, whose Java side is another descendant of the class that maps schemas and values.

use std::sync::Arc;

use super::avro_schema::{any_reference, any_type, any_union, of_answer, of_payload};
use super::{Finding, Known, accepted, class, message};
use crate::case::{Answer, Items};
use crate::compare::Kind;
use crate::model::{Kind as SchemaKind, LOGICAL, Schema, Show as _};

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "lost-branch",
        "branches of unions that Java reads and then does not find are read",
        is_lost_branch,
    ),
    accepted(
        "items-without-bytes",
        "a payload holds at most 65,536 items that take no bytes: few bytes may stand for any number, \
         of which Java makes as many as its heap holds",
        |finding| {
            matches!(finding.java, Answer::Typed(_) | Answer::Registered { .. })
                && tells(finding.ours, |text| text.ends_with(" items without bytes"))
        },
    ),
    accepted(
        "map-branch",
        "of two branches of a union that both are maps, one of them as entries, Java takes the first",
        |finding| {
            let is_map = |kind: &&&str| ["map", "entries"].contains(*kind);
            let text = message(finding.java);
            (text.starts_with("Invalid type for ") || text.starts_with("Invalid class for "))
                && matches!(finding.ours, Answer::Typed(_) | Answer::Registered { .. })
                && of_payload(finding).is_some_and(|schema| {
                    any_union(&schema, &|kinds| kinds.iter().filter(is_map).count() > 1)
                })
        },
    ),
    accepted(
        "null-among-branches",
        "the library that Java reads with loses count of the branches of a union behind null",
        |finding| {
            let text = message(finding.java);
            (text == "Struct schemas do not match."
                || (text.contains("connect_union_field_")
                    && (text.ends_with(" is not a valid field name")
                        || text.starts_with("Invalid Java object for schema "))))
                && of_payload(finding).is_some_and(|schema| {
                    any_union(&schema, &|kinds| kinds.len() > 2 && kinds[..kinds.len() - 1].contains(&"null"))
                })
        },
    ),
    accepted(
        "two-types-of-one-name",
        "of two types of one name in a schema values must fit the first; Java writes what cannot be read",
        |finding| {
            let is_refused = |text: &str| {
                text.contains(" cannot be written as Avro ")
                    || text.contains(" do not fit a fixed of ")
                    || text.ends_with(" has fewer fields than the data")
                    || text.starts_with("The data have no field ")
                    || text == "Found null value for non-optional schema"
            };
            let has = |test: &dyn Fn(&str) -> bool| {
                of_answer(finding.java).is_some_and(|schema| any_reference(&schema, test))
            };
            match (finding.java, finding.ours) {
                // All entries without a name have the same.
                (Answer::Registered { .. }, Answer::Registered { .. }) => {
                    finding.kind == Kind::Bytes && has(&|name| name.ends_with("MapEntry"))
                }
                (Answer::Registered { .. }, ours) => tells(ours, is_refused) && has(&|_| true),
                _ => false,
            }
        },
    ),
    accepted(
        "recursive-overflow",
        "Java's stack overflows, which ends the task, where a STRUCT contains itself in an entry of a map \
         that is a record, or without a name below a STRUCT that is not optional: these are read and written",
        |finding| {
            let is_known = |schema: &Option<Arc<Schema>>| {
                schema
                    .as_ref()
                    .is_some_and(|schema| has_recursive_entries(schema) || is_unnamed_cycle(schema))
            };
            class(finding.java) == "java.lang.StackOverflowError"
                && match (&finding.case.items, finding.ours) {
                    (Items::Encode(values), Answer::Registered { .. }) => {
                        is_known(&values[finding.item].schema)
                    }
                    (_, Answer::Typed(typed)) => is_known(&typed.schema),
                    (Items::Recode(_), Answer::Registered { schema, .. }) => schema.contains("MapEntry"),
                    _ => false,
                }
        },
    ),
    accepted(
        "logical-default",
        "Java keeps the default of a type that is only called by the name of a logical one as a number, \
         which it cannot write",
        |finding| {
            message(finding.java).contains(", expected Date but was class ")
                && matches!(finding.ours, Answer::Registered { .. })
                && of_payload(finding).is_some_and(|schema| any_type(&schema, &mut is_named_logical))
        },
    ),
    accepted(
        "first-fitting-branch",
        "Java takes a value of one of two branches of a union that both are bytes, or texts, for the first",
        |finding| {
            let is_mistaken = match (finding.kind, finding.java, finding.ours) {
                (Kind::Bytes, Answer::Registered { .. }, Answer::Registered { .. })
                | (Kind::Value, Answer::Typed(_), Answer::Typed(_)) => true,
                (Kind::Outcome, Answer::Typed(_) | Answer::Registered { .. }, ours) => {
                    message(ours) == "Zero length BigInteger"
                }
                (Kind::Outcome, java, Answer::Registered { .. }) => message(java) == "Failed to write",
                _ => false,
            };
            let schema = || of_answer(finding.java).or_else(|| of_payload(finding));
            is_mistaken && schema().is_some_and(|schema| any_union(&schema, &has_two_alike))
        },
    ),
];

/// Whether the message of a failure, or of one of its causes, fulfils `test`.
fn tells(answer: &Answer, test: impl Fn(&str) -> bool) -> bool {
    let Answer::Failed(failure) = answer else { return false };
    let mut causes = failure.causes.iter().filter_map(|(_, text)| text.as_deref());
    test(message(answer)) || causes.any(test)
}

fn is_lost_branch(finding: &Finding<'_>) -> bool {
    let text = message(finding.java);
    let is_lost = text.starts_with("Did not find matching union field for data")
        || text.ends_with(" is not a valid field name")
        || text == "Mismatching struct schema";
    let is_refused_later =
        finding.kind == Kind::Class && message(finding.ours).starts_with("Duplicate in union:");
    (is_lost && matches!(finding.ours, Answer::Typed(_) | Answer::Registered { .. }) || is_refused_later)
        && of_payload(finding).is_some_and(|schema| any_union(&schema, &|_| true))
}

/// Whether a map with other keys than texts has an entry that refers to a STRUCT around.
fn has_recursive_entries(schema: &Schema) -> bool {
    let refers = |schema: &Schema| matches!(schema.kind, SchemaKind::Recursive(_));
    match &schema.kind {
        SchemaKind::Array(Some(item)) => has_recursive_entries(item),
        SchemaKind::Map(Some(key), Some(value)) => {
            (refers(key) || refers(value) && key.kind != SchemaKind::String)
                || has_recursive_entries(key)
                || has_recursive_entries(value)
        }
        SchemaKind::Struct(fields) => fields.iter().any(|field| has_recursive_entries(&field.schema)),
        _ => false,
    }
}

/// Whether a STRUCT without a name contains itself, or others that do.
fn is_unnamed_cycle(schema: &Schema) -> bool {
    let refers = |schema: &Schema| schema.fields().iter().any(|field| field.schema.shown().contains('^'));
    matches!(schema.kind, SchemaKind::Struct(_)) && schema.name.is_none() && refers(schema)
}

/// Whether two branches are read as bytes, or as texts.
fn has_two_alike(kinds: &[&str]) -> bool {
    let has_two = |alike: [&str; 2]| kinds.iter().filter(|kind| alike.contains(*kind)).count() > 1;
    has_two(["bytes", "fixed"]) || has_two(["string", "enum"])
}

/// Whether a type is called by the name of a logical one that it is not.
fn is_named_logical(members: &serde_json::Map<String, serde_json::Value>) -> bool {
    let text = |name: &str| members.get(name).and_then(serde_json::Value::as_str);
    let logical = text("logicalType");
    match text("connect.name").and_then(|name| name.strip_prefix(LOGICAL)) {
        Some("Date") => logical != Some("date"),
        Some("Time") => logical != Some("time-millis"),
        Some("Timestamp") => logical != Some("timestamp-millis"),
        _ => false,
    }
}
