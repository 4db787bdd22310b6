//! `ProtobufConverter`.

use super::{Known, accepted, class, message};
use crate::case::Answer;
use crate::compare::Kind;

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "protobuf-unknown-number",
        "a number in a list that its enum does not have is written as it is: readers of proto3 keep it; \
         in Java it is a NullPointerException",
        |finding| {
            finding.target == "protobuf-encode"
                && class(finding.java) == "java.lang.NullPointerException"
                && matches!(finding.ours, Answer::Registered { .. })
        },
    ),
    accepted(
        "protobuf-first-fault",
        "of several faults in one record or schema Java names the first in the order of its schema, \
         ours the first in the order of the record",
        |finding| {
            finding.target.starts_with("protobuf-")
                && finding.kind == Kind::Class
                && FAULTS.contains(&class(finding.java))
                && FAULTS.contains(&class(finding.ours))
                && ![message(finding.java), message(finding.ours)]
                    .iter()
                    .any(|text| text.starts_with("Failed to"))
        },
    ),
    accepted(
        "protobuf-long-number",
        "a number whose tenth byte says that more follow is refused; protobuf-java takes some of them, and \
         may refuse the value then",
        |finding| {
            finding.target == "protobuf-decode"
                && (matches!(finding.java, Answer::Typed(_)) || is_refused_once_read(finding.java))
                && innermost(finding.ours) == "CodedInputStream encountered a malformed varint."
        },
    ),
];

/// What values and schemas are refused for.
const FAULTS: [&str; 5] = [
    "java.lang.IllegalArgumentException",
    "java.lang.NumberFormatException",
    "java.lang.NullPointerException",
    "java.time.DateTimeException",
    "org.apache.kafka.connect.errors.DataException",
];

/// Whether a value was refused that had been read: not for what its bytes are.
fn is_refused_once_read(answer: &Answer) -> bool {
    let is_fault = matches!(answer, Answer::Failed(_)) && FAULTS.contains(&class(answer));
    is_fault && !message(answer).starts_with("Failed to")
}

/// The message of the last cause.
fn innermost(answer: &Answer) -> &str {
    match answer {
        Answer::Failed(failure) => {
            failure.causes.last().and_then(|(_, message)| message.as_deref()).unwrap_or_default()
        }
        _ => "",
    }
}
