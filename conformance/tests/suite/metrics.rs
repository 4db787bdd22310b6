//! What Prometheus reads from a live worker: every attribute of Kafka Connect's groups, with values that fit
//! what the worker did.

use std::collections::BTreeMap;

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;

use crate::source_rig::{PATIENCE, SourceRig};

/// Series by name and labels.
struct Page(BTreeMap<String, f64>);

impl Page {
    fn read(rest: &RestClient, path: &str) -> Self {
        let answer = rest.get(path).expect("the worker answers").expect_status(200);
        let kind = answer.header("content-type").unwrap_or_default();
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        let mut series = BTreeMap::new();
        let mut types = BTreeMap::new();
        for line in answer.text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared.split_once(' ').expect("a type has a name");
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} comes twice");
                continue;
            }
            let (name, value) = line.rsplit_once(' ').expect("a series has a value");
            let family = name.split('{').next().unwrap_or(name);
            assert!(types.contains_key(family), "{family} has no type");
            let value = match value {
                "NaN" => f64::NAN,
                "+Inf" => f64::INFINITY,
                value => value.parse().expect("values are numbers"),
            };
            assert!(series.insert(name.to_owned(), value).is_none(), "{name} comes twice");
        }
        Self(series)
    }

    fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("{name} is missing; there are {:#?}", self.0.keys()))
    }

    /// Asserts that each of `attributes` of `group` is there with these labels, in the names of an exporter
    /// without rules.
    fn has_all(&self, group: &str, attributes: &[&str], labels: &str) {
        for attribute in attributes {
            self.value(&jmx(group, attribute, labels));
        }
    }
}

fn jmx(group: &str, attribute: &str, labels: &str) -> String {
    format!("kafka_connect_{}_{}{labels}", group.replace('-', "_"), attribute.replace('-', "_"))
}

const WORKER: [&str; 12] = [
    "connector-count",
    "task-count",
    "connector-startup-attempts-total",
    "connector-startup-success-total",
    "connector-startup-failure-total",
    "connector-startup-success-percentage",
    "connector-startup-failure-percentage",
    "task-startup-attempts-total",
    "task-startup-success-total",
    "task-startup-failure-total",
    "task-startup-success-percentage",
    "task-startup-failure-percentage",
];
const WORKER_CONNECTOR: [&str; 7] = [
    "connector-total-task-count",
    "connector-running-task-count",
    "connector-paused-task-count",
    "connector-failed-task-count",
    "connector-unassigned-task-count",
    "connector-destroyed-task-count",
    "connector-restarting-task-count",
];
const REBALANCE: [&str; 6] = [
    "epoch",
    "completed-rebalances-total",
    "rebalancing",
    "rebalance-max-time-ms",
    "rebalance-avg-time-ms",
    "time-since-last-rebalance-ms",
];
const TASK: [&str; 8] = [
    "running-ratio",
    "pause-ratio",
    "offset-commit-max-time-ms",
    "offset-commit-avg-time-ms",
    "offset-commit-success-percentage",
    "offset-commit-failure-percentage",
    "batch-size-max",
    "batch-size-avg",
];
const SINK: [&str; 15] = [
    "sink-record-read-rate",
    "sink-record-read-total",
    "sink-record-send-rate",
    "sink-record-send-total",
    "sink-record-active-count",
    "sink-record-active-count-max",
    "sink-record-active-count-avg",
    "partition-count",
    "offset-commit-seq-no",
    "offset-commit-completion-rate",
    "offset-commit-completion-total",
    "offset-commit-skip-rate",
    "offset-commit-skip-total",
    "put-batch-max-time-ms",
    "put-batch-avg-time-ms",
];
const SOURCE: [&str; 9] = [
    "source-record-poll-rate",
    "source-record-poll-total",
    "source-record-write-rate",
    "source-record-write-total",
    "poll-batch-max-time-ms",
    "poll-batch-avg-time-ms",
    "source-record-active-count",
    "source-record-active-count-max",
    "source-record-active-count-avg",
];
const ERRORS: [&str; 8] = [
    "total-record-failures",
    "total-record-errors",
    "total-records-skipped",
    "total-retries",
    "total-errors-logged",
    "deadletterqueue-produce-requests",
    "deadletterqueue-produce-failures",
    "last-error-timestamp",
];

