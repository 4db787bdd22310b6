//! Offsets over REST: the same requests to Java Connect and to our worker, and what they do to the consumer
//! group.

use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

use crate::differential::{Seen, both, compare, seen};

const JSON_TYPE: (&str, &str) = ("content-type", "application/json");
const PATIENCE: Duration = Duration::from_secs(60);

/// Bodies that no connector is asked about.
const MALFORMED: [&str; 27] = [
    "",
    "null",
    "{}",
    "[]",
    "\"x\"",
    "true",
    "5",
    "1.5",
    "{\"offsets\":[]}",
    "{\"offsets\":null}",
    "{\"offsets\":{}}",
    "{\"offsets\":\"s\"}",
    "{\"offsets\":[null]}",
    "{\"offsets\":[1]}",
    "{\"offsets\":[[]]}",
    "{\"offsets\":[\"s\"]}",
    "{\"x\":1}",
    "{\"x\":1,\"offsets\":[{}]}",
    "{\"offsets\":[{}],\"x\":1}",
    "{\"offsets\":[{\"x\":1}]}",
    "{\"offsets\":[{\"partition\":{},\"x\":1,\"offset\":{}}]}",
    "{\"offsets\":[{\"partition\":1}]}",
    "{\"offsets\":[{\"partition\":\"\"}]}",
    "{\"offsets\":[{\"partition\":\"s\"}]}",
    "{\"offsets\":[{\"partition\":{\"a\":nul}}]}",
    "{\"offsets\":[{\"partition\":{\"a\":{\"b\":nul}}}]}",
    "{\"offsets\":[]} x",
];

