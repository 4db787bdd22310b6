//! A cluster of 1,000 connectors with 10,000 tasks on one worker: what it may cost in memory, and that
//! answers are complete and right while many ask. Times are the bench's (`cargo xtask bench rest --gate`).
//!
//! Marks: an idle worker stays below 40 MB, this cluster below 300 MB, resident, loads and lists included.
//! The second holds for every build. A build without optimisation has several times the code, so the first
//! is held there against what the worker allocated, with the code of an optimised build added. What stays
//! allocated when nobody asks any more has a mark of its own, 2 KB per task above what is needed.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::install;
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, distributed_properties, property};
use serde_json::{Value, json};

const CONNECTORS: usize = 1000;
const TASKS: usize = 10;
/// Clients at a time, and how often each asks for everything.
const CLIENTS: usize = 4;
const ROUNDS: usize = 6;

const IDLE_BYTES_MAX: u64 = 40_000_000;
const CONFIGURED_BYTES_MAX: u64 = 300_000_000;
/// Allocated when nobody asks any more, for the cluster and the worker itself.
const HELD_BYTES_MAX: u64 = 135_000_000;
/// What an optimised build has mapped of its own file and of system libraries.
const CODE_BYTES: u64 = 25_000_000;

/// Ten thousand tasks start; a build without optimisation takes its time.
const PATIENCE: Duration = Duration::from_secs(180);

fn name(connector: usize) -> String {
    format!("large-{connector:04}")
}

/// Alternately sinks with many settings and sources with few.
fn config(connector: usize, note: &str) -> Value {
    let mut config = json!({ "name": name(connector), "tasks.max": TASKS.to_string() });
    let own = if connector.is_multiple_of(2) {
        json!({
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "topics": format!("topic-{connector}"),
            "s3.bucket.name": "lake",
            "store.url": "http://127.0.0.1:9",
            "aws.access.key.id": "key",
            "aws.secret.access.key": "secret",
            "s3.region": "us-east-1",
            "storage.class": "io.confluent.connect.s3.storage.S3Storage",
            "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
            "partitioner.class": "io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
            "partition.duration.ms": "3600000",
            "path.format": "'year'=YYYY/'month'=MM/'day'=dd",
            "locale": "en-US",
            "timezone": "UTC",
            "flush.size": "1000",
        })
    } else {
        json!({
            "connector.class": "org.apache.kafka.connect.tools.VerifiableSourceConnector",
            "topic": "numbers",
            "throughput": "1",
        })
    };
    for (key, value) in own.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config["errors.log.enable"] = json!(note);
    config
}

/// The config topic as a worker writes it: everything is paused, as clients of running tasks are the broker's
/// cost.
fn config_topic() -> Vec<Record> {
    let record = |key: String, value: Value| Record { key: Some(key.into_bytes()), ..Record::json(&value) };
    let of = |connector: usize| {
        let (name, config) = (name(connector), config(connector, "false"));
        let mut task = config.clone();
        let class = config["connector.class"].as_str().unwrap_or_default();
        task["task.class"] = json!(class.replace("Connector", "Task"));
        let mut all = vec![
            record(format!("target-state-{name}"), json!({ "state": "PAUSED", "state.v2": "PAUSED" })),
            record(format!("connector-{name}"), json!({ "properties": config })),
        ];
        for number in 0..TASKS {
            task["id"] = json!(number.to_string());
            all.push(record(format!("task-{name}-{number}"), json!({ "properties": task })));
        }
        all.push(record(format!("commit-{name}"), json!({ "tasks": TASKS })));
        all
    };
    (0..CONNECTORS).flat_map(of).collect()
}

/// Resident memory that belongs to no file: heap and stacks, without what relocation writes into the binary.
fn allocated_bytes(worker: &LakewardWorker) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{}/smaps", worker.id())).expect("the worker runs");
    let mut is_file = false;
    let mut kibibytes = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if !first.ends_with(':') {
            is_file = words.last().is_some_and(|path| path.starts_with('/'));
        } else if first == "Rss:" && !is_file {
            kibibytes += words.next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    kibibytes * 1024
}

fn check_idle(worker: &LakewardWorker) {
    let binary = install::worker().expect("it was started");
    let is_optimised = !binary.components().any(|part| part.as_os_str() == "debug");
    let bytes = if is_optimised {
        worker.peak_memory_bytes().expect("the worker runs")
    } else {
        allocated_bytes(worker) + CODE_BYTES
    };
    assert!(bytes < IDLE_BYTES_MAX, "an idle worker holds {bytes} bytes");
}

/// `GET` of JSON that must succeed.
fn get(rest: &RestClient, path: &str) -> Value {
    rest.get(path).expect("the worker answers").expect_status(200).json()
}

