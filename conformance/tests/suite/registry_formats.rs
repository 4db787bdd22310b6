//! Records whose schemas are in a Schema Registry.

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::SinkConfig;
use lakeward_testkit::records::Record;
use lakeward_testkit::registry::{SchemaRegistry, framed};
use serde_json::{Value, json};

const AVRO: &str = "io.confluent.connect.avro.AvroConverter";
const JSON_SCHEMA: &str = "io.confluent.connect.json.JsonSchemaConverter";
const PROTOBUF: &str = "io.confluent.connect.protobuf.ProtobufConverter";

fn with_converter(scenario: &Scenario, class: &str, url: &str, flush_size: usize) -> SinkConfig {
    scenario
        .config(flush_size)
        .without("value.converter.schemas.enable")
        .with(&[("value.converter", class), ("value.converter.schema.registry.url", url)])
}

fn with_avro(scenario: &Scenario, url: &str, flush_size: usize) -> SinkConfig {
    with_converter(scenario, AVRO, url, flush_size)
}

fn order_schema(more: &[Value]) -> Value {
    let mut fields = vec![
        json!({"name": "id", "type": "long"}),
        json!({"name": "city", "type": ["null", "string"], "default": null}),
        json!({"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}),
    ];
    fields.extend_from_slice(more);
    json!({"type": "record", "name": "Order", "namespace": "shop", "fields": fields})
}

/// Avro's variable-length zigzag integer.
fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push((rest as u8 & 0x7f) | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn order(id: i64, city: Option<&str>, at: i64) -> Vec<u8> {
    let city = match city {
        Some(text) => [long(1), long(text.len() as i64), text.as_bytes().to_vec()].concat(),
        None => long(0),
    };
    [long(id), city, long(at)].concat()
}

#[test]
fn avro_records_arrive_with_the_types_of_their_schema_and_follow_its_versions() {
    let registry = SchemaRegistry::start().unwrap();
    let scenario = Scenario::start(1);
    let subject = format!("{}-value", scenario.topic);
    let first = registry.register_avro(&subject, &order_schema(&[])).unwrap();
    let paid = json!({"name": "paid", "type": "boolean", "default": false});
    let second = registry.register_avro(&subject, &order_schema(&[paid])).unwrap();
    // The first address answers nothing: the client goes on to the next.
    let url = format!("http://127.0.0.1:1,{}", registry.url());
    scenario.create(&with_avro(&scenario, &url, 2));
    scenario.produce(&[
        Record::of(framed(first, &order(1, Some("Zürich"), 1_700_000_000_123))),
        Record::of(framed(first, &order(-2, None, 0))),
        Record::of(framed(second, &[order(3, None, 0), vec![1]].concat())),
        Record::of(framed(second, &[order(4, None, 0), vec![0]].concat())),
    ]);

    let names = scenario.wait_for_objects(2);
    let object = |offset| scenario.object("partition=0", 0, offset, "snappy.parquet");
    assert_eq!(names, [object(0), object(2)]);
    let old = scenario.parquet(&names[0]);
    let columns: Vec<(&str, &str)> =
        old.columns.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(columns, [("id", "int64"), ("city", "string"), ("at", "timestamp[ms, tz=UTC]")]);
    assert_eq!(
        old.rows,
        [
            json!({"id": 1, "city": "Zürich", "at": "2023-11-14T22:13:20.123000+00:00"}),
            json!({"id": -2, "city": null, "at": "1970-01-01T00:00:00+00:00"}),
        ]
    );
    let new = scenario.parquet(&names[1]);
    let paid: Vec<&Value> = new.rows.iter().map(|row| &row["paid"]).collect();
    assert_eq!(paid, [&json!(true), &json!(false)]);
    scenario.wait_for_commit(0, 4);
}

#[test]
fn damaged_records_and_unknown_ids_are_skipped_when_tolerated() {
    let registry = SchemaRegistry::start().unwrap();
    let scenario = Scenario::start(1);
    let subject = format!("{}-value", scenario.topic);
    let id = registry.register_avro(&subject, &order_schema(&[])).unwrap();
    scenario.create(&with_avro(&scenario, &registry.url(), 2).with(&[("errors.tolerance", "all")]));
    scenario.produce(&[
        Record::of(framed(id, &order(1, None, 0))),
        Record::of("not framed"),
        Record::of(framed(id, &[0xff; 3])),
        Record::of(framed(id + 1000, &order(2, None, 0))),
        Record::of(framed(id, &order(3, None, 0))),
    ]);
    let names = scenario.wait_for_objects(1);
    let ids: Vec<Value> = scenario.parquet(&names[0]).rows.iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!(3)]);
    scenario.wait_for_commit(0, 5);
}

#[test]
fn a_registry_that_nobody_reaches_fails_the_task_and_names_the_setting() {
    let scenario = Scenario::start(1);
    scenario.create(&with_avro(&scenario, "http://127.0.0.1:1", 1));
    scenario.produce(&[Record::of(framed(1, &order(1, None, 0)))]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(trace.contains("schema.registry.url"), "{trace}");
    assert_eq!(scenario.objects.names().unwrap(), Vec::<String>::new());
}

#[test]
fn a_registry_that_hangs_stops_the_flow_and_loses_nothing() {
    let registry = SchemaRegistry::start().unwrap();
    let scenario = Scenario::start(1);
    let subject = format!("{}-value", scenario.topic);
    let id = registry.register_avro(&subject, &order_schema(&[])).unwrap();
    registry.freeze().unwrap();
    scenario.create(&with_avro(&scenario, &registry.url(), 2));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    scenario
        .produce(&[Record::of(framed(id, &order(1, None, 0))), Record::of(framed(id, &order(2, None, 0)))]);
    // The worker stays reachable while its task waits.
    scenario.worker.rest.get("/connectors").unwrap().expect_status(200);
    registry.thaw().unwrap();
    scenario.wait_for_objects(1);
    scenario.wait_for_commit(0, 2);
}

#[test]
fn json_schema_records_arrive_with_the_types_of_their_schema() {
    let registry = SchemaRegistry::start().unwrap();
    let scenario = Scenario::start(1);
    let schema = json!({
        "type": "object", "title": "Order",
        "properties": {
            "id": {"type": "integer", "connect.type": "int32", "connect.index": 0},
            "price": {"oneOf": [{"type": "null"}, {"type": "number"}], "connect.index": 1},
            "tags": {"type": "array", "items": {"type": "string"}, "connect.index": 2},
        },
    });
    let request = json!({"schemaType": "JSON", "schema": schema.to_string()});
    let id = registry.register(&format!("{}-value", scenario.topic), &request).unwrap();
    scenario.create(&with_converter(&scenario, JSON_SCHEMA, &registry.url(), 2));
    let full = json!({"id": 1, "price": 2.5, "tags": ["a", "b"]});
    let sparse = json!({"id": -2, "price": null, "tags": []});
    scenario.produce(&[
        Record::of(framed(id, full.to_string().as_bytes())),
        Record::of(framed(id, sparse.to_string().as_bytes())),
    ]);
    let names = scenario.wait_for_objects(1);
    let file = scenario.parquet(&names[0]);
    assert_eq!((file.columns[0].0.as_str(), file.columns[0].1.as_str()), ("id", "int32"));
    assert_eq!(file.rows, [full, sparse]);
}

#[test]
fn protobuf_records_arrive_with_the_types_of_their_schema() {
    let registry = SchemaRegistry::start().unwrap();
    let scenario = Scenario::start(1);
    let schema = "syntax = \"proto3\";\npackage shop;\n\
                  message Order {\n  int64 id = 1;\n  string city = 2;\n  repeated int32 parts = 3;\n}\n";
    let request = json!({"schemaType": "PROTOBUF", "schema": schema});
    let id = registry.register(&format!("{}-value", scenario.topic), &request).unwrap();
    scenario.create(&with_converter(&scenario, PROTOBUF, &registry.url(), 2));
    // The first message of the file, then its fields: tag, content.
    let full = [&[0, 0x08, 150, 1, 0x12, 4][..], b"Oslo", &[0x1a, 2, 7, 8]].concat();
    scenario.produce(&[Record::of(framed(id, &full)), Record::of(framed(id, &[0]))]);
    let names = scenario.wait_for_objects(1);
    let file = scenario.parquet(&names[0]);
    assert_eq!(
        file.rows,
        [json!({"id": 150, "city": "Oslo", "parts": [7, 8]}), json!({"id": 0, "city": "", "parts": []})]
    );
}
