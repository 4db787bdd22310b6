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
    accepted("object-identity", "a text of Java that names an object by its address", |finding| {
        let message = message(finding.java);
        let after = message.rsplit('@').next().unwrap_or_default();
        let is_address = !after.is_empty() && after.chars().all(|c| c.is_ascii_hexdigit());
        finding.kind == Kind::Message && message.contains('@') && is_address
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
    #[cfg(any())]
    open("transforms", "the transforms are being written", |finding| {
        matches!(finding.case.items, Items::Transform(_) | Items::Predicate(_))
    }),
];
