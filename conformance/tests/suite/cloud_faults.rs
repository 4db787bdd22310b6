//! Google Cloud Storage and Azure Blob Storage that refuse, stall, cut and lose requests: nothing is lost,
//! nothing is doubled. As in `store_faults`, each kind of request that stores something meets one kind of
//! fault, once as often as the client's own retries bear and once more often, so that the task starts over.
//!
//! Each with conditions and without: under conditions a write whose answer was lost is settled by looking.

use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::azurite::Azurite;
use lakeward_testkit::gcs::FakeGcs;
use lakeward_testkit::ids::stored_ids;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::store_proxy::{Fault, Request, Rule, StoreProxy};
use serde_json::json;

use crate::object_stores::Kind;

const FLUSH_SIZE: usize = 400;
/// Files of large records are stored in parts, files of small ones whole; in turns.
const LARGE_BYTES: usize = 16 * 1024;

/// Where the Java sinks make conditions: with a schedule. It hardly ever strikes; files end by their records.
const CONDITIONS: [(&str, &str); 2] = [("rotate.schedule.interval.ms", "3600000"), ("timezone", "UTC")];

/// A scenario whose sink reaches its store through a proxy.
struct Ground {
    kind: Kind,
    scenario: Scenario,
    proxy: StoreProxy,
    oracle: Oracle,
}

impl Ground {
    fn start(kind: Kind, more: &[(&str, &str)]) -> Self {
        let scenario = kind.scenario(1);
        let store = match kind {
            Kind::Blob | Kind::Lake => Azurite::shared().endpoint(),
            Kind::Gcs => FakeGcs::shared().endpoint(),
        };
        let proxy = StoreProxy::start(&store).expect("a proxy starts");
        // Azurite has a path, which stays.
        let path = store.splitn(4, '/').nth(3).map_or_else(String::new, |path| format!("/{path}"));
        let config = kind.config(&scenario, FLUSH_SIZE).schemaless().with(&[
            ("store.url", &format!("{}{path}", proxy.endpoint())),
            ("format.class", &kind.format("json.JsonFormat")),
            // Three tries of one request.
            ("gcs.part.retries", "2"),
            ("gcs.part.size", "5242880"),
            ("gcs.retry.backoff.ms", "50"),
            ("azblob.block.size", "5242880"),
            ("azblob.retry.backoff.ms", "50"),
            ("azblob.retry.retries", "2"),
            ("azblob.retry.type", "FIXED"),
        ]);
        scenario.create(&config.with(more));
        scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
        Self { kind, scenario, proxy, oracle: Oracle::new() }
    }

    /// One file of large records and one of small ones per round.
    fn produce(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for filler in ["x".repeat(LARGE_BYTES), String::new()] {
                let ids = std::iter::repeat_with(|| self.oracle.next_id()).take(FLUSH_SIZE);
                let records: Vec<Record> =
                    ids.map(|id| Record::json(&json!({"id": id, "filler": filler}))).collect();
                self.scenario.produce(&records);
            }
        }
    }

    /// Every kind of request that stores something meets `fault` so often.
    fn strike(&mut self, fault: Fault, strikes: u32) {
        let storing = self.storing();
        let rule = |on: &Request| Rule { on: *on, first: 1, count: strikes, fault };
        self.proxy.set(&storing.iter().map(rule).collect::<Vec<_>>());
        // As many of each kind of file: a session that knows its bytes is sent none of them again.
        self.produce(strikes as usize);
        self.assert_stored_once();
        assert_eq!(self.proxy.struck(), vec![strikes; storing.len()], "{:?}: {storing:?}", self.kind);
    }

    /// The requests that store something.
    fn storing(&self) -> &'static [Request] {
        match self.kind {
            // Blocks are sent without a beginning.
            Kind::Blob | Kind::Lake => &[Request::Complete, Request::Part, Request::Put],
            Kind::Gcs => &[Request::Begin, Request::Complete, Request::Part, Request::Put],
        }
    }

    fn assert_stored_once(&self) {
        let end = i64::try_from(self.oracle.count()).expect("offsets are small");
        self.scenario.wait_long_for_commit(0, end, PATIENCE);
        let topic = format!("{}/", self.scenario.topic);
        let stored = stored_ids(&self.scenario.objects, &topic).expect("stored files are readable");
        self.oracle.assert(Guarantee::ExactlyOnce, stored);
        self.scenario.worker.wait_for_state(&self.scenario.connector, "RUNNING", 1);
    }
}

/// Up to 20 strikes, of which each may fail the task.
const PATIENCE: Duration = Duration::from_secs(240);

/// Two strikes are within the three tries of the client; five are not.
fn survives(kind: Kind, fault: Fault, more: &[(&str, &str)]) {
    for conditions in [&[][..], &CONDITIONS] {
        let mut ground = Ground::start(kind, &[more, conditions].concat());
        for strikes in [2, 5] {
            ground.strike(fault, strikes);
        }
    }
}

const BUSY: Fault = Fault::Answer(503, "ServerBusy");
const IMPATIENT: [(&str, &str); 2] =
    [("lakeward.request.timeout.ms", "1000"), ("azblob.write.timeout.ms", "1000")];

#[test]
fn a_busy_store_of_google_loses_and_doubles_nothing() {
    survives(Kind::Gcs, BUSY, &[]);
}

#[test]
fn a_busy_store_of_azure_loses_and_doubles_nothing() {
    survives(Kind::Blob, BUSY, &[]);
}

#[test]
fn a_connection_to_google_that_breaks_in_the_middle_of_a_body_loses_and_doubles_nothing() {
    survives(Kind::Gcs, Fault::CutRequest, &[]);
}

#[test]
fn a_connection_to_azure_that_breaks_in_the_middle_of_a_body_loses_and_doubles_nothing() {
    survives(Kind::Blob, Fault::CutRequest, &[]);
}

#[test]
fn a_store_of_google_that_does_not_answer_in_time_loses_and_doubles_nothing() {
    survives(Kind::Gcs, Fault::Stall, &IMPATIENT);
}

#[test]
fn a_store_of_azure_that_does_not_answer_in_time_loses_and_doubles_nothing() {
    survives(Kind::Blob, Fault::Stall, &IMPATIENT);
}

/// The store did what it was asked for, and nobody knows.
#[test]
fn answers_of_google_that_get_lost_lose_and_double_nothing() {
    survives(Kind::Gcs, Fault::LoseAnswer, &[]);
}

/// The store did what it was asked for, and nobody knows.
#[test]
fn answers_of_azure_that_get_lost_lose_and_double_nothing() {
    survives(Kind::Blob, Fault::LoseAnswer, &[]);
}

/// Data lakes are written like blobs, and made at the start.
#[test]
fn answers_of_a_data_lake_that_get_lost_lose_and_double_nothing() {
    let mut ground = Ground::start(Kind::Lake, &[("azure.datalake.gen2.block.size", "5242880")]);
    // Its client waits 4 s before it asks again, then 8 s.
    ground.strike(Fault::LoseAnswer, 1);
}
