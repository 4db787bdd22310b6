//! Creating, changing and reading connectors.

use serde_json::json;

use super::rig::Rig;

const VALID: &str = r#"{"connector.class":"ProbeSink","tasks.max":2,"topics":"t","flush.size":"3"}"#;

#[tokio::test]
async fn a_created_connector_is_echoed_in_request_order() {
    let rig = Rig::distributed().await;
    let reply =
        rig.with_json("POST", "/connectors", &format!(r#"{{"name":" a b ","config":{VALID}}}"#)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(
        reply.body,
        "{\"name\":\"a b\",\"config\":{\"connector.class\":\"ProbeSink\",\"tasks.max\":\"2\",\
         \"topics\":\"t\",\
         \"flush.size\":\"3\",\"name\":\"a b\"},\"tasks\":[],\"type\":\"sink\"}"
    );
    assert_eq!(reply.header("location"), Some("http://w:8083/connectors/a%20b"));
    assert_eq!(rig.get("/connectors").await.body, r#"["a b"]"#);
}

#[tokio::test]
async fn taken_names_and_other_names_are_refused() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    let again = rig.with_json("POST", "/connectors", &format!(r#"{{"name":"a","config":{VALID}}}"#)).await;
    assert_eq!(again.body, r#"{"error_code":409,"message":"Connector a already exists"}"#);
    let other = rig.with_json("PUT", "/connectors/a/config", r#"{"name":"b"}"#).await;
    assert_eq!(
        other.body,
        "{\"error_code\":400,\"message\":\"Connector name configuration (b) doesn't match connector name in \
         the URL (a)\"}"
    );
}

#[tokio::test]
async fn validation_errors_come_with_javas_frame() {
    let rig = Rig::distributed().await;
    let body = r#"{"connector.class":"ProbeSink","tasks.max":"0"}"#;
    let reply = rig.with_json("PUT", "/connectors/a/config", body).await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json()["message"],
        "Connector configuration is invalid and contains the following 5 error(s):\n\
         Invalid value 0 for configuration tasks.max: Value must be at least 1\n\
         Must configure one of topics or topics.regex\n\
         Must configure one of topics or topics.regex\n\
         Missing required configuration \"flush.size\" which has no default value.\n\
         Invalid value null for configuration flush.size: Value must be non-null\n\
         You can also find the above list of errors at the endpoint \
         `/connector-plugins/{connectorType}/config/validate`"
    );
}

#[tokio::test]
async fn unknown_classes_are_refused_with_what_there_is() {
    let rig = Rig::distributed().await;
    let reply = rig.with_json("PUT", "/connectors/a/config", r#"{"connector.class":"Nope"}"#).await;
    assert_eq!(reply.status, 400);
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(
        message.starts_with("Failed to find any class that implements Connector and which name matches Nope")
    );
    assert!(message.contains("com.example.ProbeSinkConnector"), "{message}");
}

#[tokio::test]
async fn what_is_not_supported_is_refused_and_null_values_too() {
    let rig = Rig::distributed().await;
    for extra in [
        r#""transforms":"x","transforms.x.type":"y""#,
        r#""k":null"#,
        r#""key.converter":"Nope""#,
        r#""consumer.override.group.id":"g""#,
    ] {
        let body = format!("{},{extra}}}", VALID.trim_end_matches('}'));
        let reply = rig.with_json("PUT", "/connectors/a/config", &body).await;
        assert_eq!(reply.status, 400, "{extra}");
        assert!(reply.body.contains("contains the following 1 error(s)"), "{extra}: {}", reply.body);
    }
    assert_eq!(rig.get("/connectors").await.body, "[]");
}

#[tokio::test]
async fn put_creates_then_updates_and_patch_merges() {
    let rig = Rig::distributed().await;
    assert_eq!(rig.with_json("PUT", "/connectors/a/config", VALID).await.status, 201);
    rig.wait_for("/connectors/a/tasks", |reply| reply.json().as_array().unwrap().len() == 2).await;
    let updated = rig.with_json("PUT", "/connectors/a/config", VALID).await;
    assert_eq!(updated.status, 200);
    assert_eq!(updated.json()["tasks"], json!([{"connector":"a","task":0},{"connector":"a","task":1}]));
    assert_eq!(updated.header("location"), None);
    let patched =
        rig.with_json("PATCH", "/connectors/a/config", r#"{"tasks.max":null,"flush.size":9}"#).await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    assert_eq!(
        rig.get("/connectors/a/config").await.json(),
        json!({"connector.class":"ProbeSink","topics":"t","flush.size":"9","name":"a"})
    );
    rig.wait_for("/connectors/a/status", |reply| reply.json()["tasks"].as_array().unwrap().len() == 1).await;
    assert_eq!(rig.with_json("PATCH", "/connectors/zz/config", "{}").await.status, 404);
    assert_eq!(rig.with_json("PATCH", "/connectors/a/config", r#"{"flush.size":"0"}"#).await.status, 400);
}

#[tokio::test]
async fn reads_have_javas_shapes() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    assert_eq!(
        rig.get("/connectors/a/status").await.body,
        "{\"name\":\"a\",\"connector\":{\"state\":\"RUNNING\",\"worker_id\":\"w:8083\",\
         \"version\":\"1.2.0\"},\
         \"tasks\":[{\"id\":0,\"state\":\"RUNNING\",\"worker_id\":\"w:8083\",\"version\":\"1.2.0\"},\
         {\"id\":1,\"state\":\"RUNNING\",\"worker_id\":\"w:8083\",\"version\":\"1.2.0\"}],\"type\":\"sink\"}"
    );
    assert_eq!(
        rig.get("/connectors/a/tasks/1/status").await.body,
        r#"{"id":1,"state":"RUNNING","worker_id":"w:8083","version":"1.2.0"}"#
    );
    assert_eq!(
        rig.get("/connectors/a/tasks").await.json()[1],
        json!({"id":{"connector":"a","task":1},
               "config":{"flush.size":"3","task.class":"com.example.ProbeSinkTask","topics":"t"}})
    );
    let expanded = rig.get("/connectors?expand=status&expand=info&expand=x").await.json();
    assert_eq!(expanded["a"]["info"]["type"], "sink");
    assert_eq!(expanded["a"]["status"]["connector"]["state"], "RUNNING");
    assert_eq!(rig.get("/connectors?expand").await.body, r#"{"a":{}}"#);
    assert_eq!(rig.get("/connectors/a").await.json()["tasks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn missing_things_are_named() {
    let rig = Rig::distributed().await;
    rig.create("a").await;
    for (method, path, message) in [
        ("GET", "/connectors/x", "Connector x not found"),
        ("GET", "/connectors/x/config", "Connector x not found"),
        ("GET", "/connectors/x/tasks", "Connector x not found"),
        ("DELETE", "/connectors/x", "Connector x not found"),
        ("GET", "/connectors/x/status", "No status found for connector x"),
        ("GET", "/connectors/a/tasks/9/status", "No status found for task a-9"),
        ("PUT", "/connectors/x/pause", "Unknown connector x"),
        ("PUT", "/connectors/x/resume", "Unknown connector x"),
        ("PUT", "/connectors/x/stop", "Unknown connector x"),
        ("POST", "/connectors/x/restart", "Unknown connector: x"),
        ("POST", "/connectors/x/restart?includeTasks=true", "Unknown connector: x"),
        ("POST", "/connectors/x/tasks/0/restart", "Unknown connector: x"),
        ("POST", "/connectors/a/tasks/9/restart", "Unknown task: a-9"),
    ] {
        let reply = rig.send(method, path, "", "").await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert_eq!(reply.json(), json!({"error_code":404,"message":message}), "{method} {path}");
    }
}
