//! Differences that are known: accepted for good, or open until someone mends them.
//!
//! Every entry is printed with its count; an open one still counts as a difference for `cargo xtask
//! differential`, but does not fail the tests of this crate. An entry that matches too much hides bugs: keep
//! the conditions narrow.

mod converters;
mod json;
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

/// What a known difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On purpose.
    Accepted,
    /// To be mended.
    Open,
}

/// A known difference.
pub(crate) struct Known {
    /// Name in reports.
    pub(crate) name: &'static str,
    /// Why it is as it is, or what has to be done.
    pub(crate) reason: &'static str,
    /// Accepted or open.
    pub(crate) verdict: Verdict,
    applies: fn(&Finding<'_>) -> bool,
}

/// The entry that explains `finding`, if any.
pub(crate) fn known(finding: &Finding<'_>) -> Option<&'static Known> {
    let all = [converters::KNOWN, json::KNOWN, transforms::KNOWN];
    all.into_iter().flatten().find(|known| (known.applies)(finding))
}

/// A difference on purpose.
const fn accepted(name: &'static str, reason: &'static str, applies: fn(&Finding<'_>) -> bool) -> Known {
    Known { name, reason, verdict: Verdict::Accepted, applies }
}

/// A difference to be mended.
const fn open(name: &'static str, reason: &'static str, applies: fn(&Finding<'_>) -> bool) -> Known {
    Known { name, reason, verdict: Verdict::Open, applies }
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

    /// The value of a setting of the case.
    fn setting(&self, name: &str) -> Option<&'a str> {
        let found = self.case.setup.settings.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
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
