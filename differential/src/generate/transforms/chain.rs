//! Chains: two to four transforms of one connector, some behind predicates.

use super::{
    Settings, cast, drop_headers, extract_field, filter, flatten, has_header_key, header_from, hoist_field,
    insert_field, insert_header, mask_field, record_is_tombstone, regex_router, replace_field,
    set_schema_metadata, timestamp_converter, timestamp_router, topic_name_matches, value_to_key,
};
use crate::case::{Case, Items, Setup};
use crate::model::Record;
use crate::random::Random;

type Make = fn(&mut Random) -> Case;

const TRANSFORMS: [Make; 16] = [
    cast,
    drop_headers,
    extract_field,
    filter,
    flatten,
    header_from,
    hoist_field,
    insert_field,
    insert_header,
    mask_field,
    regex_router,
    replace_field,
    set_schema_metadata,
    timestamp_converter,
    timestamp_router,
    value_to_key,
];
const PREDICATES: [Make; 3] = [has_header_key, record_is_tombstone, topic_name_matches];

/// A chain, and the records of one of its transforms: most of the others have something to do with them, as
/// names are few.
pub(crate) fn chain(random: &mut Random) -> Case {
    let count = 2 + random.below(3);
    let mut settings = Settings::default();
    let aliases: Vec<String> = (0..count).map(|at| format!("t{at}")).collect();
    settings.set("transforms", aliases.join(","));
    let mut predicates = Vec::new();
    let mut records = Vec::new();
    let source = random.below(count);
    for (at, alias) in aliases.iter().enumerate() {
        let case = random.pick(&TRANSFORMS)(random);
        let prefix = format!("transforms.{alias}.");
        let is_filter = case.setup.class.ends_with(".Filter");
        put(&mut settings, &prefix, &case);
        if at == source {
            records = records_of(case);
        }
        if is_filter || random.once_in(3) {
            let name = format!("p{at}");
            put(&mut settings, &format!("predicates.{name}."), &random.pick(&PREDICATES)(random));
            settings.set(&format!("{prefix}predicate"), name.clone());
            if random.once_in(2) {
                settings.set(&format!("{prefix}negate"), random.pick(&["true", "false"]));
            }
            predicates.push(name);
        }
    }
    if !predicates.is_empty() {
        settings.set("predicates", predicates.join(","));
    }
    let setup = Setup {
        class: "chain".to_owned(),
        settings: settings.0,
        is_key: false,
        topic: String::new(),
        schemas: Vec::new(),
    };
    Case { setup, items: Items::Chain(records) }
}

fn put(settings: &mut Settings, prefix: &str, case: &Case) {
    settings.set(&format!("{prefix}type"), case.setup.class.clone());
    for (name, value) in &case.setup.settings {
        settings.set(&format!("{prefix}{name}"), value.clone());
    }
}

fn records_of(case: Case) -> Vec<Record> {
    match case.items {
        Items::Chain(records) | Items::Transform(records) | Items::Predicate(records) => records,
        _ => Vec::new(),
    }
}
