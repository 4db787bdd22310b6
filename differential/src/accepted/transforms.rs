//! Transforms and predicates.

use super::{Known, accepted, class, message, open};
use crate::case::{Answer, Items};
use crate::compare::Kind;
use crate::model::Show;

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "null-pointer",
        "where Java fails by accident (NullPointerException, ClassCastException), the message is our own",
        |finding| {
            let accident = ["java.lang.NullPointerException", "java.lang.ClassCastException"];
            accident.contains(&class(finding.java)) && !class(finding.ours).is_empty()
        },
    ),
    accepted("record-in-message", "messages hold no contents of records", |finding| {
        let start = "Timestamp missing on record: ";
        finding.messages_start(start, start)
    }),
    accepted(
        "untyped-elements",
        "an ARRAY or MAP schema without the schema of its elements, which the parser of literals makes of \
         `[]` and mixed elements, is no schema here: the header is schemaless",
        |finding| {
            let java = finding.java.shown();
            [Kind::Headers, Kind::Schema].contains(&finding.kind)
                && ["array<none>", ",none>", "map<none"].iter().any(|part| java.contains(part))
        },
    ),
    accepted(
        "null-in-required-field",
        "a transform that leaves a required field null fails at once; in Java whoever writes the record next \
         fails",
        |finding| {
            matches!(finding.java, Answer::Record(_))
                && message(finding.ours).starts_with("Invalid value: null used for required field")
        },
    ),
    accepted(
        "days",
        "a Date is a number of days of 32 bits: larger ones wrap at once, in Java as soon as they are written",
        |finding| {
            let is_large = |text: &str| {
                let digits: String =
                    text.chars().take_while(|char| *char == '-' || char.is_ascii_digit()).collect();
                digits.parse::<i64>().is_ok_and(|ms| i32::try_from(ms.div_euclid(86_400_000)).is_err())
            };
            finding.kind == Kind::Value
                && finding.setting("target.type") == Some("Date")
                && finding.java.shown().split("date@").skip(1).any(is_large)
        },
    ),
];
