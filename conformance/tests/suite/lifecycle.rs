//! Pause, resume, stop, restart and delete, as operators use them.

use std::time::Duration;

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::wait::wait_for;
use serde_json::json;

fn path(scenario: &Scenario, rest: &str) -> String {
    format!("/connectors/{}{rest}", scenario.connector)
}

#[test]
fn a_paused_connector_takes_no_records_until_it_resumes() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    scenario.produce_json(&[numbered(0)]);
    scenario.wait_for_commit(0, 1);

    let rest = &scenario.worker.rest;
    let answer = rest.put_empty(&path(&scenario, "/pause")).unwrap().expect_status(202);
    assert_eq!(answer.text, "");
    scenario.worker.wait_for_state(&scenario.connector, "PAUSED", 1);
    scenario.produce_json(&[numbered(1)]);
    assert_eq!(scenario.objects.names().unwrap().len(), 1);

    rest.put_empty(&path(&scenario, "/resume")).unwrap().expect_status(202);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    scenario.wait_for_objects(2);
    scenario.wait_for_commit(0, 2);
}

#[test]
fn a_stopped_connector_has_no_tasks_and_can_be_resumed() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let rest = &scenario.worker.rest;
    rest.put_empty(&path(&scenario, "/stop")).unwrap().expect_status(204);
    scenario.worker.wait_for_state(&scenario.connector, "STOPPED", 0);
    assert_eq!(rest.get(&path(&scenario, "/tasks")).unwrap().expect_status(200).json(), json!([]));

    rest.put_empty(&path(&scenario, "/resume")).unwrap().expect_status(202);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    scenario.produce_json(&[numbered(0)]);
    scenario.wait_for_objects(1);
}

#[test]
fn a_deleted_connector_is_gone_and_its_name_is_free() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let rest = &scenario.worker.rest;
    rest.delete(&path(&scenario, "")).unwrap().expect_status(204);
    wait_for("the status to go", Duration::from_secs(60), || {
        let answer = rest.get(&path(&scenario, "/status")).map_err(|err| format!("{err:#}"))?;
        if answer.status == 404 { Ok(()) } else { Err(answer.text) }
    });
    assert_eq!(rest.get("/connectors").unwrap().json(), json!([]));
    rest.delete(&path(&scenario, "")).unwrap().expect_status(404);

    scenario.create(&scenario.config(1));
    scenario.produce_json(&[numbered(0)]);
    scenario.wait_for_objects(1);
}

#[test]
fn a_failed_task_runs_again_after_the_cause_is_gone_and_it_is_restarted() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    scenario.produce(&[lakeward_testkit::records::Record::of("{broken")]);
    scenario.worker.wait_for_failure(&scenario.connector);
    let rest = &scenario.worker.rest;
    let tolerant = scenario.config(1).with(&[("errors.tolerance", "all")]);
    rest.put(&path(&scenario, "/config"), &tolerant.json()).unwrap().expect_status(200);
    rest.post_empty(&path(&scenario, "/restart?includeTasks=true")).unwrap().expect_status(202);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    scenario.produce_json(&[numbered(1)]);
    scenario.wait_for_objects(1);
    scenario.wait_for_commit(0, 2);
}
