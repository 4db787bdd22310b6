//! What a store does about conditional writes is found at the start, said beside the guarantee, and matters
//! to no record.

use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::azurite::{ACCOUNT, Azurite};
use lakeward_testkit::gcs::FakeGcs;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::store_proxy::{Fault, Request, Rule, StoreProxy};
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::LakewardWorker;
use serde_json::{Value, json};

use crate::object_stores::Kind;

const PATIENCE: Duration = Duration::from_secs(60);
const BY_RECORDS: &str = "exactly once (names and contents follow from the records)";

/// What is said about the only task of a connector.
fn said(rest: &RestClient, connector: &str) -> Result<Value, String> {
    let answer = rest.get(&format!("/connectors/{connector}/delivery")).map_err(|err| format!("{err:#}"))?;
    if answer.status != 200 {
        return Err(answer.text);
    }
    let task = answer.json()["tasks"][0].clone();
    if task["store"].is_null() { Err(answer.text) } else { Ok(task) }
}

/// Waits until the store's answer is known.
fn finding(scenario: &Scenario) -> Value {
    wait_for("what the store does about conditions", PATIENCE, || {
        let task = said(&scenario.worker.rest, &scenario.connector)?;
        if task["store"]["conditional_writes"] == "asking" { Err(task.to_string()) } else { Ok(task) }
    })
}

/// A sink of two records per file to S3 behind a proxy with this fault for the probe.
fn behind(fault: Option<Fault>, more: &[(&str, &str)]) -> (Scenario, StoreProxy) {
    behind_on(Request::Probe, fault, more)
}

/// The same with the fault for such requests.
fn behind_on(on: Request, fault: Option<Fault>, more: &[(&str, &str)]) -> (Scenario, StoreProxy) {
    let scenario = Scenario::start(1);
    let proxy = StoreProxy::start(&scenario.store.endpoint()).expect("a proxy starts");
    let rules = fault.map(|fault| Rule { on, first: 1, count: 9, fault });
    proxy.set(rules.as_slice());
    let config = scenario.config(2).json_lines().with(&[("store.url", &proxy.endpoint())]);
    scenario.create(&config.with(more));
    (scenario, proxy)
}

fn assert_stores(scenario: &Scenario) {
    scenario.produce_json(&[json!({"id": 1}), json!({"id": 2})]);
    scenario.wait_for_commit(0, 2);
    let name = scenario.object("partition=0", 0, 0, "json");
    assert_eq!(scenario.objects.names().expect("the store lists"), [name]);
}

fn assert_metric(scenario: &Scenario, finding: &str) {
    let page = scenario.worker.rest.get("/metrics").expect("the worker answers").expect_status(200).text;
    let connector = &scenario.connector;
    let line = format!(
        "lakeward_sink_store_conditional_writes{{connector=\"{connector}\",finding=\"{finding}\"}} 1\n"
    );
    assert!(page.contains(&line), "{line} is not in\n{page}");
}

#[test]
fn stores_that_keep_conditions_are_said_to_and_keep_nothing_of_the_question() {
    let s3 = Scenario::start(1);
    let stores = Kind::ALL.map(|kind| {
        let scenario = kind.scenario(1);
        let config = kind.config(&scenario, 2);
        (scenario, config)
    });
    let config = s3.config(2);
    for (scenario, config) in [(s3, config)].into_iter().chain(stores) {
        scenario.create(&config);
        let task = finding(&scenario);
        assert_eq!((&task["id"], &task["delivery"]), (&json!(0), &json!(BY_RECORDS)));
        let kept = json!({"conditional_writes": "honoured", "conditional_completions": "honoured"});
        assert_eq!(task["store"], kept);
        assert_metric(&scenario, "honoured");
        let names = scenario.objects.all_names().expect("the store lists");
        assert!(names.is_empty(), "{names:?}");
    }
}

