//! What requests and task events do to connectors, tasks and statuses.

use lakeward_api::runtime::{TaskEvent, TaskId};
use lakeward_controlplane_core::status::RunState;
use lakeward_kafka::membership::Role;

use super::rig::Rig;
use crate::store::Store;
use crate::worker_config::WorkerMode;

fn id(task: u32) -> TaskId {
    TaskId { connector: "a".into(), task }
}

#[tokio::test]
async fn pause_resume_and_stop_reach_the_tasks() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    assert_eq!(rig.runtime.calls(), ["start a-0 Running", "start a-1 Running"]);

    let pause = rig.send("PUT", "/connectors/a/pause", "", "").await;
    assert_eq!((pause.status, pause.body.as_str(), pause.header("content-length")), (202, "", Some("0")));
    rig.wait_for("/connectors/a/status", |reply| reply.body.matches("PAUSED").count() == 3).await;
    assert_eq!(rig.send("PUT", "/connectors/a/resume", "", "").await.status, 202);
    rig.wait_for("/connectors/a/status", |reply| reply.body.matches("RUNNING").count() == 3).await;
    assert_eq!(
        rig.runtime.calls(),
        ["target a-0 Paused", "target a-1 Paused", "target a-0 Running", "target a-1 Running"]
    );

    assert_eq!(rig.send("PUT", "/connectors/a/stop", "", "").await.status, 204);
    assert_eq!(rig.get("/connectors/a/tasks").await.body, "[]");
    let stopped = rig.wait_for("/connectors/a/status", |reply| reply.body.contains("STOPPED")).await;
    assert!(stopped.body.contains(r#""tasks":[]"#), "{}", stopped.body);
    assert_eq!(rig.runtime.calls(), ["stop a-0", "stop a-1"]);
    rig.send("PUT", "/connectors/a/resume", "", "").await;
    rig.wait_for("/connectors/a/status", |reply| reply.body.matches("RUNNING").count() == 3).await;
}

#[tokio::test]
async fn a_new_configuration_stops_the_old_tasks_before_it_starts_new_ones() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    rig.runtime.calls();
    let body = r#"{"connector.class":"ProbeSink","tasks.max":"1","topics":"t","flush.size":"4"}"#;
    assert_eq!(rig.with_json("PUT", "/connectors/a/config", body).await.status, 200);
    rig.wait_for("/connectors/a/status", |reply| reply.json()["tasks"].as_array().unwrap().len() == 1).await;
    assert_eq!(rig.runtime.calls(), ["stop a-0", "stop a-1", "start a-0 Running"]);
}

#[tokio::test]
async fn deletion_removes_every_trace() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    rig.runtime.emit(TaskEvent::TopicUsed { id: id(0), topic: "t".into() });
    rig.wait_for("/connectors/a/topics", |reply| reply.body == r#"{"a":{"topics":["t"]}}"#).await;
    let deleted = rig.send("DELETE", "/connectors/a", "", "").await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    rig.wait_for("/connectors/a/status", |reply| reply.status == 404).await;
    assert_eq!(rig.get("/connectors/a/topics").await.body, r#"{"a":{"topics":[]}}"#);
    assert_eq!(rig.get("/connectors/a/tasks/0/status").await.status, 404);
    let left = rig.store.view().status(|board| board.all_tasks().count() + board.connectors().count());
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_failed_task_keeps_its_trace_until_it_is_restarted() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    rig.runtime.calls();
    rig.runtime.emit(TaskEvent::Failed { id: id(1), trace: "java.lang.Boom\n".into() });
    let failed = rig.wait_for("/connectors/a/tasks/1/status", |reply| reply.body.contains("FAILED")).await;
    assert_eq!(
        failed.body,
        r#"{"id":1,"state":"FAILED","worker_id":"w:8083","version":"1.2.0","trace":"java.lang.Boom\n"}"#
    );
    let noop = rig.send("POST", "/connectors/a/restart?onlyFailed=true", "", "").await;
    assert_eq!(noop.status, 202);
    assert!(!noop.body.contains("RESTARTING"), "{}", noop.body);
    let plan = rig.send("POST", "/connectors/a/restart?includeTasks=true&onlyFailed=true", "", "").await;
    assert_eq!(plan.status, 202);
    let state = plan.json();
    assert_eq!(state["connector"]["state"], "RUNNING");
    assert_eq!(state["tasks"][0]["state"], "RUNNING");
    assert_eq!(state["tasks"][1]["state"], "RESTARTING");
    assert_eq!(state["tasks"][1]["trace"], "java.lang.Boom\n");
    rig.wait_for("/connectors/a/tasks/1/status", |reply| reply.body.contains("RUNNING")).await;
    assert_eq!(rig.runtime.calls(), ["stop a-1", "start a-1 Running"]);
}

#[tokio::test]
async fn restarts_touch_only_what_they_name() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    rig.runtime.calls();
    assert_eq!(rig.send("POST", "/connectors/a/restart?includeTasks=yes", "", "").await.status, 204);
    assert_eq!(rig.runtime.calls(), Vec::<String>::new());
    assert_eq!(rig.send("POST", "/connectors/a/tasks/0/restart", "", "").await.status, 204);
    assert_eq!(rig.runtime.calls(), ["stop a-0", "start a-0 Running"]);
    assert_eq!(rig.send("POST", "/connectors/a/restart?includeTasks=TRUE", "", "").await.status, 202);
    rig.wait_for("/connectors/a/status", |reply| reply.body.matches("RUNNING").count() == 3).await;
    assert_eq!(rig.runtime.calls(), ["stop a-0", "stop a-1", "start a-0 Running", "start a-1 Running"]);
}

