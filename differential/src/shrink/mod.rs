//! Makes a case with a difference smaller as long as the same difference stays.
//!
//! Same means: of the same signature, so that a search for a wrong value does not end at a wrong message.

mod bytes;
mod values;

use crate::accepted::Finding;
use crate::case::{Case, Items};
use crate::compare::difference;
use crate::run::{Sides, Small, signature};

/// Smaller cases tried in all.
const TRIES_MAX: usize = 6_000;
/// Smaller cases per round trip: some of them are wasted when an early one is found.
const TRIES_PER_TRIP: usize = 24;

/// The smallest case found with the difference of `finding`.
pub(crate) fn shrink(sides: &mut Sides, finding: &Finding<'_>) -> anyhow::Result<Small> {
    let mut small = Small {
        case: finding.case.clone(),
        item: finding.item,
        java: finding.java.clone(),
        ours: finding.ours.clone(),
        kind: finding.kind,
    };
    let wanted = signature(finding.target, finding.kind, finding.java, finding.ours);
    let mut tries = 0;
    'smaller: while tries < TRIES_MAX {
        for candidates in candidates(&small.case, small.item).chunks(TRIES_PER_TRIP) {
            tries += candidates.len();
            let cases: Vec<Case> = candidates.iter().map(|(case, _)| case.clone()).collect();
            let answers = sides.answers(&cases)?;
            let found = candidates.iter().zip(answers).find_map(|((case, item), mut answers)| {
                let (java, ours) = answers.swap_remove(*item);
                let kind = difference(&java, &ours)?;
                let same = signature(finding.target, kind, &java, &ours) == wanted;
                same.then_some(Small { case: case.clone(), item: *item, java, ours, kind })
            });
            if let Some(smaller) = found {
                small = smaller;
                continue 'smaller;
            }
        }
        break;
    }
    Ok(small)
}

/// Smaller cases, the smallest first.
fn candidates(case: &Case, item: usize) -> Vec<(Case, usize)> {
    let mut candidates = fewer_items(case, item);
    for at in 0..case.setup.settings.len() {
        // Java's side is as this says, and does not read it.
        if case.setup.settings[at].0 == "flatten.singleton.unions" {
            continue;
        }
        let mut smaller = case.clone();
        smaller.setup.settings.remove(at);
        candidates.push((smaller, item));
    }
    if case.setup.is_key {
        let mut smaller = case.clone();
        smaller.setup.is_key = false;
        candidates.push((smaller, item));
    }
    // A smaller input is tried for the item itself only: what is left of the others is there for a reason.
    let with = |items: Items| (Case { setup: case.setup.clone(), items }, item);
    candidates.extend(smaller_item(&case.items, item).into_iter().map(with));
    candidates
}

fn fewer_items(case: &Case, item: usize) -> Vec<(Case, usize)> {
    let count = case.items.len();
    if count == 1 {
        return Vec::new();
    }
    let pick = |places: &[usize]| Case { setup: case.setup.clone(), items: case.items.pick(places) };
    let mut candidates = vec![(pick(&[item]), 0)];
    let before: Vec<usize> = (0..=item).collect();
    if before.len() < count {
        candidates.push((pick(&before), item));
    }
    for left_out in (0..count).filter(|at| *at != item) {
        let places: Vec<usize> = (0..count).filter(|at| *at != left_out).collect();
        candidates.push((pick(&places), if left_out < item { item - 1 } else { item }));
    }
    candidates
}

/// The items with a smaller one at `at`.
fn smaller_item(items: &Items, at: usize) -> Vec<Items> {
    fn replaced<T: Clone>(items: &[T], at: usize, smaller: Vec<T>) -> Vec<Vec<T>> {
        let one = |item: T| {
            let mut items = items.to_vec();
            items[at] = item;
            items
        };
        smaller.into_iter().map(one).collect()
    }
    match items {
        Items::Decode(all) => {
            let smaller = bytes::smaller(all[at].as_deref());
            replaced(all, at, smaller).into_iter().map(Items::Decode).collect()
        }
        Items::Recode(all) => {
            let smaller = bytes::smaller(all[at].as_deref());
            replaced(all, at, smaller).into_iter().map(Items::Recode).collect()
        }
        Items::DecodeHeader(all) => {
            let (name, payload) = &all[at];
            let smaller = bytes::smaller(payload.as_deref());
            let smaller = smaller.into_iter().map(|payload| (name.clone(), payload)).collect();
            replaced(all, at, smaller).into_iter().map(Items::DecodeHeader).collect()
        }
        Items::Encode(all) => {
            let smaller = values::smaller_typed(&all[at]);
            replaced(all, at, smaller).into_iter().map(Items::Encode).collect()
        }
        Items::EncodeHeader(all) => {
            let smaller = values::smaller_header(&all[at]);
            replaced(all, at, smaller).into_iter().map(Items::EncodeHeader).collect()
        }
        Items::Chain(all) => {
            let smaller = values::smaller_record(&all[at]);
            replaced(all, at, smaller).into_iter().map(Items::Chain).collect()
        }
        Items::Transform(all) => {
            let smaller = values::smaller_record(&all[at]);
            replaced(all, at, smaller).into_iter().map(Items::Transform).collect()
        }
        Items::Predicate(all) => {
            let smaller = values::smaller_record(&all[at]);
            replaced(all, at, smaller).into_iter().map(Items::Predicate).collect()
        }
    }
}