#[test]
fn a_store_that_replaces_what_it_must_not_is_found_out() {
    let (scenario, proxy) = behind(Some(Fault::Careless), &[]);
    let store = finding(&scenario)["store"].clone();
    assert_eq!([&store["conditional_writes"], &store["conditional_completions"]], ["ignored", "not_asked"]);
    assert!(proxy.struck()[0] > 1, "{:?}", proxy.struck());
    assert_metric(&scenario, "ignored");
    assert!(scenario.objects.all_names().expect("the store lists").is_empty());
    assert_stores(&scenario);
    let log = scenario.worker.log();
    let told = log.lines().find(|line| line.contains("replaced an object although the request forbade it"));
    assert!(told.is_some_and(|line| line.contains("INFO")), "{log}");
}

#[test]
fn who_relies_on_conditions_is_warned_of_a_store_that_ignores_them() {
    let asks = [
        ("enable.conditional.writes", "true"),
        ("rotate.schedule.interval.ms", "3600000"),
        ("timezone", "UTC"),
    ];
    let (scenario, _proxy) = behind(Some(Fault::Careless), &asks);
    assert_eq!(finding(&scenario)["store"]["conditional_writes"], "ignored");
    let log = scenario.worker.log();
    let told = log.lines().find(|line| line.contains("replaced an object although the request forbade it"));
    assert!(told.is_some_and(|line| line.contains("WARN")), "{log}");
}

/// It keeps its word for objects of one request.
#[test]
fn a_store_that_forgets_conditions_of_completions_is_found_out() {
    let (scenario, proxy) = behind_on(Request::ProbeInParts, Some(Fault::Careless), &[]);
    let store = finding(&scenario)["store"].clone();
    assert_eq!(store, json!({"conditional_writes": "honoured", "conditional_completions": "ignored"}));
    assert!(proxy.struck()[0] > 1, "{:?}", proxy.struck());
    assert!(scenario.objects.all_names().expect("the store lists").is_empty());
    assert_eq!(scenario.store.unfinished_uploads(scenario.objects.bucket()).expect("they are listed"), 0);
    assert_stores(&scenario);
    let log = scenario.worker.log();
    assert!(log.contains("by an upload whose completion forbade it"), "{log}");
}

#[test]
fn an_identity_that_may_not_begin_the_upload_is_left_in_peace() {
    let fault = Fault::Answer(403, "AccessDenied");
    let (scenario, _proxy) = behind_on(Request::ProbeInParts, Some(fault), &[]);
    let store = finding(&scenario)["store"].clone();
    assert_eq!([&store["conditional_writes"], &store["conditional_completions"]], ["honoured", "unknown"]);
    let cause = store["completions_cause"].as_str().unwrap_or_default();
    assert!(cause.contains("lakeward.probe.conditional.writes"), "{cause}");
    assert_stores(&scenario);
}

/// What the sink of `kind` says of a store behind `proxy` that ignores conditions of such requests.
fn careless_cloud(kind: Kind, on: Request, proxy: &StoreProxy, url: &str) -> [Value; 2] {
    proxy.set(&[Rule { on, first: 1, count: 9, fault: Fault::Careless }]);
    let scenario = kind.scenario(1);
    scenario.create(&kind.config(&scenario, 2).with(&[("store.url", url)]));
    let store = finding(&scenario)["store"].clone();
    assert!(proxy.struck()[0] > 1, "{:?}", proxy.struck());
    assert!(scenario.objects.all_names().expect("the store lists").is_empty());
    ["conditional_writes", "conditional_completions"].map(|name| store[name].clone())
}

#[test]
fn a_careless_store_of_google_is_found_out() {
    let proxy = StoreProxy::start(&FakeGcs::shared().endpoint()).expect("a proxy starts");
    let found = |on| careless_cloud(Kind::Gcs, on, &proxy, &proxy.endpoint());
    assert_eq!(found(Request::Probe), ["ignored", "not_asked"]);
    assert_eq!(found(Request::ProbeInParts), ["honoured", "ignored"]);
}