#[tokio::test]
async fn connectors_that_cannot_make_tasks_are_failed_with_the_reason() {
    let rig = Rig::distributed().await;
    for (name, how, text) in [
        ("b", "tasks", "org.apache.kafka.common.config.ConfigException: no such bucket\n"),
        (
            "c",
            "count",
            "org.apache.kafka.connect.errors.ConnectException: The connector c has generated 2 tasks, which \
             is greater than 1, the maximum number of tasks it is configured to create. \n",
        ),
    ] {
        let body =
            format!(r#"{{"connector.class":"ProbeSink","topics":"t","flush.size":"4","break":"{how}"}}"#);
        let path = format!("/connectors/{name}/config");
        assert_eq!(rig.with_json("PUT", &path, &body).await.status, 201);
        let path = format!("/connectors/{name}/status");
        let failed = rig.wait_for(&path, |reply| reply.body.contains("FAILED")).await;
        assert_eq!(failed.json()["connector"]["trace"], text);
        assert_eq!(failed.json()["tasks"].as_array().unwrap().len(), 0);
    }
    // A FAILED connector takes a correction.
    let body = r#"{"connector.class":"ProbeSink","topics":"t","flush.size":"4"}"#;
    rig.with_json("PUT", "/connectors/b/config", body).await;
    rig.wait_for("/connectors/b/status", |reply| reply.body.matches("RUNNING").count() == 2).await;
}

#[tokio::test]
async fn initial_states_hold_from_the_first_moment() {
    let rig = Rig::distributed().await;
    let body = r#"{"name":"a","initial_state":"stopped",
                   "config":{"connector.class":"ProbeSink","topics":"t","flush.size":1}}"#;
    assert_eq!(rig.with_json("POST", "/connectors", body).await.status, 201);
    rig.wait_for("/connectors/a/status", |reply| reply.body.contains("STOPPED")).await;
    assert_eq!(rig.runtime.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn followers_read_and_pause_but_do_not_write() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    rig.runtime.calls();
    rig.role.send_replace(Role::Follower);
    rig.wait_for("/connectors/a/status", |reply| reply.body.contains("UNASSIGNED")).await;
    assert_eq!(rig.runtime.calls(), ["stop all"]);
    let body = r#"{"connector.class":"ProbeSink","topics":"t","flush.size":"4"}"#;
    let refused = rig.with_json("PUT", "/connectors/b/config", body).await;
    assert_eq!(
        refused.body,
        "{\"error_code\":409,\"message\":\"Cannot complete request momentarily due to no known leader URL, \
         likely because a rebalance was underway.\"}"
    );
    assert_eq!(rig.send("DELETE", "/connectors/a", "", "").await.status, 409);
    assert_eq!(rig.send("PUT", "/connectors/a/pause", "", "").await.status, 202);
    assert_eq!(rig.get("/connectors").await.body, r#"["a"]"#);

    rig.role.send_replace(Role::Leader { generation: 9 });
    rig.wait_for("/connectors/a/status", |reply| reply.body.matches("PAUSED").count() == 3).await;
    assert_eq!(rig.runtime.calls(), ["start a-0 Paused", "start a-1 Paused"]);
    let generation = rig.store.view().status(|board| board.task(&id(0)).map(|status| status.generation));
    assert_eq!(generation, Some(9));
}

#[tokio::test]
async fn shutdown_stops_the_tasks_and_says_so() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    let runtime = std::sync::Arc::clone(&rig.runtime);
    runtime.calls();
    let store = rig.shutdown().await;
    assert_eq!(runtime.calls(), ["stop all"]);
    let state = store.view().status(|board| board.connector("a").map(|status| status.state));
    assert_eq!(state, Some(RunState::Unassigned));
}

#[tokio::test]
async fn standalone_waits_for_the_start_and_reports_its_failure() {
    let rig = Rig::new(WorkerMode::Standalone, &[]).await;
    let body = r#"{"connector.class":"ProbeSink","topics":"t","flush.size":"4","break":"tasks"}"#;
    let failed = rig.with_json("PUT", "/connectors/a/config", body).await;
    assert_eq!(failed.body, r#"{"error_code":500,"message":"no such bucket"}"#);
    let body = r#"{"connector.class":"ProbeSink","topics":"t","flush.size":"4"}"#;
    let created = rig.with_json("PUT", "/connectors/b/config", body).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.json()["tasks"].to_string(), r#"[{"connector":"b","task":0}]"#);
    assert_eq!(rig.get("/connectors/b/tasks").await.json().as_array().unwrap().len(), 1);
    assert_eq!(rig.send("DELETE", "/connectors/b", "", "").await.status, 204);
    assert_eq!(rig.get("/connectors/b/status").await.status, 404);
}

#[tokio::test]
async fn topic_tracking_can_be_switched_off() {
    let rig = Rig::new(WorkerMode::Distributed, &[("topic.tracking.enable", "false")]).await;
    let reply = rig.get("/connectors/a/topics").await;
    assert_eq!(reply.body, r#"{"error_code":403,"message":"Topic tracking is disabled."}"#);
    let rig = Rig::new(WorkerMode::Distributed, &[("topic.tracking.allow.reset", "false")]).await;
    let reply = rig.send("PUT", "/connectors/a/topics/reset", "", "").await;
    assert_eq!(reply.body, r#"{"error_code":403,"message":"Topic tracking reset is disabled."}"#);
}
