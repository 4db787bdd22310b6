//! Routing, media types, limits, root and health.

use std::time::Duration;

use lakeward_kafka::membership::Role;

use super::rig::Rig;
use crate::worker_config::WorkerMode;

#[tokio::test]
async fn the_router_answers_as_java_does() {
    let rig = Rig::distributed().await;
    let cases = [
        ("GET", "/nothing", "", "", 404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#),
        (
            "GET",
            "/connectors/a/tasks-config",
            "",
            "",
            404,
            r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#,
        ),
        ("PUT", "/connectors", "", "", 405, r#"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#),
        (
            "POST",
            "/connectors",
            "",
            "{}",
            415,
            r#"{"error_code":415,"message":"HTTP 415 Unsupported Media Type"}"#,
        ),
        (
            "GET",
            "/connectors",
            "Accept: text/html\r\n",
            "",
            406,
            r#"{"error_code":406,"message":"HTTP 406 Not Acceptable"}"#,
        ),
    ];
    for (method, path, headers, body, status, text) in cases {
        let reply = rig.send(method, path, headers, body).await;
        assert_eq!((reply.status, reply.body.as_str()), (status, text), "{method} {path}");
        assert_eq!(reply.header("content-type"), None, "{method} {path}");
    }
    let reply = rig.get("/connectors/a%2Fb").await;
    assert_eq!((reply.status, reply.body.as_str(), reply.header("connection")), (400, "", Some("close")));
}

#[tokio::test]
async fn head_and_options_follow_get() {
    let rig = Rig::distributed().await;
    let head = rig.send("HEAD", "/connectors", "", "").await;
    assert_eq!((head.status, head.body.as_str(), head.header("content-length")), (200, "", Some("2")));
    let options = rig.send("OPTIONS", "/connectors", "", "").await;
    assert_eq!((options.status, options.body.as_str()), (200, "HEAD, POST, GET, OPTIONS"));
    assert_eq!(options.header("allow"), Some("HEAD,POST,GET,OPTIONS"));
    assert_eq!(options.header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn json_is_accepted_in_every_spelling() {
    let rig = Rig::distributed().await;
    for accept in
        ["*/*", "application/json", "text/html, application/*;q=0.3", "APPLICATION/JSON; charset=utf-8"]
    {
        let reply = rig.send("GET", "/connectors/", &format!("Accept: {accept}\r\n"), "").await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "[]"), "{accept}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn root_and_health_answer_when_ready() {
    let rig = Rig::distributed().await;
    assert_eq!(
        rig.get("/").await.body,
        r#"{"version":"4.1.0","commit":"6c616b6577617264","kafka_cluster_id":"cluster-1"}"#
    );
    let health = rig.get("/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(
        health.body,
        r#"{"status":"healthy","message":"Worker has completed startup and is ready to handle requests."}"#
    );
}

#[tokio::test]
async fn health_says_starting_until_the_worker_is_ready() {
    let rig = Rig::starting(WorkerMode::Distributed, &[]).await;
    let health = rig.get("/health").await;
    assert_eq!(health.status, 503);
    assert_eq!(
        health.body,
        "{\"status\":\"starting\",\"message\":\"Worker is still starting up. The worker is currently \
         awaiting startup, which began at 1970-01-01T00:00:00.000Z.\"}"
    );
}

#[tokio::test]
async fn health_needs_the_group() {
    let rig = Rig::starting(WorkerMode::Distributed, &[]).await;
    rig.open_outside();
    let health = rig.get("/health").await;
    assert_eq!(health.status, 500);
    let start = "{\"status\":\"unhealthy\",\"message\":\"Worker was unable to handle this request and may \
                 be unable to handle other requests. The worker is currently ensuring membership in the \
                 cluster, which began at ";
    assert!(health.body.starts_with(start), "{}", health.body);
    assert_eq!(rig.get("/connectors").await.status, 200);
}

#[tokio::test]
async fn malformed_bodies_are_500_with_the_error_shape() {
    let rig = Rig::distributed().await;
    for body in ["{", "[]", "nope", r#"{"name":"a"}"#, r#"{"name":"a","config":{"k":{}}}"#, r#"{"zzz":1}"#] {
        let reply = rig.with_json("POST", "/connectors", body).await;
        assert_eq!(reply.status, 500, "{body}: {}", reply.body);
        assert_eq!(reply.json()["error_code"], 500);
        assert!(reply.body.starts_with(r#"{"error_code":500,"message":""#), "{}", reply.body);
    }
    let none = rig.send("PUT", "/connectors/a/config", "", "").await;
    assert_eq!(none.status, 500);
}

#[tokio::test]
async fn huge_and_slow_requests_end() {
    let rig = Rig::distributed().await;
    let huge = rig
        .exchange(
            b"POST /connectors HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\n\
              Content-Length: 99999999\r\n\
              Connection: close\r\n\r\n{}",
        )
        .await;
    assert_eq!(huge.status, 413, "{huge:?}");
    let slow_body = rig
        .exchange(
            b"POST /connectors HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\n\
              Content-Length: 100\r\n\
              Connection: close\r\n\r\n{\"name\":",
        )
        .await;
    assert_eq!(slow_body.status, 408, "{slow_body:?}");
    let slow_head = rig.exchange(b"GET /connectors HTTP/1.1\r\nHost:").await;
    assert!([0, 408].contains(&slow_head.status), "{slow_head:?}");
    let junk = rig.exchange(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await;
    assert!([0, 400].contains(&junk.status), "{junk:?}");
    assert_eq!(rig.get("/connectors").await.status, 200, "the server goes on");
}

#[tokio::test]
async fn chunked_bodies_are_read() {
    let rig = Rig::distributed().await;
    let reply = rig
        .exchange(
            b"PUT /connectors/a/config HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\n\
              Connection: close\r\n\
              Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5\r\n\":1}\n\r\n0\r\n\r\n",
        )
        .await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert_eq!(reply.json()["message"], "Connector config {name=a, a=1} contains no connector type");
}

#[tokio::test]
async fn what_waits_for_a_role_ends_at_the_limit_and_reads_never_wait() {
    let rig = Rig::limited(WorkerMode::Distributed, &[], Duration::from_millis(50)).await;
    rig.role.send_replace(Role::Undecided);
    rig.open();
    for path in ["/", "/connectors", "/connectors?expand=status"] {
        assert_eq!(rig.get(path).await.status, 200, "{path}");
    }
    for (method, path) in [("DELETE", "/connectors/a"), ("PUT", "/connectors/a/stop")] {
        let reply = rig.send(method, path, "", "").await;
        assert_eq!(reply.status, 500, "{method} {path}");
        assert!(reply.body.contains("Request timed out"), "{}", reply.body);
    }
    assert_eq!(rig.send("PUT", "/connectors/a/pause", "", "").await.status, 404);
}
