//! Requests to a worker that does not lead: the leader does the work, also when it is a new one.

use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::LakewardWorker;
use serde_json::json;

#[test]
fn every_worker_carries_out_every_request_also_after_the_leader_died() {
    let mut scenario = Scenario::start(1);
    let other = LakewardWorker::start_distributed(&scenario.properties).expect("the worker starts");
    let (name, config) = (scenario.connector.clone(), scenario.config(1).json());
    for rest in [&scenario.worker.rest, &other.rest] {
        wait_for_leader(rest);
        work_with(rest, &name, &config);
    }
    // Both may lead: whoever is left must.
    scenario.worker.kill();
    wait_for_leader(&other.rest);
    work_with(&other.rest, &name, &config);
}

/// Waits until the worker leads or knows who does.
fn wait_for_leader(rest: &RestClient) {
    wait_for("a worker leads", Duration::from_secs(60), || {
        let deleted = rest.delete("/connectors/absent").map_err(|err| format!("{err:#}"))?;
        if deleted.status == 404 { Ok(()) } else { Err(deleted.text) }
    });
}

/// Creates, changes, stops, resets and deletes a connector through one worker.
fn work_with(rest: &RestClient, name: &str, config: &serde_json::Value) {
    let path = |rest: &str| format!("/connectors/{name}{rest}");
    let created =
        rest.post("/connectors", &json!({"name": name, "config": config})).expect("the worker answers");
    let created = created.expect_status(201);
    let location = format!("http://{}{}", rest.authority(), path(""));
    assert_eq!(created.header("location"), Some(location.as_str()));
    wait_for("the worker read its configuration", Duration::from_secs(30), || {
        let status = rest.get(&path("/config")).map_err(|err| format!("{err:#}"))?.status;
        if status == 200 { Ok(()) } else { Err(status.to_string()) }
    });
    rest.patch(&path("/config"), &json!({"flush.size": "7"})).expect("the worker answers").expect_status(200);
    rest.post("/connectors", &json!({"name": name, "config": config}))
        .expect("the worker answers")
        .expect_status(409);
    let refused = rest.send("PUT", &path("/stop?forward=false"), &[], None).expect("the worker answers");
    assert!([204, 409].contains(&refused.status), "{}", refused.text);
    rest.put_empty(&path("/stop")).expect("the worker answers").expect_status(204);
    wait_for("the group is empty", Duration::from_secs(60), || {
        let reset = rest.delete(&path("/offsets")).map_err(|err| format!("{err:#}"))?;
        if reset.status == 200 { Ok(()) } else { Err(reset.text) }
    });
    rest.delete(&path("")).expect("the worker answers").expect_status(204);
    wait_for("the worker read that it is gone", Duration::from_secs(30), || {
        let status = rest.get(&path("")).map_err(|err| format!("{err:#}"))?.status;
        if status == 404 { Ok(()) } else { Err(status.to_string()) }
    });
}
