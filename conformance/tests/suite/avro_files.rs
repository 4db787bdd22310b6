//! Avro container files, read back by Avro's own reader in Java.

use lakeward_conformance::scenario::Scenario;
use serde_json::{Value, json};

const AVRO: &str = "io.confluent.connect.s3.format.avro.AvroFormat";

/// A record in `JsonConverter`'s envelope.
fn order(id: i64, city: Option<&str>) -> Value {
    json!({
        "schema": {"type": "struct", "name": "shop.Order", "fields": [
            {"field": "id", "type": "int64"},
            {"field": "city", "type": "string", "optional": true},
            {"field": "at", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1},
            {"field": "tags", "type": "array", "items": {"type": "string"}},
            {"field": "small", "type": "int8"},
        ]},
        "payload": {"id": id, "city": city, "at": 1_700_000_000_123_i64, "tags": ["a", "é"], "small": -1},
    })
}

#[test]
fn java_reads_the_rows_and_the_schema_that_its_own_sink_would_write() {
    for codec in ["null", "deflate", "snappy"] {
        let scenario = Scenario::start(1);
        let config = scenario.config(2).with(&[("format.class", AVRO), ("avro.codec", codec)]);
        scenario.create(&config);
        scenario.produce_json(&[order(1, Some("Zürich")), order(2, None)]);
        let names = scenario.wait_for_objects(1);
        assert_eq!(names, [scenario.object("partition=0", 0, 0, "avro")]);
        let file = scenario.objects.avro_files(&names).unwrap().remove(0);
        assert_eq!(file["codec"], codec);
        let schema = &file["schema"];
        assert_eq!((&schema["name"], &schema["namespace"]), (&json!("Order"), &json!("shop")));
        assert_eq!(schema["connect.name"], "shop.Order");
        let field = |at: usize| &schema["fields"][at];
        assert_eq!(*field(0), json!({"name": "id", "type": "long"}));
        assert_eq!(*field(1), json!({"name": "city", "type": ["null", "string"], "default": null}));
        assert_eq!(
            field(2)["type"],
            json!({"type": "long", "connect.version": 1,
                   "connect.name": "org.apache.kafka.connect.data.Timestamp",
                   "logicalType": "timestamp-millis"})
        );
        assert_eq!(field(4)["type"], json!({"type": "int", "connect.type": "int8"}));
        let row = |id: i64, city: Option<&str>| order(id, city)["payload"].clone();
        assert_eq!(file["rows"], json!([row(1, Some("Zürich")), row(2, None)]), "{codec}");
        scenario.wait_for_commit(0, 2);
    }
}

#[test]
fn schemaless_records_are_of_type_anything() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).schemaless().with(&[("format.class", AVRO)]));
    scenario.produce_json(&[json!({"b": 1})]);
    let names = scenario.wait_for_objects(1);
    let file = scenario.objects.avro_files(&names).unwrap().remove(0);
    assert_eq!(file["schema"]["name"], "Anything");
    let entry = &file["rows"][0]["map"][0];
    assert_eq!((&entry["key"]["string"], &entry["value"]["long"]), (&json!("b"), &json!(1)));
}
