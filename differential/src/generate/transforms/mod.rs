//! Cases of transforms and predicates: a generator of settings per class.

mod chain;
mod fields;
mod headers;
mod patterns;
mod predicates;
mod routing;
mod shape;
mod timestamps;

pub(crate) use chain::chain;
pub(crate) use fields::{cast, extract_field, insert_field, mask_field, replace_field, value_to_key};
pub(super) use headers::literal;
pub(crate) use headers::{drop_headers, header_from, insert_header};
pub(crate) use predicates::{has_header_key, record_is_tombstone, topic_name_matches};
pub(crate) use routing::{regex_router, timestamp_router};
pub(crate) use shape::{filter, flatten, hoist_field, set_schema_metadata};
pub(crate) use timestamps::timestamp_converter;

use super::records::{Part, Shape, records};
use crate::case::{Case, Items, Setup};
use crate::model::Record;
use crate::random::Random;

/// Settings, as they grow.
#[derive(Default)]
struct Settings(Vec<(String, String)>);

impl Settings {
    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// `replace.null.with.default`, in a few cases.
    fn null_rule(&mut self, random: &mut Random) {
        if random.once_in(4) {
            self.set("replace.null.with.default", usual(random, &["true", "false", "False"], &["no", ""]));
        }
    }
}

/// One of `good`, or of `wrong` now and then: settings that are refused hide everything behind them.
fn usual<'a>(random: &mut Random, good: &[&'a str], wrong: &[&'a str]) -> &'a str {
    if random.once_in(40) { random.pick(wrong) } else { random.pick(good) }
}

/// A case of a transform that works on either part.
fn on_part(
    random: &mut Random,
    class: &str,
    settings: impl FnOnce(&mut Random, &Shape, &mut Settings),
) -> Case {
    let part = if random.once_in(3) { Part::Key } else { Part::Value };
    let shape = Shape::random(random);
    let mut chosen = Settings::default();
    settings(random, &shape, &mut chosen);
    let class = format!("{class}${part:?}");
    let records = records(random, part, &shape);
    case(random, &class, chosen, records)
}

/// A case of a transform of whole records.
fn on_record(random: &mut Random, class: &str, settings: impl FnOnce(&mut Random, &mut Settings)) -> Case {
    let shape = Shape::random(random);
    let mut chosen = Settings::default();
    settings(random, &mut chosen);
    let records = records(random, Part::Value, &shape);
    case(random, class, chosen, records)
}

fn case(random: &mut Random, class: &str, mut settings: Settings, records: Vec<Record>) -> Case {
    // A setting is missing now and then.
    if random.once_in(60) && !settings.0.is_empty() {
        let at = random.below(settings.0.len());
        settings.0.swap_remove(at);
    }
    Case { setup: setup(class, settings), items: Items::Transform(records) }
}

fn setup(class: &str, settings: Settings) -> Setup {
    let class = format!("org.apache.kafka.connect.transforms.{class}");
    Setup { class, settings: settings.0, is_key: false, topic: String::new(), schemas: Vec::new() }
}

/// Names with commas between them, as LIST settings are written.
fn list(random: &mut Random, items: &[String]) -> String {
    items.join(random.pick(&[",", ",", ", ", " ,"]))
}
