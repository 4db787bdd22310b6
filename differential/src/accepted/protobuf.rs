//! `ProtobufConverter`.

use super::{Finding, Known, accepted, class};
use crate::case::Answer;

pub(super) const KNOWN: &[Known] = &[accepted(
    "protobuf-unknown-number",
    "a number in a list that its enum does not have is written as it is: readers of proto3 keep it; in Java it is \
     a NullPointerException",
    |finding| {
        finding.target == "protobuf-encode"
            && class(finding.java) == "java.lang.NullPointerException"
            && matches!(finding.ours, Answer::Registered { .. })
    },
)];
