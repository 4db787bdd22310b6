//! What `/metrics` shows of the Kafka clients of tasks, and of the group on workers that do not lead.

use lakeward_testkit::rest::RestClient;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::LakewardWorker;
use serde_json::json;

use crate::source_rig::{PATIENCE, SourceRig};

const OFTEN: (&str, &str) = ("lakeward.client.metrics.interval.ms", "300");

fn page(rest: &RestClient, style: &str) -> String {
    let answer = rest.get(&format!("/metrics?style={style}")).expect("the worker answers");
    answer.expect_status(200).text
}

/// The value of a series, by everything before it.
fn value(page: &str, series: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok())
}

fn wait_for_value(rest: &RestClient, series: &str, wanted: f64) {
    wait_for(&format!("{series} {wanted}"), PATIENCE, || {
        let found = value(&page(rest, "both"), series);
        if found == Some(wanted) { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

#[test]
fn clients_of_tasks_show_what_they_sent_and_fetched_until_they_end() {
    let mut rig = SourceRig::start(&[OFTEN]);
    rig.append(30);
    rig.create(&[]);
    let producer = format!("connector-producer-{}-0", rig.connector);
    let rest = &rig.worker.rest;
    let sent = format!("kafka_producer_producer_metrics_record_send_total{{client_id=\"{producer}\"}}");
    wait_for_value(rest, &sent, 30.0);
    wait_for_value(rest, &format!("kafka_producer_record_send_total{{clientid=\"{producer}\"}}"), 30.0);
    let topic = &rig.topic;
    let of_topic = format!("kafka_producer_topic_byte_total{{clientid=\"{producer}\",topic=\"{topic}\"}}");
    assert!(value(&page(rest, "rules"), &of_topic).is_some_and(|bytes| bytes > 300.0));

    let sink = unique("client-sink");
    let out = std::env::temp_dir().join(&sink);
    let config = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "1", "topics": topic, "file": out.display().to_string(),
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    });
    rig.worker.create(&sink, &config);
    let consumer = format!("connector-consumer-{sink}-0");
    let fetched = format!(
        "kafka_consumer_consumer_fetch_manager_metrics_records_consumed_total{{client_id=\"{consumer}\"}}"
    );
    wait_for_value(rest, &fetched, 30.0);
    let labels = format!("clientid=\"{consumer}\",topic=\"{topic}\",partition=\"0\"");
    let lag = format!("kafka_consumer_fetch_manager_records_lag{{{labels}}}");
    wait_for_value(rest, &lag, 0.0);
    let assigned = format!("kafka_consumer_coordinator_assigned_partitions{{clientid=\"{consumer}\"}}");
    wait_for_value(rest, &assigned, 1.0);

    rest.delete(&format!("/connectors/{sink}")).unwrap().expect_status(204);
    wait_for("the consumer to be gone", PATIENCE, || {
        let page = page(rest, "both");
        if page.contains(&consumer) { Err("it is there") } else { Ok(()) }
    });
    // What was left is found and removed by hand; a test does not fail for it.
    drop(std::fs::remove_file(out));
}

#[test]
fn admin_clients_show_their_connections_and_requests() {
    let mut rig = SourceRig::start(&[OFTEN]);
    rig.append(1);
    rig.create(&[
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
    ]);
    let rest = &rig.worker.rest;
    let client = format!("connector-adminclient-{}-0", rig.connector);
    wait_for_value(rest, &format!("kafka_admin_client_connection_count{{clientid=\"{client}\"}}"), 1.0);
    let sent = format!("kafka_admin_client_admin_client_metrics_request_total{{client_id=\"{client}\"}}");
    assert!(value(&page(rest, "jmx"), &sent).is_some_and(|count| count >= 1.0));
    rest.delete(&format!("/connectors/{}", rig.connector)).unwrap().expect_status(204);
    wait_for("the task's admin client to be gone", PATIENCE, || {
        if page(rest, "both").contains(&client) { Err("it is there") } else { Ok(()) }
    });
}

#[test]
fn clients_say_nothing_when_that_is_switched_off() {
    let mut rig = SourceRig::start(&[("lakeward.client.metrics.interval.ms", "0")]);
    rig.append(3);
    rig.create(&[]);
    rig.wait_for_last();
    let page = page(&rig.worker.rest, "both");
    for kind in ["admin_client", "consumer", "producer"] {
        assert!(!page.contains(&format!("kafka_{kind}_")), "{page}");
    }
}

#[test]
fn every_worker_names_the_leader_and_the_generation() {
    let rig = SourceRig::start(&[]);
    let other = LakewardWorker::start_distributed(&rig.properties).unwrap();
    let of_group = |rest: &RestClient| {
        let page = page(rest, "reporter");
        let line = |start: &str| page.lines().find(|line| line.starts_with(start)).map(str::to_owned);
        let group = "kafka_connect_connect_worker_rebalance_metrics_";
        [line(&format!("{group}leader_name_info{{")), line(&format!("{group}epoch "))]
    };
    let [leader, epoch] = wait_for("both workers to say the same", PATIENCE, || {
        let (first, second) = (of_group(&rig.worker.rest), of_group(&other.rest));
        if first == second { Ok(first) } else { Err(format!("{first:?} {second:?}")) }
    });
    let leader = leader.unwrap();
    let addresses = [&rig.worker, &other].map(|worker| worker.rest.authority());
    assert!(addresses.iter().any(|address| leader.contains(address)), "{leader} is none of {addresses:?}");
    assert_ne!(epoch.unwrap(), "kafka_connect_connect_worker_rebalance_metrics_epoch 0");
}
