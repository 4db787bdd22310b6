//! REST answers: status, body and headers of every path that clients rely on, as tables.
//!
//! Source: recorded from Apache Kafka Connect 4.1.0.

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::rest::RestClient;
use serde_json::{Value, json};

/// A request without a body and the answer's status and error message.
const REFUSALS: [(&str, &str, u16, &str); 15] = [
    ("GET", "/nothing/here", 404, "HTTP 404 Not Found"),
    ("PATCH", "/connectors", 405, "HTTP 405 Method Not Allowed"),
    ("GET", "/connectors/absent", 404, "Connector absent not found"),
    ("GET", "/connectors/absent/config", 404, "Connector absent not found"),
    ("GET", "/connectors/absent/tasks", 404, "Connector absent not found"),
    ("GET", "/connectors/absent/status", 404, "No status found for connector absent"),
    ("GET", "/connectors/absent/tasks/0/status", 404, "No status found for task absent-0"),
    ("DELETE", "/connectors/absent", 404, "Connector absent not found"),
    ("PUT", "/connectors/absent/pause", 404, "Unknown connector absent"),
    ("PUT", "/connectors/absent/resume", 404, "Unknown connector absent"),
    ("PUT", "/connectors/absent/stop", 404, "Unknown connector absent"),
    ("POST", "/connectors/absent/restart", 404, "Unknown connector: absent"),
    ("POST", "/connectors/absent/tasks/0/restart", 404, "Unknown connector: absent"),
    ("GET", "/connectors/absent/tasks-config", 404, "HTTP 404 Not Found"),
    ("GET", "/connector-plugins/Nope/config", 404, "Unknown plugin Nope."),
];

/// A request to `/connectors` that is refused before anything looks at connectors.
struct Malformed {
    method: &'static str,
    header: (&'static str, &'static str),
    body: Option<&'static str>,
    status: u16,
}

const JSON_TYPE: (&str, &str) = ("content-type", "application/json");

