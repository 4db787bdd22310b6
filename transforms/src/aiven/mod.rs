//! Aiven's transforms.
//!
//! Error texts leave out the record that Java prints at their end.
//!
//! Source: `io.aiven.kafka.connect.transforms`, transforms-for-apache-kafka-connect 1.7.0-SNAPSHOT, whose
//! answers the golden table of the tests holds.

mod concat_fields;
mod extract_timestamp;
mod extract_topic;
mod text;

#[cfg(test)]
mod tests;

use crate::plugin::TransformClass;
use crate::side::Side;

/// The version that these transforms report: they declare none.
const VERSION: &str = "undefined";

/// The classes of this folder.
pub(crate) fn classes() -> Vec<TransformClass> {
    let mut classes = concat_fields::classes();
    classes.extend(extract_timestamp::classes());
    classes.extend(extract_topic::classes());
    classes
}

impl Side {
    /// The side's name in error texts.
    fn place(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
        }
    }
}
