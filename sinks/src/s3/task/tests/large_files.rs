//! Files of many parts: order, bounds, and what is left of those that are dropped.

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use tokio::sync::Semaphore;

use super::faulty_store::FaultyStore;
use super::fixture::{Fixture, batch, now, orders};

const MIB: usize = 1 << 20;

fn large(store: &FaultyStore, flush_size: &str) -> Fixture {
    let format = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
    let extra = [("format.class", format), ("s3.part.size", "5242880"), ("flush.size", flush_size)];
    Fixture::over(Arc::new(store.clone()), &extra).opened()
}

/// One record of 1 MiB less its separator, different for each offset.
fn put_record(fixture: &mut Fixture, offset: i64) {
    let value = Value::Bytes(Bytes::from(vec![offset as u8; MIB - 1]));
    fixture.task.put(batch(vec![offset], Values::Dynamic(vec![value])), now(0)).unwrap();
}

#[test]
fn a_file_of_100_mib_arrives_in_order_with_bounded_bytes_in_flight() {
    let store = FaultyStore::new();
    let mut fixture = large(&store, "100");
    let mut most = 0;
    for offset in 0..100 {
        // As the pipeline does: nothing is taken while the budget is exhausted.
        while fixture.in_flight.is_exhausted() {
            fixture.run(tokio::task::yield_now());
            fixture.task.poll(now(0)).unwrap();
        }
        put_record(&mut fixture, offset);
        most = most.max(fixture.in_flight.used_bytes() + fixture.task.buffered_bytes());
    }
    fixture.settle().unwrap();
    assert_eq!(store.counts(), [1, 20, 0, 1]);
    let limit = fixture.in_flight.limit_bytes() as usize;
    assert!(most as usize <= limit + 6 * MIB, "{most} bytes were held");
    let bytes = fixture.bytes("topics/orders/partition=0/orders+0+0000000000.bin");
    assert_eq!(bytes.len(), 100 * MIB);
    for (offset, record) in bytes.chunks(MIB).enumerate() {
        assert_eq!((record[0], record[MIB - 2], record[MIB - 1]), (offset as u8, offset as u8, b'\n'));
    }
    assert_eq!(fixture.durable(), [100]);
    assert_eq!((fixture.in_flight.used_bytes(), fixture.task.buffered_bytes()), (0, 0));
}

#[test]
fn a_file_has_no_more_parts_in_flight_than_configured() {
    let gate = Arc::new(Semaphore::new(0));
    let store = FaultyStore::with_part_gate(Some(Arc::clone(&gate)));
    let mut fixture = large(&store, "30");
    for offset in 0..29 {
        put_record(&mut fixture, offset);
    }
    // Enough turns of the runtime for everything that can run.
    for _ in 0..50 {
        fixture.run(tokio::task::yield_now());
    }
    assert_eq!(store.counts(), [1, 4, 0, 0]);
    assert_eq!(fixture.in_flight.used_bytes(), 25 * MIB as u64);
    gate.add_permits(100);
    put_record(&mut fixture, 29);
    fixture.settle().unwrap();
    assert_eq!(store.counts(), [1, 6, 0, 1]);
}

#[test]
fn closing_aborts_the_multipart_upload_of_an_open_file() {
    let store = FaultyStore::new();
    let mut fixture = large(&store, "100");
    for offset in 0..8 {
        put_record(&mut fixture, offset);
    }
    // Enough turns of the runtime for an upload to begin.
    for _ in 0..50 {
        fixture.run(tokio::task::yield_now());
    }
    fixture.task.close(&[orders()]);
    assert_eq!(fixture.task.buffered_bytes(), 0);
    fixture.settle().unwrap();
    let [begun, _, aborted, completed] = store.counts();
    assert_eq!((begun, aborted, completed), (1, 1, 0));
    assert!(fixture.names().is_empty());
    assert!(fixture.durable().is_empty());
    assert_eq!(fixture.in_flight.used_bytes(), 0);
}

#[test]
fn stopping_aborts_the_upload_of_a_complete_file_that_is_not_stored() {
    let gate = Arc::new(Semaphore::new(0));
    let store = FaultyStore::with_part_gate(Some(gate));
    let mut fixture = large(&store, "8");
    for offset in 0..8 {
        put_record(&mut fixture, offset);
    }
    for _ in 0..50 {
        fixture.run(tokio::task::yield_now());
    }
    fixture.task.stop();
    fixture.turn().unwrap_err();
    assert_eq!(store.counts(), [1, 2, 1, 0]);
    assert!(fixture.names().is_empty());
    assert_eq!(fixture.in_flight.used_bytes(), 0);
}
