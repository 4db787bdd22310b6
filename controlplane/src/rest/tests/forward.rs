//! Two workers, one of which leads: what the other does with requests that only the leader can carry out.

use std::sync::Arc;

use lakeward_kafka::membership::Role;

use super::rig::Rig;
use crate::rest::{FindLeader, no_leader};
use crate::worker_config::WorkerMode;

/// A worker that follows and finds the leader at `address`.
async fn follower(leader: FindLeader) -> Rig {
    let rig = Rig::starting(WorkerMode::Distributed, &[]).await;
    rig.role.send_replace(Role::Follower);
    rig.open_with(leader);
    rig
}

fn at(url: String) -> FindLeader {
    Arc::new(move || Box::pin(std::future::ready(Some(url.clone()))))
}

const CREATE: &str =
    r#"{"name":"a b","config":{"connector.class":"ProbeSink","topics":"t","flush.size":"3"}}"#;

#[tokio::test]
async fn the_leader_does_the_work_and_the_client_sees_its_answer() {
    let leader = Rig::distributed().await;
    let follower = follower(at(format!("http://{}/", leader.address))).await;
    let created = follower.with_json("POST", "/connectors", CREATE).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(created.header("location"), Some("http://w:8083/connectors/a%20b"));
    assert_eq!(created.json()["config"]["flush.size"], "3");
    assert_eq!(leader.get("/connectors").await.body, "[\"a b\"]");
    let again = follower.with_json("POST", "/connectors", CREATE).await;
    assert_eq!((again.status, &again.json()["message"]), (409, &"Connector a b already exists".into()));
    let tag = leader.get("/connectors/a%20b").await.header("etag").unwrap().to_owned();
    assert_eq!(created.header("etag"), Some(tag.as_str()));
    let stale = follower.send("DELETE", "/connectors/a%20b", "If-Match: \"stale\"\r\n", "").await;
    assert_eq!(stale.status, 412, "{stale:?}");
    let missing = follower.send("DELETE", "/connectors/absent", "", "").await;
    assert_eq!(missing.body, r#"{"error_code":404,"message":"Connector absent not found"}"#);
    let restarted = follower.send("POST", "/connectors/a%20b/restart?onlyFailed=true", "", "").await;
    assert_eq!(restarted.status, 202, "{restarted:?}");
    assert_eq!(restarted.json()["name"], "a b");
    let deleted = follower.send("DELETE", "/connectors/a%20b", "", "").await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
}

#[tokio::test]
async fn validation_comes_before_the_way_to_the_leader() {
    let follower = follower(no_leader()).await;
    let reply = follower.with_json("POST", "/connectors", r#"{"name":"a","config":{}}"#).await;
    assert_eq!(reply.status, 400, "{reply:?}");
}

#[tokio::test]
async fn it_ends_after_two_hops() {
    let second = follower(no_leader()).await;
    let first = follower(at(format!("http://{}/", second.address))).await;
    let lost = first.send("DELETE", "/connectors/a", "", "").await;
    assert_eq!(lost.status, 409, "{lost:?}");
    assert!(lost.body.contains("no known leader URL"), "{lost:?}");
    let third = follower(at(format!("http://{}/", first.address))).await;
    let circle = follower(at(format!("http://{}/", third.address))).await;
    let lost = circle.send("DELETE", "/connectors/a", "", "").await;
    assert_eq!(lost.status, 409, "{lost:?}");
    assert!(lost.body.contains("conflicting operation (e.g. worker rebalance)"), "{lost:?}");
    let direct = first.send("DELETE", "/connectors/a?forward=false", "", "").await;
    assert_eq!(direct.status, 409, "{direct:?}");
    assert!(direct.body.contains("conflicting operation"), "{direct:?}");
}

#[tokio::test]
async fn a_leader_that_cannot_be_reached_is_our_failure() {
    let follower = follower(at("http://127.0.0.1:1/".to_owned())).await;
    let reply = follower.send("PUT", "/connectors/a/stop", "", "").await;
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(reply.body.contains("IO Error trying to forward REST request: "), "{reply:?}");
}
