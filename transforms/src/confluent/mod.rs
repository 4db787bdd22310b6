//! Confluent's transforms. Their source is closed: they follow the public reference.
//!
//! Source: the reference of `io.confluent.connect.transforms`, connect-transforms 1.6.

mod extract_topic;
mod filter;
mod json_path;
mod message_timestamp_router;
mod tombstone_handler;

#[cfg(test)]
mod tests;

use crate::plugin::TransformClass;

/// The version that these transforms report.
const VERSION: &str = "1.6.3";

/// The classes of this folder.
pub(crate) fn classes() -> Vec<TransformClass> {
    let mut classes = extract_topic::classes();
    classes.extend(filter::classes());
    classes.extend(message_timestamp_router::classes());
    classes.extend(tombstone_handler::classes());
    classes
}