/// Waits until `name` has the value `wanted`, and returns the page.
fn wait_for_value(rest: &RestClient, name: &str, wanted: f64) -> Page {
    wait_for(&format!("{name} {wanted}"), PATIENCE, || {
        let page = Page::read(rest, "/metrics");
        let found = page.0.get(name).copied();
        if found == Some(wanted) { Ok(page) } else { Err(format!("{found:?}")) }
    })
}

#[test]
fn a_sink_shows_every_attribute_while_records_flow() {
    let scenario = Scenario::start(1);
    let config = scenario.config(10).with(&[("errors.tolerance", "all"), ("errors.log.enable", "true")]);
    scenario.create(&config);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let values: Vec<_> = (0..30).map(numbered).collect();
    scenario.produce_json(&values);
    scenario.produce(&[Record::of("{broken")]);
    scenario.wait_for_objects(3);
    let rest = &scenario.worker.rest;
    let connector = format!("connector=\"{}\"", scenario.connector);
    let task = format!("{{{connector},task=\"0\"}}");
    wait_for_value(rest, &jmx("sink-task-metrics", "sink-record-read-total", &task), 31.0);
    scenario.wait_for_commit(0, 31);
    let page = wait_for_value(rest, &jmx("sink-task-metrics", "sink-record-active-count", &task), 0.0);

    page.has_all("connect-worker-metrics", &WORKER, "");
    page.has_all("connect-worker-metrics", &WORKER_CONNECTOR, &format!("{{{connector}}}"));
    page.has_all("connect-worker-rebalance-metrics", &REBALANCE, "");
    page.has_all("connector-task-metrics", &TASK, &task);
    page.has_all("sink-task-metrics", &SINK, &task);
    page.has_all("task-error-metrics", &ERRORS, &task);
    check_sink(&page, &connector, &task);
    let text = rest.get("/metrics").unwrap().text;
    assert!(!text.contains(lakeward_testkit::store::SECRET_KEY));
}

fn check_sink(page: &Page, connector: &str, task: &str) {
    let one = |group: &str, attribute: &str, labels: &str| page.value(&jmx(group, attribute, labels));
    for (group, attribute, value) in [
        ("sink-task-metrics", "sink-record-send-total", 30.0),
        ("sink-task-metrics", "partition-count", 1.0),
        ("sink-task-metrics", "offset-commit-skip-total", 0.0),
        ("task-error-metrics", "total-record-failures", 1.0),
        ("task-error-metrics", "total-record-errors", 1.0),
        ("task-error-metrics", "total-records-skipped", 1.0),
        ("task-error-metrics", "total-errors-logged", 1.0),
        ("connector-task-metrics", "offset-commit-failure-percentage", 0.0),
        ("connector-task-metrics", "offset-commit-success-percentage", 1.0),
    ] {
        assert_eq!(one(group, attribute, task), value, "{attribute}");
    }
    for attribute in ["sink-record-read-rate", "sink-record-send-rate", "offset-commit-seq-no"] {
        assert!(one("sink-task-metrics", attribute, task) > 0.0, "{attribute}");
    }
    assert!((1.0..=30.0).contains(&one("connector-task-metrics", "batch-size-max", task)));
    assert!(one("connector-task-metrics", "running-ratio", task) > 0.0);
    assert_eq!(one("connector-task-metrics", "pause-ratio", task), 0.0);
    assert!(one("sink-task-metrics", "put-batch-avg-time-ms", task) >= 0.0);
    assert!(one("task-error-metrics", "last-error-timestamp", task) > 1.6e12);
    for (attribute, value) in
        [("connector-count", 1.0), ("task-count", 1.0), ("connector-startup-success-total", 1.0)]
    {
        assert_eq!(one("connect-worker-metrics", attribute, ""), value, "{attribute}");
    }
    assert_eq!(one("connect-worker-rebalance-metrics", "rebalancing", ""), 0.0);
    assert_eq!(one("connect-worker-rebalance-metrics", "completed-rebalances-total", ""), 1.0);
    // The same in the names of the usual rules.
    let rules = [
        format!("kafka_connect_connector_status{{{connector},status=\"running\"}}"),
        format!(
            "kafka_connect_connector_connector_class{{{connector},\
             connector_class=\"io.confluent.connect.s3.S3SinkConnector\"}}"
        ),
        format!("kafka_connect_connector_connector_type{{{connector},connector_type=\"sink\"}}"),
        format!("kafka_connect_connector_task_status{{{connector},task=\"0\",status=\"running\"}}"),
        format!("kafka_connect_worker_connector_running_task_count{{{connector}}}"),
        "kafka_connect_worker_task_count".to_owned(),
        "kafka_connect_worker_rebalance_connect_protocol{connect_protocol=\"SESSIONED\"}".to_owned(),
    ];
    for name in rules {
        assert_eq!(page.value(&name), 1.0, "{name}");
    }
    assert_eq!(page.value(&format!("kafka_connect_sink_task_sink_record_send_total{task}")), 30.0);
    assert_eq!(page.value(&format!("kafka_connect_task_error_total_record_failures{task}")), 1.0);
}

