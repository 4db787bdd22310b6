//! Log levels over REST: the same requests to Java Connect and to our worker, and what they do to our log.

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::LakewardWorker;
use serde_json::{Value, json};

use crate::differential::{Seen, both, compare, seen};

const JSON_TYPE: (&str, &str) = ("content-type", "application/json");

/// Bodies of PUT.
const BODIES: [&str; 13] = [
    "",
    "{}",
    "null",
    "[]",
    r#"{"level":null}"#,
    r#"{"level":"X"}"#,
    r#"{"level":5}"#,
    r#"{"level":{}}"#,
    r#"{"level":""}"#,
    r#"{"level":"debug","x":1}"#,
    "\"x\"",
    "true",
    "{bad",
];

/// Changes in order: path, level.
const CHANGES: [(&str, &str); 9] = [
    ("my.new.logger", "TRACE"),
    ("my.new", "ERROR"),
    ("my.new", "error"),
    ("my", "OFF"),
    ("my?scope=worker", "info"),
    ("my?scope=cluster", "ALL"),
    ("my?scope=bogus", "warn"),
    ("my?scope=cluster", "nope"),
    ("my?scope=cluster", "FATAL"),
];

#[test]
fn log_levels_are_answered_as_java_answers_them() {
    let (java, scenario) = both(&[]);
    let mut problems = Vec::new();
    let mut ask = |what: &str, request: &dyn Fn(&RestClient) -> Seen| {
        let (theirs, ours) = (request(&java.rest), request(&scenario.worker.rest));
        compare(what, &without_time(theirs), &without_time(ours), &mut problems);
    };
    for (method, path) in [
        ("GET", "/admin"),
        ("GET", "/admin/"),
        ("GET", "/admin/loggers/absent"),
        ("GET", "/admin/loggers/org.apache.kafka.connect"),
        ("GET", "/admin/loggers/root"),
        ("GET", "/admin/loggers/Root/"),
        ("GET", "/admin/loggers/org.apache.kafka.connect.runtime.rest.RestServer"),
        ("POST", "/admin/loggers/x"),
        ("OPTIONS", "/admin/loggers"),
        ("OPTIONS", "/admin/loggers/x"),
    ] {
        ask(&format!("{method} {path}"), &|rest| seen(rest.send(method, path, &[], None)));
    }
    let put = |rest: &RestClient, path: &str, body: &str| {
        seen(rest.send("PUT", &format!("/admin/loggers/{path}"), &[JSON_TYPE], Some(body)))
    };
    for body in BODIES {
        ask(body, &|rest| put(rest, "a.b.c", body));
    }
    for (path, level) in CHANGES {
        ask(&format!("{path} {level}"), &|rest| put(rest, path, &json!({ "level": level }).to_string()));
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn a_level_of_the_cluster_changes_the_log_of_every_worker() {
    let scenario = Scenario::start(1);
    let other = LakewardWorker::start_distributed(&scenario.properties).expect("the worker starts");
    let logger = "org.apache.kafka.connect.runtime.rest.RestServer";
    let path = format!("/admin/loggers/{logger}");
    let all = scenario.worker.rest.get("/admin/loggers").unwrap().json();
    assert_eq!(all[logger], json!({"level": "INFO", "last_modified": null}));
    assert!(scenario.worker.log().contains("\"GET /admin/loggers HTTP/1.1\" 200"), "requests are logged");
    let set = scenario.worker.rest.put(&format!("{path}?scope=cluster"), &json!({"level": "off"}));
    set.unwrap().expect_status(204);
    for worker in [&scenario.worker, &other] {
        wait_for("the level arrives", std::time::Duration::from_secs(30), || {
            let level = worker.rest.get(&path).map_err(|err| format!("{err:#}"))?.json()["level"].clone();
            if level == "OFF" { Ok(()) } else { Err(level.to_string()) }
        });
        worker.rest.get("/connectors/never-logged").unwrap().expect_status(404);
        assert!(!worker.log().contains("never-logged"), "{}", worker.log());
    }
}

#[test]
fn admin_listeners_serve_loggers_alone() {
    let folder = RunFolder::new("admin").unwrap();
    let port = folder.free_port().unwrap();
    let listener = format!("http://127.0.0.1:{port}");
    let scenario = Scenario::start_on(
        lakeward_testkit::broker::KafkaBroker::shared(),
        lakeward_testkit::store::Versitygw::shared(),
        1,
        &[("admin.listeners", listener.as_str())],
    );
    let admin = RestClient::new(port);
    assert_eq!(admin.get("/admin/loggers/root").unwrap().json()["level"], "INFO");
    admin.get("/connectors").unwrap().expect_status(404);
    admin.get("/health").unwrap().expect_status(404);
    scenario.worker.rest.get("/admin/loggers/root").unwrap().expect_status(404);
    scenario.worker.rest.get("/connectors").unwrap().expect_status(200);
}

/// The instants of changes differ, and so may the levels that the two logs begin with.
fn without_time((status, kind, text): Seen) -> Seen {
    let Ok(mut answer) = serde_json::from_str::<Value>(&text) else { return (status, kind, text) };
    if answer.get("last_modified").is_some_and(Value::is_number) {
        answer["last_modified"] = json!(0);
        return (status, kind, answer.to_string());
    }
    (status, kind, text)
}
