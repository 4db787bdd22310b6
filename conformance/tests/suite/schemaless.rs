//! Plain JSON becomes Parquet through `lakeward.schema`, declared or inferred; Kafka Connect cannot do this.

use lakeward_conformance::scenario::Scenario;
use serde_json::json;

#[test]
fn a_declared_avro_schema_makes_columns() {
    let scenario = Scenario::start(1);
    let schema = json!({
        "type": "record", "name": "Event", "fields": [
            {"name": "id", "type": "long"},
            {"name": "name", "type": ["null", "string"]},
            {"name": "score", "type": "double"},
            {"name": "tags", "type": {"type": "array", "items": "string"}},
        ],
    });
    let config = scenario.config(2).schemaless().with(&[("lakeward.schema", &schema.to_string())]);
    scenario.create(&config);
    scenario.produce_json(&[
        json!({"id": 1, "name": "é", "score": 0.5, "tags": ["x"]}),
        json!({"id": 2, "name": null, "score": 2, "tags": []}),
    ]);
    let names = scenario.wait_for_objects(1);
    let file = scenario.parquet(&names[0]);
    assert_eq!(
        file.rows,
        [
            json!({"id": 1, "name": "é", "score": 0.5, "tags": ["x"]}),
            json!({"id": 2, "name": null, "score": 2.0, "tags": []}),
        ]
    );
    let kinds: Vec<&str> = file.columns.iter().map(|(_, kind)| kind.as_str()).take(3).collect();
    assert_eq!(kinds, ["int64", "string", "double"]);
}

#[test]
fn a_declared_json_schema_makes_columns() {
    let scenario = Scenario::start(1);
    let schema = json!({
        "type": "object",
        "properties": {"id": {"type": "integer"}, "ok": {"type": "boolean"}, "name": {"type": "string"}},
        "required": ["id"],
    });
    let config = scenario.config(2).schemaless().with(&[("lakeward.schema", &schema.to_string())]);
    scenario.create(&config);
    scenario.produce_json(&[json!({"id": 1, "ok": true, "name": "a"}), json!({"id": 2})]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(
        scenario.parquet(&names[0]).rows,
        [json!({"id": 1, "ok": true, "name": "a"}), json!({"id": 2, "ok": null, "name": null})]
    );
}

#[test]
fn an_inferred_schema_grows_with_the_data_and_loses_nothing() {
    let scenario = Scenario::start(1);
    let config = scenario.config(1000).schemaless().with(&[
        ("lakeward.schema", "infer"),
        ("rotate.schedule.interval.ms", "1000"),
        ("timezone", "UTC"),
    ]);
    scenario.create(&config);
    let sent = [
        json!({"id": 0, "name": "a"}),
        json!({"id": 1, "name": "b", "score": 1.5}),
        json!({"id": 2, "inner": {"x": 1}, "list": [1, 2]}),
        json!({"id": 3, "name": null}),
    ];
    scenario.produce_json(&sent);
    let mut rows = scenario.wait_for_rows(sent.len());
    rows.sort_by_key(|row| row["id"].as_u64());
    assert_eq!(rows.len(), sent.len());
    for (row, sent) in rows.iter().zip(&sent) {
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(row[name], *value, "{name} of {sent}");
        }
        let added =
            row.as_object().unwrap().iter().filter(|(name, value)| sent[*name].is_null() && !value.is_null());
        assert_eq!(added.count(), 0, "{row} has values that {sent} has not");
    }
    scenario.wait_for_commit(0, 4);
}

#[test]
fn parquet_without_any_schema_fails_and_names_the_remedy() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).schemaless());
    scenario.produce_json(&[json!({"id": 1})]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(trace.contains("lakeward.schema"), "{trace}");
    assert_eq!(scenario.objects.names().unwrap(), Vec::<String>::new());
}
