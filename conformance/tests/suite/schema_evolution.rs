//! `schema.compatibility`: producers of two versions of a schema that write to one topic.

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::JSON;
use lakeward_testkit::records::{Record, read_topic};
use lakeward_testkit::unique;
use serde_json::{Value, json};

/// A record in `JsonConverter`'s envelope, of the first version (`id`) or of the second (`id`, `city`).
pub(crate) fn order(version: i32, id: i64) -> Value {
    let mut fields = vec![json!({"field": "id", "type": if version == 1 { "int32" } else { "int64" }})];
    let mut payload = json!({"id": id});
    if version == 2 {
        fields.push(json!({"field": "city", "type": "string", "default": "?"}));
        payload["city"] = json!("Rome");
    }
    let schema = json!({"type": "struct", "name": "shop.Order", "version": version, "fields": fields});
    json!({"schema": schema, "payload": payload})
}

#[test]
fn older_records_go_into_the_open_file_of_the_newer_version() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(4).with(&[("schema.compatibility", "BACKWARD")]));
    scenario.produce_json(&[order(1, 0), order(2, 1), order(1, 2), order(2, 3), order(1, 4)]);
    let names = scenario.wait_for_objects(2);
    let object = |offset| scenario.object("partition=0", 0, offset, "snappy.parquet");
    // The newer version ends the first file; after that the versions may take turns.
    assert_eq!(names, [object(0), object(1)]);
    assert_eq!(scenario.parquet(&names[0]).rows, [json!({"id": 0})]);
    let file = scenario.parquet(&names[1]);
    let columns: Vec<(&str, &str)> =
        file.columns.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(columns, [("id", "int64"), ("city", "string")]);
    let row = |id: i64, city: &str| json!({"id": id, "city": city});
    assert_eq!(file.rows, [row(1, "Rome"), row(2, "?"), row(3, "Rome"), row(4, "?")]);
    scenario.wait_for_commit(0, 5);
}

/// Files of the scenario's task that ended for `reason`, as the page of metrics has it.
fn ended(scenario: &Scenario, reason: &str) -> Option<u64> {
    let page = scenario.worker.rest.get("/metrics").expect("the worker answers").expect_status(200).text;
    let labels = format!("connector=\"{}\",task=\"0\",reason=\"{reason}\"", scenario.connector);
    let series = format!("lakeward_sink_files_ended_total{{{labels}}} ");
    let value = page.lines().find_map(|line| line.strip_prefix(&series))?;
    Some(value.parse().expect("counters are integers"))
}

#[test]
fn files_that_schemas_end_are_told_from_full_ones() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(3));
    // Each change of the version ends a file; the last one has all of its records.
    scenario.produce_json(&[order(1, 0), order(2, 1), order(1, 2), order(2, 3), order(2, 4), order(2, 5)]);
    scenario.wait_for_commit(0, 6);
    assert_eq!(scenario.objects.names().expect("the store lists").len(), 4);
    assert_eq!(ended(&scenario, "schema_change"), Some(3));
    assert_eq!(ended(&scenario, "records"), Some(1));
    assert_eq!(ended(&scenario, "memory"), None);
}

#[test]
fn newer_records_lose_their_new_fields_under_forward() {
    let scenario = Scenario::start(1);
    let config = scenario.config(2).with(&[("schema.compatibility", "FORWARD"), ("errors.tolerance", "all")]);
    scenario.create(&config);
    let narrow = |version: i32, id: i64| {
        let mut record = order(version, id);
        record["schema"]["fields"][0]["type"] = json!("int64");
        record
    };
    scenario.produce_json(&[narrow(1, 0), narrow(2, 1)]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(scenario.parquet(&names[0]).rows, [json!({"id": 0}), json!({"id": 1})]);
    scenario.wait_for_commit(0, 2);
}

/// Records that cannot be stored are left out of all objects of a merged file alike.
#[test]
fn merged_files_go_with_dead_letters_keys_and_headers() {
    let scenario = Scenario::start(1);
    let letters = unique("dlq");
    scenario.create(&scenario.config(4).with(&[
        ("lakeward.schema.evolution", "merge"),
        ("store.kafka.keys", "true"),
        ("keys.format.class", JSON),
        ("store.kafka.headers", "true"),
        ("headers.format.class", JSON),
        ("behavior.on.null.values", "ignore"),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &letters),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
    ]));
    let keyed = |value: Record, number: i64| {
        let record = Record { key: Some(format!("k{number}").into()), ..value };
        record.with_header("n", &number.to_string())
    };
    let stored = |version, number| keyed(Record::json(&order(version, number)), number);
    let keyless = Record { key: None, ..stored(1, 2) };
    scenario.produce(&[
        stored(1, 0),
        keyed(Record::of("{broken"), 1),
        keyless.clone(),
        stored(2, 3),
        keyed(Record::default(), 4),
        stored(1, 5),
        stored(2, 6),
    ]);
    scenario.wait_for_commit(0, 7);
    let [values, keys, headers] = ["snappy.parquet", "keys.json", "headers.json"]
        .map(|ending| scenario.object("partition=0", 0, 0, ending));
    let mut expected = [&values, &keys, &headers].map(String::clone);
    expected.sort();
    assert_eq!(scenario.objects.names().expect("the store lists"), expected);
    let row = |id: i64, city: Option<&str>| json!({"id": id, "city": city});
    assert_eq!(
        scenario.parquet(&values).rows,
        [row(0, None), row(3, Some("Rome")), row(5, None), row(6, Some("Rome"))]
    );
    let rows = |name: &str| scenario.objects.json_rows(name).expect("JSON lines");
    assert_eq!(rows(&keys), ["k0", "k3", "k5", "k6"].map(Value::from));
    let header = |number: &str| json!({"headers": [{"key": "n", "value": number}]});
    assert_eq!(rows(&headers), ["0", "3", "5", "6"].map(header));
    let found = read_topic(scenario.broker, &letters).expect("the queue is readable");
    let told: Vec<Option<Vec<u8>>> = found.into_iter().map(|letter| letter.value).collect();
    assert_eq!(told, [Some(b"{broken".to_vec()), keyless.value, None]);
}
