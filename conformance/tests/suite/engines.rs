//! Every engine of the shards moves records; the worker says which one it runs on.

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::store::Versitygw;
use serde_json::Value;

#[test]
fn the_epoll_engine_moves_records_and_names_itself() {
    let settings = [("lakeward.engine", "epoll")];
    let scenario = Scenario::start_on(KafkaBroker::shared(), Versitygw::shared(), 1, &settings);
    let log = scenario.worker.log();
    assert!(log.lines().any(|line| line.contains("shards start") && line.contains("epoll")), "{log}");
    scenario.create(&scenario.config(100));
    let mut oracle = Oracle::new();
    let values: Vec<Value> = (0..500).map(|_| numbered(oracle.next_id())).collect();
    scenario.produce_json(&values);
    scenario.wait_for_commit(0, 500);
    let rows = scenario.objects.parquet_rows().unwrap();
    oracle.assert(Guarantee::ExactlyOnce, rows.iter().map(|row| row["id"].as_u64().unwrap()));
}
