//! Converters other than JSON, and what concerns all of them.

use super::{Known, accepted, message, open};
use crate::case::Answer;
use crate::compare::Kind;

pub(super) const KNOWN: &[Known] = &[
    open("absent", "the class, or its direction to bytes, is not there yet", |finding| {
        let is_absent = |text: &String| text.starts_with("there is no ");
        matches!(finding.ours, Answer::Broken(text) if is_absent(text))
            || message(finding.ours) == "this converter does not write"
    }),
    open("string-encoding", "StringConverter knows UTF-8 only", |finding| {
        finding.is_class(".StringConverter") && finding.setting("converter.encoding").is_some()
    }),
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