/// Offsets of a sink connector, as partition and offset; `T` stands for the topic.
const SINK_ITEMS: [(&str, &str); 23] = [
    ("null", "null"),
    ("{}", "null"),
    (r#"{"kafka_topic":"T"}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":null}"#, "null"),
    (r#"{"kafka_topic":null,"kafka_partition":1}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":"x"}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":" 1"}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":1.5}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":1e2}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":[1,"a",{"x":null}]}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":1}"#, "{}"),
    (r#"{"kafka_topic":"T","kafka_partition":1}"#, r#"{"kafka_offset":null}"#),
    (r#"{"kafka_topic":"T","kafka_partition":1}"#, r#"{"kafka_offset":"x"}"#),
    (r#"{"kafka_topic":"T","kafka_partition":1}"#, r#"{"kafka_offset":-1}"#),
    (r#"{"kafka_topic":"T","kafka_partition":-1}"#, r#"{"kafka_offset":1}"#),
    (r#"{"kafka_topic":"T","kafka_partition":0}"#, r#"{"kafka_offset":99999999999999999999}"#),
    (r#"{"kafka_topic":5,"kafka_partition":0}"#, r#"{"kafka_offset":1}"#),
    (r#"{"kafka_topic":"","kafka_partition":0}"#, r#"{"kafka_offset":1}"#),
    (r#"{"kafka_topic":"absent","kafka_partition":0}"#, r#"{"kafka_offset":1}"#),
    (r#"{"kafka_topic":"absent","kafka_partition":0}"#, "null"),
    (r#"{"kafka_topic":"T","kafka_partition":9}"#, r#"{"kafka_offset":1}"#),
    (r#"{"kafka_topic":"T","kafka_partition":"+1"}"#, r#"{"kafka_offset":"7"}"#),
    (r#"{"kafka_topic":"T","kafka_partition":0,"x":1}"#, r#"{"kafka_offset":1,"y":[1]}"#),
];

#[test]
fn offset_requests_are_answered_as_java_answers_them() {
    let (java, scenario) = both(&[]);
    let topic = KafkaBroker::shared().create_topic("offsets", 2).expect("the broker creates topics");
    let mut problems = Vec::new();
    let workers = [&java.rest, &scenario.worker.rest];
    let names = ["java", "ours"].map(lakeward_testkit::unique);
    let mut ask = |what: &str, request: &dyn Fn(&RestClient, &str) -> Seen| {
        let [theirs, ours] = [0, 1].map(|worker| {
            let (status, kind, text) = request(workers[worker], &names[worker]);
            (status, kind, text.replace(&names[worker], "<name>"))
        });
        compare(what, &theirs, &ours, &mut problems);
    };
    let alter = |rest: &RestClient, name: &str, body: &str| {
        seen(rest.send("PATCH", &format!("/connectors/{name}/offsets"), &[JSON_TYPE], Some(body)))
    };
    let send = |rest: &RestClient, method: &str, name: &str| {
        seen(rest.send(method, &format!("/connectors/{name}/offsets"), &[], None))
    };
    for method in ["GET", "DELETE", "POST"] {
        ask(&format!("{method} absent"), &|rest, name| send(rest, method, name));
    }
    let some = r#"{"offsets":[{"partition":{"kafka_topic":"T","kafka_partition":0},"offset":null}]}"#;
    ask("PATCH absent", &|rest, name| alter(rest, name, some));
    for (rest, name) in workers.iter().zip(&names) {
        start_sink(rest, name, &topic);
    }
    ask("DELETE running", &|rest, name| send(rest, "DELETE", name));
    ask("PATCH running", &|rest, name| alter(rest, name, some));
    for (rest, name) in workers.iter().zip(&names) {
        stop(rest, name);
    }
    for body in MALFORMED {
        ask(body, &|rest, name| alter(rest, name, body));
    }
    for (partition, offset) in SINK_ITEMS {
        let item = format!(r#"{{"offsets":[{{"partition":{partition},"offset":{offset}}}]}}"#);
        let item = item.replace("\"T\"", &json!(topic).to_string());
        ask(&item, &|rest, name| alter(rest, name, &item));
    }
    for method in ["GET", "DELETE", "DELETE", "GET"] {
        ask(&format!("{method} at the end"), &|rest, name| sorted(send(rest, method, name)));
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn altered_offsets_are_what_the_group_goes_on_from() {
    let scenario = lakeward_conformance::scenario::Scenario::start(2);
    let rest = &scenario.worker.rest;
    let (name, topic) = (scenario.connector.as_str(), scenario.topic.as_str());
    start_sink(rest, name, topic);
    stop(rest, name);
    let path = format!("/connectors/{name}/offsets");
    let item = |partition: i32, offset: Value| {
        let partition = json!({"kafka_topic": topic, "kafka_partition": partition});
        json!({"partition": partition, "offset": offset})
    };
    let offsets =
        json!({"offsets": [item(0, json!({"kafka_offset": 3})), item(1, json!({"kafka_offset": 4}))]});
    rest.patch(&path, &offsets).unwrap().expect_status(200);
    let group = format!("connect-{name}");
    let committed = |partition| scenario.broker.committed_offset(&group, topic, partition).unwrap();
    assert_eq!((committed(0), committed(1)), (Some(3), Some(4)));
    rest.patch(&path, &json!({"offsets": [item(0, Value::Null)]})).unwrap().expect_status(200);
    assert_eq!((committed(0), committed(1)), (None, Some(4)));
    rest.delete(&path).unwrap().expect_status(200);
    assert_eq!(committed(1), None);
}

fn start_sink(rest: &RestClient, name: &str, topic: &str) {
    let file = std::env::temp_dir().join(format!("{name}.txt"));
    let config = json!({
        "connector.class": "FileStreamSink", "file": file, "topics": topic, "tasks.max": "1",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    rest.post("/connectors", &json!({"name": name, "config": config}))
        .expect("the worker answers")
        .expect_status(201);
    wait_for(&format!("{name} runs"), PATIENCE, || {
        let status = rest.get(&format!("/connectors/{name}/status")).map_err(|err| format!("{err:#}"))?;
        if status.text.matches("RUNNING").count() == 2 { Ok(()) } else { Err(status.text) }
    });
}

/// Stops the connector and waits until its group is empty: then a reset is accepted.
fn stop(rest: &RestClient, name: &str) {
    rest.put_empty(&format!("/connectors/{name}/stop")).expect("the worker answers").expect_status(204);
    wait_for(&format!("{name} left its group"), PATIENCE, || {
        let reset = rest.delete(&format!("/connectors/{name}/offsets")).map_err(|err| format!("{err:#}"))?;
        if reset.status == 200 { Ok(()) } else { Err(reset.text) }
    });
}

/// Java lists partitions in no order.
fn sorted((status, kind, text): Seen) -> Seen {
    let mut answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if let Some(offsets) = answer["offsets"].as_array_mut() {
        offsets.sort_by_key(Value::to_string);
        return (status, kind, answer.to_string());
    }
    (status, kind, text)
}
