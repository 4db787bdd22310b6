//! When positions become durable.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use object_store::memory::InMemory;

use super::faulty_store::FaultyStore;
use super::fixture::{Fixture, batch, now, orders, row};

#[test]
fn nothing_is_durable_before_its_object_is_stored() {
    let store = FaultyStore::new();
    let gate = store.gate_put();
    let mut fixture = Fixture::over(Arc::new(store), &[]).opened();
    fixture.put(0..3);
    fixture.task.poll(now(0)).unwrap();
    assert_eq!(fixture.durable(), []);
    assert!(fixture.in_flight.used_bytes() > 0);
    assert!(!fixture.task.is_settled(&[orders()]));
    gate.add_permits(1);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [3]);
    assert_eq!(fixture.durable(), [], "a position is reported once");
    assert_eq!(fixture.in_flight.used_bytes(), 0);
}

#[test]
fn a_later_file_that_is_stored_first_waits_for_the_earlier_one() {
    let store = FaultyStore::new();
    let (first, second) = (store.gate_put(), store.gate_put());
    let mut fixture = Fixture::over(Arc::new(store), &[]).opened();
    fixture.put(0..6);
    second.add_permits(1);
    fixture.turn().unwrap();
    assert_eq!(fixture.names(), ["topics/orders/partition=0/orders+0+0000000003.json"]);
    assert_eq!(fixture.durable(), []);
    first.add_permits(1);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [6]);
}

#[test]
fn open_files_are_not_durable() {
    let mut fixture = Fixture::over(Arc::new(InMemory::new()), &[]).opened();
    fixture.put(0..5);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [3]);
    assert!(fixture.task.buffered_bytes() > 0);
}

#[test]
fn skipped_nulls_advance_the_position_only_when_nothing_is_open() {
    let extra = [("behavior.on.null.values", "IGNORE")];
    let mut fixture = Fixture::over(Arc::new(InMemory::new()), &extra).opened();
    let nulls = |offsets: std::ops::Range<i64>| {
        let rows = (offsets.end - offsets.start) as usize;
        batch(offsets.collect(), Values::Null { rows })
    };
    fixture.task.put(nulls(0..4), now(0)).unwrap();
    assert_eq!(fixture.durable(), [4]);
    fixture.put(4..5);
    fixture.task.put(nulls(5..7), now(0)).unwrap();
    assert_eq!(fixture.durable(), [], "offset 4 is in an open file");
    // The file closes within a batch that ends in a null.
    let values = Values::Dynamic(vec![Value::Null, row(8), row(9), Value::Null]);
    fixture.task.put(batch(vec![7, 8, 9, 10], values), now(0)).unwrap();
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [11]);
    assert_eq!(
        fixture.text("topics/orders/partition=0/orders+0+0000000004.json"),
        "{\"n\":4}\n{\"n\":8}\n{\"n\":9}\n"
    );
}

#[test]
fn a_skipped_null_behind_a_file_waits_until_the_file_is_stored() {
    let store = FaultyStore::new();
    let gate = store.gate_put();
    let mut fixture = Fixture::over(Arc::new(store), &[("behavior.on.null.values", "ignore")]).opened();
    fixture.put(0..3);
    fixture.task.put(batch(vec![3], Values::Null { rows: 1 }), now(0)).unwrap();
    assert_eq!(fixture.durable(), []);
    gate.add_permits(1);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [4]);
}

#[test]
fn closing_drops_open_files_and_finishes_complete_ones() {
    let store = FaultyStore::new();
    let gate = store.gate_put();
    let mut fixture = Fixture::over(Arc::new(store), &[]).opened();
    fixture.put(0..5);
    fixture.task.close(&[orders()]);
    assert_eq!(fixture.task.buffered_bytes(), 0);
    assert!(!fixture.task.is_settled(&[orders()]));
    gate.add_permits(1);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [3]);
    assert_eq!(fixture.names(), ["topics/orders/partition=0/orders+0+0000000000.json"]);
    assert_eq!(fixture.in_flight.used_bytes(), 0);
}

#[test]
fn positions_of_an_earlier_assignment_are_forgotten_when_the_partition_returns() {
    let store = FaultyStore::new();
    let gate = store.gate_put();
    let mut fixture = Fixture::over(Arc::new(store), &[]).opened();
    fixture.put(0..3);
    fixture.task.close(&[orders()]);
    fixture.task.open(&[orders()]).unwrap();
    gate.add_permits(1);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), []);
    // Offsets may begin anywhere again.
    fixture.put(0..3);
    fixture.settle().unwrap();
    assert_eq!(fixture.durable(), [3]);
}

#[test]
fn a_stopped_task_holds_nothing_and_stores_nothing() {
    let store = FaultyStore::new();
    store.gate_put();
    let mut fixture = Fixture::over(Arc::new(store), &[]).opened();
    fixture.put(0..5);
    fixture.task.stop();
    assert_eq!(fixture.task.buffered_bytes(), 0);
    fixture.turn().unwrap_err();
    assert_eq!(fixture.names(), Vec::<String>::new());
    assert_eq!(fixture.in_flight.used_bytes(), 0);
}