#[test]
fn a_source_shows_every_attribute_and_its_groups_go_with_it() {
    let mut rig = SourceRig::start(&[("offset.flush.interval.ms", "200"), ("lakeward.metrics.style", "jmx")]);
    rig.create(&[]);
    rig.append(500);
    rig.wait_for_last();
    let rest = &rig.worker.rest;
    let task = format!("{{connector=\"{}\",task=\"0\"}}", rig.connector);
    let name = |group: &str, attribute: &str| jmx(group, attribute, &task);
    wait_for_value(rest, &name("source-task-metrics", "source-record-write-total"), 500.0);
    let page = wait_for_value(rest, &name("source-task-metrics", "source-record-active-count"), 0.0);
    page.has_all("source-task-metrics", &SOURCE, &task);
    page.has_all("connector-task-metrics", &TASK, &task);
    page.has_all("task-error-metrics", &ERRORS, &task);
    assert_eq!(page.value(&name("source-task-metrics", "source-record-poll-total")), 500.0);
    assert!(page.value(&name("source-task-metrics", "source-record-poll-rate")) > 0.0);
    assert_eq!(page.value(&name("connector-task-metrics", "batch-size-max")), 100.0);
    assert!(page.0.keys().all(|name| !name.starts_with("kafka_connect_source_task_source")));

    let path = format!("/connectors/{}/pause", rig.connector);
    rest.put_empty(&path).unwrap().expect_status(202);
    rig.worker.wait_for_state(&rig.connector, "PAUSED", 1);
    let page = Page::read(rest, "/metrics?style=rules");
    let status = format!(
        "kafka_connect_connector_task_status{{connector=\"{}\",task=\"0\",status=\"paused\"}}",
        rig.connector
    );
    assert_eq!(page.value(&status), 1.0);

    rest.delete(&format!("/connectors/{}", rig.connector)).unwrap().expect_status(204);
    let page = wait_for_value(rest, &jmx("connect-worker-metrics", "task-count", ""), 0.0);
    assert!(page.0.keys().all(|name| !name.contains(&rig.connector)), "{:#?}", page.0.keys());
    rest.get("/metrics?style=other").unwrap().expect_status(400);
}

#[test]
fn lines_of_a_task_carry_its_context() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    records::produce(KafkaBroker::shared(), &scenario.topic, &[Record::of("{broken")]).unwrap();
    scenario.worker.wait_for_failure(&scenario.connector);
    let context = format!("ERROR [{}|task-0] task failed", scenario.connector);
    let log = scenario.worker.log();
    assert!(log.lines().any(|line| line.contains(&context)), "no line with {context} in\n{log}");
}
