//! Predicates.

use super::super::records::{Part, Shape, records};
use super::routing::regex;
use super::{Settings, setup, usual};
use crate::case::{Case, Items};
use crate::random::Random;

fn predicate(random: &mut Random, class: &str, mut settings: Settings) -> Case {
    if random.once_in(40) {
        settings.0.clear();
    }
    let shape = Shape::random(random);
    let records = records(random, Part::Value, &shape);
    Case { setup: setup(&format!("predicates.{class}"), settings), items: Items::Predicate(records) }
}

/// `HasHeaderKey`.
pub(crate) fn has_header_key(random: &mut Random) -> Case {
    let mut settings = Settings::default();
    settings.set("name", usual(random, &["h", "a", "trace", "id", "é", "none"], &["", " "]));
    predicate(random, "HasHeaderKey", settings)
}

/// `RecordIsTombstone`.
pub(crate) fn record_is_tombstone(random: &mut Random) -> Case {
    predicate(random, "RecordIsTombstone", Settings::default())
}

/// `TopicNameMatches`.
pub(crate) fn topic_name_matches(random: &mut Random) -> Case {
    let mut settings = Settings::default();
    settings.set("pattern", regex(random));
    predicate(random, "TopicNameMatches", settings)
}
