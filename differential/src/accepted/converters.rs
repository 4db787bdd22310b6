//! Converters other than JSON, and what concerns all of them.

use std::sync::Arc;

use super::{Finding, Known, accepted, message};
use crate::case::{Answer, Items};
use crate::compare::{Kind, contains};
use crate::model::{Schema, Show, Value};

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "charset",
        "StringConverter knows the charsets that every Java has, and windows-1252; all others are wrong \
         settings, also those that Java only fails with when it converts",
        |finding| {
            finding.is_class(".StringConverter")
                && matches!(finding.ours, Answer::NotConfigured(_))
                && message(finding.ours).ends_with("ISO-8859-1, windows-1252 and US-ASCII are supported")
        },
    ),
    accepted("object-identity", "a text of Java that names an object by its address", |finding| {
        let is_address = |text: &str| {
            let after = text.split('@').skip(1);
            after.into_iter().any(|after| after.starts_with(|c: char| c.is_ascii_hexdigit()))
        };
        match finding.java {
            Answer::Bytes(Some(bytes)) => String::from_utf8_lossy(bytes).contains("[B@"),
            java => finding.kind == Kind::Message && is_address(message(java)),
        }
    }),
    accepted(
        "composite-key-order",
        "Java orders maps whose keys are structs or bytes by addresses: what is written first and which of \
         two faults is named differs in every run",
        |finding| {
            let both_fail = !message(finding.java).is_empty() && !message(finding.ours).is_empty();
            (finding.kind == Kind::Order || both_fail) && has_composite_keys(finding)
        },
    ),
];

/// Whether a map of the input has keys that Java hashes by address.
fn has_composite_keys(finding: &Finding<'_>) -> bool {
    // The keys of a default have their type in front of them, with whatever they are lists of.
    let is_bytes = |key: &str| key.trim_start_matches("array<").starts_with("bytes");
    let is_default = |schema: &Arc<Schema>| schema.shown().split("map<").skip(1).any(is_bytes);
    let value = match &finding.case.items {
        Items::Encode(all) if all[finding.item].schema.as_ref().is_some_and(is_default) => return true,
        Items::Transform(all) | Items::Chain(all) => {
            let record = &all[finding.item];
            return [&record.key.value, &record.value.value].into_iter().any(has_composite_key);
        }
        Items::Encode(all) => &all[finding.item].value,
        Items::EncodeHeader(all) => &all[finding.item].value.value,
        // The payload of an envelope says of what type the keys of its maps are.
        Items::Recode(_) => return finding.case.items.shown(finding.item).contains("\"keys\""),
        _ => return false,
    };
    has_composite_key(value)
}

fn has_composite_key(value: &Value) -> bool {
    let by_address = |key: &Value| contains(key, &|part| matches!(part, Value::Bytes(_) | Value::Struct(_)));
    contains(value, &|value| match value {
        Value::Map(entries) => entries.iter().any(|(key, _)| by_address(key)),
        _ => false,
    })
}
