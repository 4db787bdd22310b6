//! Servers that stop answering and come back: nothing is lost, nothing is doubled, memory stays bounded.
//!
//! A frozen server keeps its connections open and answers nothing, which clients find harder than a dead one.
//! Each test has the server that it freezes for itself.

use std::sync::OnceLock;
use std::time::Duration;

use lakeward_conformance::envelope::{enveloped, field, numbered};
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::wait::wait_for;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);

fn wait_for_log(scenario: &Scenario, text: &str) {
    wait_for(&format!("{text:?} in the log"), PATIENCE, || {
        let log = scenario.worker.log();
        if log.contains(text) { Ok(()) } else { Err("not there") }
    });
}

fn stored_ids(scenario: &Scenario) -> Vec<u64> {
    let rows = scenario.objects.parquet_rows().expect("stored files are readable");
    rows.iter().map(|row| row["id"].as_u64().expect("ids are numbers")).collect()
}

#[test]
fn a_broker_outage_heals_without_loss() {
    static BROKER: OnceLock<KafkaBroker> = OnceLock::new();
    let broker = BROKER.get_or_init(|| KafkaBroker::start().expect("Apache Kafka starts"));
    let scenario = Scenario::start_on(broker, Versitygw::shared(), 1, &[]);
    scenario.create(&scenario.config(100));
    let mut oracle = Oracle::new();
    let mut records = |count: usize| -> Vec<Record> {
        (0..count).map(|_| Record::json(&numbered(oracle.next_id()))).collect()
    };
    // Not a multiple of the flush size: a part is open when the broker goes.
    scenario.produce(&records(450));
    scenario.wait_for_objects(4);
    broker.freeze().unwrap();
    // The session of the group ends at the broker and at the client: the hard case of an outage.
    wait_for_log(&scenario, "partitions lost");
    broker.thaw().unwrap();
    scenario.produce(&records(550));
    scenario.wait_for_commit(0, 1000);
    oracle.assert(Guarantee::ExactlyOnce, stored_ids(&scenario));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
}

/// Text that no codec makes small, the same for the same `seed`.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letters = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + u8::try_from(state % 90).expect("below 90")).to_ascii_lowercase()
    });
    letters.filter(|letter| !matches!(letter, '"' | '\\')).take(length).collect()
}

/// 160 MB in all: a worker that held them would exceed [`MEMORY_BYTES_MAX`].
const RECORDS: usize = 10_000;
const FILLER_BYTES: usize = 16 * 1024;
const MEMORY_BYTES_MAX: u64 = 200_000_000;

#[test]
fn a_frozen_store_stops_the_flow_and_neither_loses_nor_doubles_nor_grows() {
    static STORE: OnceLock<Versitygw> = OnceLock::new();
    let store = STORE.get_or_init(|| Versitygw::start().expect("versitygw starts"));
    let settings = [("lakeward.in.flight.bytes", "1048576")];
    let scenario = Scenario::start_on(KafkaBroker::shared(), store, 1, &settings);
    scenario.create(&scenario.config(100));
    let mut oracle = Oracle::new();
    let fields = [field("id", "int64"), field("filler", "string")];
    let mut records = |count: usize| -> Vec<Record> {
        let ids = std::iter::repeat_with(|| oracle.next_id()).take(count);
        ids.map(|id| Record::json(&enveloped(&fields, &json!({"id": id, "filler": noise(id, FILLER_BYTES)}))))
            .collect()
    };
    scenario.produce(&records(100));
    scenario.wait_for_objects(1);
    store.freeze().unwrap();
    for _ in 0..10 {
        scenario.produce(&records(RECORDS / 10));
    }
    wait_for_log(&scenario, "partitions are paused");
    let frozen_bytes = scenario.worker.peak_memory_bytes().unwrap();
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    store.thaw().unwrap();
    assert!(frozen_bytes < MEMORY_BYTES_MAX, "{frozen_bytes} bytes while the store was frozen");
    scenario.wait_for_commit(0, i64::try_from(RECORDS + 100).unwrap());
    oracle.assert(Guarantee::ExactlyOnce, stored_ids(&scenario));
    let peak_bytes = scenario.worker.peak_memory_bytes().unwrap();
    assert!(peak_bytes < MEMORY_BYTES_MAX, "{peak_bytes} bytes after the store came back");
}