/// Everything about all connectors, in one answer: nothing is missing, nothing is old.
fn check_list(rest: &RestClient) {
    let all = get(rest, "/connectors?expand=info&expand=status");
    let all = all.as_object().expect("a list is an object");
    assert_eq!(all.keys().cloned().collect::<Vec<_>>(), (0..CONNECTORS).map(name).collect::<Vec<_>>());
    for (connector, (name, parts)) in all.iter().enumerate() {
        let (info, status) = (&parts["info"], &parts["status"]);
        // What clients change meanwhile is theirs to check.
        let note = info["config"]["errors.log.enable"].as_str().expect("every configuration has it");
        assert_eq!(info["config"], config(connector, note));
        assert_eq!((&info["name"], &status["name"]), (&json!(name), &json!(name)));
        let ids = |tasks: &Value, member: &str| -> Vec<Value> {
            tasks.as_array().into_iter().flatten().map(|task| task[member].clone()).collect()
        };
        let expected: Vec<Value> = (0..TASKS).map(|task| json!(task)).collect();
        assert_eq!(ids(&info["tasks"], "task"), expected, "{name}");
        assert_eq!(ids(&status["tasks"], "id"), expected, "{name}");
    }
}

/// A client's changes show at once, wherever they show. `own` is changed by this client alone.
fn change(rest: &RestClient, own: usize, note: &str) {
    let (name, changed) = (name(own), config(own, note));
    let path = format!("/connectors/{name}/config");
    let answer = rest.put(&path, &changed).expect("the worker answers").expect_status(200).json();
    assert_eq!(answer["config"], changed);
    assert_eq!(get(rest, &path), changed);
    assert_eq!(get(rest, &format!("/connectors/{name}"))["config"], changed);
    assert_eq!(get(rest, "/connectors?expand=info")[&name]["info"]["config"], changed);
    assert_eq!(get(rest, &format!("/connectors/{name}/tasks")).as_array().map_or(0, Vec::len), TASKS);
}

fn ask(rest: &RestClient, client: usize) {
    for round in 0..ROUNDS {
        assert_eq!(get(rest, "/connectors").as_array().map_or(0, Vec::len), CONNECTORS);
        change(rest, client + CLIENTS * round, "true");
        check_list(rest);
    }
}

/// A page of metrics shows every task, and ends.
fn check_metrics(rest: &RestClient) {
    let page = rest.get("/metrics").expect("the worker answers").expect_status(200).text;
    let statuses = page.lines().filter(|line| line.starts_with("kafka_connect_connector_task_status{"));
    let mut tasks = BTreeMap::new();
    for line in statuses {
        let connector = line.split('"').nth(1).unwrap_or_default();
        *tasks.entry(connector.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(tasks, (0..CONNECTORS).map(|connector| (name(connector), TASKS)).collect());
    assert!(page.ends_with("lakeward_metrics_left_out 0\n"));
}

#[test]
fn ten_thousand_tasks_fit_into_300_megabytes_and_nothing_into_40() {
    let broker = KafkaBroker::shared();
    let properties = distributed_properties(broker);
    // The first worker makes the topics.
    let mut worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
    wait_for("the end of the rebalance", PATIENCE, || {
        let page = worker.rest.get("/metrics?style=rules").map_err(|err| format!("{err:#}"))?.text;
        let is_over = page.lines().any(|line| line == "kafka_connect_worker_rebalance_rebalancing 0");
        if is_over { Ok(()) } else { Err(page) }
    });
    check_idle(&worker);
    worker.terminate().expect("the worker ends");
    let topic = property(&properties, "config.storage.topic");
    records::produce(broker, topic, &config_topic()).expect("the broker takes records");
    worker.restart().expect("the worker starts");
    wait_for("statuses of all tasks", PATIENCE, || {
        let answer = worker.rest.get("/connectors?expand=status").map_err(|err| format!("{err:#}"))?;
        let paused = answer.text.matches("\"state\":\"PAUSED\"").count();
        if paused == CONNECTORS * (TASKS + 1) { Ok(()) } else { Err(format!("{paused} are paused")) }
    });
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let rest = &worker.rest;
            scope.spawn(move || ask(rest, client));
        }
    });
    // A page has more than 50 MB, and none of them may stay.
    for _ in 0..8 {
        check_metrics(&worker.rest);
    }
    check_list(&worker.rest);
    let held_bytes = allocated_bytes(&worker);
    assert!(held_bytes < HELD_BYTES_MAX, "the cluster holds {held_bytes} bytes");
    let peak_bytes = worker.peak_memory_bytes().expect("the worker runs");
    assert!(peak_bytes < CONFIGURED_BYTES_MAX, "the cluster needs {peak_bytes} bytes");
    assert!(worker.terminate().expect("the worker ends").success());
}
