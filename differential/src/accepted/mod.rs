//! Differences that are accepted, with the reason of each.
//!
//! Every entry is printed with its count. An entry that matches too much hides bugs: keep the conditions
//! narrow. What is to be mended does not belong here: it stays a difference until it is.

mod avro;
mod avro_schema;
mod converters;
mod json;
mod json_schema;
mod protobuf;
mod registry;
mod transforms;

use crate::case::{Answer, Case, Items};
use crate::compare::Kind;

/// A difference, with all there is to judge it by.
pub(crate) struct Finding<'a> {
    /// Target name.
    pub(crate) target: &'a str,
    /// The case.
    pub(crate) case: &'a Case,
    /// Which item of it.
    pub(crate) item: usize,
    /// Java's answer.
    pub(crate) java: &'a Answer,
    /// Our answer.
    pub(crate) ours: &'a Answer,
    /// What they disagree about.
    pub(crate) kind: Kind,
}

/// A known difference.
pub(crate) struct Known {
    /// Name in reports.
    pub(crate) name: &'static str,
    /// Why it is as it is.
    pub(crate) reason: &'static str,
    applies: fn(&Finding<'_>) -> bool,
}

/// The entry that explains `finding`, if any.
pub(crate) fn known(finding: &Finding<'_>) -> Option<&'static Known> {
    let all = [
        registry::KNOWN,
        avro::KNOWN,
        converters::KNOWN,
        json::KNOWN,
        json_schema::KNOWN,
        protobuf::KNOWN,
        transforms::KNOWN,
    ];
    all.into_iter().flatten().find(|known| (known.applies)(finding))
}

/// A difference on purpose.
const fn accepted(name: &'static str, reason: &'static str, applies: fn(&Finding<'_>) -> bool) -> Known {
    Known { name, reason, applies }
}

impl<'a> Finding<'a> {
    /// The bytes that were decoded.
    fn payload(&self) -> Option<&'a [u8]> {
        match &self.case.items {
            Items::Decode(all) | Items::Recode(all) => all[self.item].as_deref(),
            Items::DecodeHeader(all) => all[self.item].1.as_deref(),
            _ => None,
        }
    }

    /// Whether the class under test ends like that.
    fn is_class(&self, end: &str) -> bool {
        self.case.setup.class.ends_with(end)
    }

    /// Whether both sides failed with messages that start like these.
    fn messages_start(&self, java: &str, ours: &str) -> bool {
        message(self.java).starts_with(java) && message(self.ours).starts_with(ours)
    }
}

fn message(answer: &Answer) -> &str {
    match answer {
        Answer::Failed(failure) | Answer::NotConfigured(failure) => {
            failure.message.as_deref().unwrap_or_default()
        }
        _ => "",
    }
}

/// The class of the exception.
fn class(answer: &Answer) -> &str {
    match answer {
        Answer::Failed(failure) | Answer::NotConfigured(failure) => &failure.class,
        _ => "",
    }
}

/// The message of the first cause.
fn cause(answer: &Answer) -> &str {
    match answer {
        Answer::Failed(failure) | Answer::NotConfigured(failure) => {
            failure.causes.first().and_then(|(_, message)| message.as_deref()).unwrap_or_default()
        }
        _ => "",
    }
}