const MALFORMED: [Malformed; 5] = [
    Malformed { method: "POST", header: ("content-type", "text/plain"), body: Some("{}"), status: 415 },
    Malformed { method: "POST", header: JSON_TYPE, body: Some("{not json"), status: 500 },
    Malformed { method: "POST", header: JSON_TYPE, body: Some(r#"{"name":"a"}"#), status: 500 },
    Malformed {
        method: "POST",
        header: JSON_TYPE,
        body: Some(r#"{"name":"a","config":{},"more":1}"#),
        status: 500,
    },
    Malformed { method: "GET", header: ("accept", "text/html"), body: None, status: 406 },
];

/// The worker behind `rest`, ours or Java's, refuses what the tables say, in their words.
pub(crate) fn assert_refusals(rest: &RestClient) {
    for (method, path, status, message) in REFUSALS {
        let answer = rest.send(method, path, &[], None).expect("the worker answers");
        let expected = json!({"error_code": status, "message": message});
        assert_eq!((answer.status, answer.json()), (status, expected), "{method} {path}: {}", answer.text);
    }
    for Malformed { method, header, body, status } in MALFORMED {
        let answer = rest.send(method, "/connectors", &[header], body).expect("the worker answers");
        assert_eq!(answer.status, status, "{method} {header:?} {body:?}: {}", answer.text);
        assert_eq!(answer.json()["error_code"], status, "{method} {header:?} {body:?}: {}", answer.text);
    }
}

#[test]
fn refusals_have_kafka_connects_codes_and_words() {
    let scenario = Scenario::start(1);
    assert_refusals(&scenario.worker.rest);
}

#[test]
fn the_root_names_version_and_cluster() {
    let scenario = Scenario::start(1);
    let rest = &scenario.worker.rest;
    let answer = rest.get("/").unwrap().expect_status(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let root = answer.json();
    let members: Vec<&String> = root.as_object().unwrap().keys().collect();
    assert_eq!(members, ["version", "commit", "kafka_cluster_id"]);
    assert!(root["kafka_cluster_id"].is_string(), "{root}");
    let health = rest.get("/health").unwrap().expect_status(200).json();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["message"], "Worker has completed startup and is ready to handle requests.");
}

#[test]
fn a_connector_is_shown_with_its_config_tasks_and_type() {
    let scenario = Scenario::start(1);
    let rest = &scenario.worker.rest;
    let name = &scenario.connector;
    let body = json!({"name": name, "config": scenario.config(5).json()});
    let answer = rest.post("/connectors", &body).unwrap().expect_status(201);
    let location = format!("http://{}/connectors/{name}", rest.authority());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let created = answer.json();
    assert_eq!(
        (&created["name"], &created["tasks"], &created["type"]),
        (&json!(name), &json!([]), &json!("sink"))
    );
    assert_eq!(created["config"]["name"], json!(name));
    assert_eq!(created["config"]["flush.size"], "5");

    let status = scenario.worker.wait_for_state(name, "RUNNING", 1);
    let worker_id = json!(rest.authority());
    assert_eq!(status["name"], json!(name));
    assert_eq!(status["connector"]["worker_id"], worker_id);
    assert_eq!(status["tasks"][0]["id"], 0);
    assert_eq!(status["tasks"][0]["worker_id"], worker_id);
    assert!(status["tasks"][0].get("trace").is_none(), "a trace without a failure: {status}");

    let info = rest.get(&format!("/connectors/{name}")).unwrap().expect_status(200).json();
    assert_eq!(info["tasks"], json!([{"connector": name, "task": 0}]));
    let tasks = rest.get(&format!("/connectors/{name}/tasks")).unwrap().expect_status(200).json();
    assert_eq!(tasks[0]["id"], json!({"connector": name, "task": 0}));
    assert!(tasks[0]["config"]["task.class"].is_string(), "{tasks}");
    assert_eq!(rest.get("/connectors").unwrap().json(), json!([name]));
    let expanded = rest.get("/connectors?expand=status&expand=info").unwrap().expect_status(200).json();
    assert_eq!(expanded[name]["info"]["name"], json!(name));
    assert_eq!(expanded[name]["status"]["type"], "sink");

    let again = rest.post("/connectors", &body).unwrap().expect_status(409);
    assert_eq!(again.message(), format!("Connector {name} already exists"));
}

#[test]
fn names_must_agree_and_classes_must_exist() {
    let scenario = Scenario::start(1);
    let rest = &scenario.worker.rest;
    let config = scenario.config(1);
    let named = json!({"name": "one", "config": config.clone().with(&[("name", "two")]).json()});
    let answer = rest.post("/connectors", &named).unwrap().expect_status(400);
    assert_eq!(
        answer.message(),
        "Connector name configuration (two) doesn't match connector name in the URL (one)"
    );
    let classless = json!({"name": "one", "config": config.clone().without("connector.class").json()});
    let answer = rest.post("/connectors", &classless).unwrap().expect_status(400);
    assert!(answer.message().ends_with("contains no connector type"), "{}", answer.text);
    let unknown = json!({"name": "one", "config": config.with(&[("connector.class", "no.Such")]).json()});
    let answer = rest.post("/connectors", &unknown).unwrap().expect_status(400);
    assert!(answer.message().contains("no.Such"), "{}", answer.text);
}

#[test]
fn plugins_are_listed_described_and_validated() {
    let scenario = Scenario::start(1);
    let rest = &scenario.worker.rest;
    let plugins = rest.get("/connector-plugins").unwrap().expect_status(200).json();
    let sink = plugins.as_array().unwrap().iter().find(|plugin| plugin["class"] == config_class());
    assert_eq!(sink.expect("the S3 sink is listed")["type"], "sink");
    let keys = rest.get("/connector-plugins/S3Sink/config").unwrap().expect_status(200).json();
    let bucket = keys.as_array().unwrap().iter().find(|key| key["name"] == "s3.bucket.name").unwrap();
    assert_eq!((&bucket["type"], &bucket["required"]), (&json!("STRING"), &json!(true)));

    let config = scenario.config(1).with(&[("flush.size", "many"), ("name", "x")]).json();
    let path = "/connector-plugins/S3SinkConnector/config/validate";
    let report = rest.put(path, &config).unwrap().expect_status(200).json();
    assert_eq!((&report["name"], &report["error_count"]), (&config_class(), &json!(1)));
    let entries = report["configs"].as_array().unwrap();
    let entry = |name: &str| -> &Value {
        entries.iter().find(|entry| entry["value"]["name"] == name).expect("every key has an entry")
    };
    assert_eq!(
        entry("flush.size")["value"]["errors"],
        json!(["Invalid value many for configuration flush.size: Not a number of type INT"])
    );
    assert_eq!(entry("aws.secret.access.key")["value"]["value"], "[hidden]");
}

fn config_class() -> Value {
    json!(lakeward_conformance::sink_config::S3_SINK)
}
