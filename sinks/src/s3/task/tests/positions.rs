//! When positions become durable.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::sink::SinkTask as _;

use super::faulty_store::FaultyStore;
use super::fixture::{Fixture, batch, now};

#[test]
fn a_skipped_null_behind_a_file_waits_until_the_file_is_stored() {
    let store = FaultyStore::new();
    let gate = store.gate_put();
    let mut fixture = Fixture::over(Arc::new(store), &[("behavior.on.null.values", "ignore")]).opened();
    fixture.put(0..3);
    fixture.task.put(batch(vec![3], Values::Null { rows: 1 }), now(0)).unwrap();
    assert!(fixture.durable().is_empty());
    gate.add_permits(1);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [4]);
}
