//! Converters other than JSON, and what concerns all of them.

use super::{Finding, Known, accepted, message, open};
use crate::case::{Answer, Items};
use crate::compare::{Kind, contains};
use crate::model::Value;

pub(super) const KNOWN: &[Known] = &[
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
        "Java orders maps whose keys are structs or bytes by addresses: differently in every run",
        |finding| finding.kind == Kind::Order && has_composite_keys(finding),
    ),
    accepted(
        "utf-8-replacement",
        "bytes that are not UTF-8 become one replacement character per maximal part of a character, as \
         Unicode recommends; Java counts some surrogates and overlong forms differently",
        |finding| {
            let Answer::Typed(typed) = finding.java else { return false };
            finding.is_class(".StringConverter")
                && finding.kind == Kind::Value
                && crate::model::Show::shown(typed).contains('\u{fffd}')
        },
    ),
];

/// Whether a map of the input has keys that Java hashes by address.
fn has_composite_keys(finding: &Finding<'_>) -> bool {
    let value = match &finding.case.items {
        Items::Encode(all) => &all[finding.item].value,
        Items::EncodeHeader(all) => &all[finding.item].value.value,
        // The payload of an envelope says of what type the keys of its maps are.
        Items::Recode(_) => return finding.case.items.shown(finding.item).contains("\"keys\""),
        _ => return false,
    };
    let by_address = |key: &Value| contains(key, &|part| matches!(part, Value::Bytes(_) | Value::Struct(_)));
    contains(value, &|value| match value {
        Value::Map(entries) => entries.iter().any(|(key, _)| by_address(key)),
        _ => false,
    })
}
