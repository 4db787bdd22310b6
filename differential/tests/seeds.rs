//! Fixed seeds through Apache Kafka's classes and ours: no difference that is not accepted.

use lakeward_differential::run::{Options, run};
use lakeward_differential::{TARGETS, Target};

/// Cases per target; `cargo xtask differential` runs as many as one likes.
const ITEMS_PER_TARGET: u64 = 1_500;

#[test]
fn fixed_seeds_differ_only_in_accepted_ways() {
    let targets: Vec<&'static Target> = TARGETS.iter().collect();
    let items = ITEMS_PER_TARGET * u64::try_from(targets.len()).unwrap();
    let report =
        run(&targets, Options { seed: 41, items, duration: None, replay: None, every: false }).unwrap();
    for count in &report.targets {
        assert!(count.items >= ITEMS_PER_TARGET, "{} ran only {} cases", count.name, count.items);
    }
    assert_eq!(report.differences(), 0, "\n{}", report.lines.join("\n"));
}