#[test]
fn a_careless_store_of_azure_is_found_out() {
    let server = Azurite::shared().endpoint();
    let server = server.strip_suffix(&format!("/{ACCOUNT}")).expect("the account is in the address");
    let proxy = StoreProxy::start(server).expect("a proxy starts");
    let url = format!("{}/{ACCOUNT}", proxy.endpoint());
    for kind in [Kind::Blob, Kind::Lake] {
        let found = |on| careless_cloud(kind, on, &proxy, &url);
        assert_eq!(found(Request::Probe), ["ignored", "not_asked"], "{kind:?}");
        assert_eq!(found(Request::ProbeInParts), ["honoured", "ignored"], "{kind:?}");
    }
}

#[test]
fn a_store_without_conditions_is_found_out() {
    let (scenario, _proxy) = behind(Some(Fault::Answer(501, "NotImplemented")), &[]);
    let store = finding(&scenario)["store"].clone();
    assert_eq!(store["conditional_writes"], "unsupported");
    assert!(store["cause"].as_str().is_some_and(|cause| cause.contains("501")), "{store}");
    assert_stores(&scenario);
}

/// A bucket policy that allows nothing but the names of files.
#[test]
fn an_identity_that_may_not_ask_is_left_in_peace() {
    let (scenario, _proxy) = behind(Some(Fault::Answer(403, "AccessDenied")), &[]);
    let store = finding(&scenario)["store"].clone();
    assert_eq!(store["conditional_writes"], "unknown");
    let cause = store["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("topics/.lakeward-probe"), "{cause}");
    assert!(cause.contains("lakeward.probe.conditional.writes"), "{cause}");
    assert_stores(&scenario);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let log = scenario.worker.log();
    assert!(!log.contains("conditional writes"), "{log}");
}

#[test]
fn a_question_without_an_answer_delays_nothing() {
    let (scenario, proxy) = behind(Some(Fault::Stall), &[]);
    assert_stores(&scenario);
    wait_for(
        "the probe",
        PATIENCE,
        || if proxy.struck()[0] > 0 { Ok(()) } else { Err("not asked".to_owned()) },
    );
    let task = said(&scenario.worker.rest, &scenario.connector).expect("the worker answers");
    assert_eq!(task["store"], json!({"conditional_writes": "asking", "conditional_completions": "asking"}));
}

#[test]
fn nobody_asks_where_that_is_switched_off() {
    let (scenario, proxy) = behind(None, &[("lakeward.probe.conditional.writes", "false")]);
    let store = finding(&scenario)["store"].clone();
    assert_eq!(store["conditional_writes"], "not_asked");
    assert_stores(&scenario);
    assert_eq!(proxy.seen(Request::Probe), 0);
}

#[test]
fn a_store_is_asked_once_for_all_connectors_and_every_worker_tells() {
    let (mut scenario, proxy) = behind(None, &[]);
    assert_eq!(finding(&scenario)["store"]["conditional_writes"], "honoured");
    // Two creations and a deletion.
    assert_eq!(proxy.seen(Request::Probe), 3);
    let first = std::mem::replace(&mut scenario.connector, lakeward_testkit::unique("sink"));
    scenario.create(&scenario.config(2).json_lines().with(&[("store.url", &proxy.endpoint())]));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    assert_eq!(finding(&scenario)["store"]["conditional_writes"], "honoured");
    assert_eq!(proxy.seen(Request::Probe), 3);
    let other = LakewardWorker::start_distributed(&scenario.properties).expect("the worker starts");
    wait_for("the same answer of both workers", PATIENCE, || {
        let answers = [&scenario.worker.rest, &other.rest].map(|rest| said(rest, &first));
        match answers {
            [Ok(one), Ok(same)] if one == same => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let absent = other.rest.get("/connectors/absent/delivery").expect("the worker answers");
    assert_eq!(absent.expect_status(404).message(), "Connector absent not found");
}

/// Clients of Kafka Connect read a status strictly.
#[test]
fn the_status_has_no_field_that_java_has_not() {
    let (scenario, _proxy) = behind(None, &[]);
    finding(&scenario);
    let status = scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&status), ["name", "connector", "tasks", "type"]);
    assert_eq!(keys(&status["tasks"][0]), ["id", "state", "worker_id", "version"]);
}
