//! Transforms and predicates on the way to the store, as a connector configuration of Java's has them.

use lakeward_conformance::envelope::{enveloped, field};
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::records::Record;
use serde_json::{Value, json};

const PACKAGE: &str = "org.apache.kafka.connect.transforms";

fn order(id: i64, price: &str) -> Value {
    let fields = [field("id", "int64"), field("price", "string"), field("card", "string")];
    enveloped(&fields, &json!({"id": id, "price": price, "card": "4111"}))
}

#[test]
fn a_chain_changes_drops_refuses_and_routes_records() {
    let scenario = Scenario::start(1);
    let config = scenario.config(3).with(&[
        ("errors.tolerance", "all"),
        ("transforms", "skip,cast,shape,stamp,route"),
        ("transforms.skip.type", &format!("{PACKAGE}.Filter")),
        ("transforms.skip.predicate", "marked"),
        ("transforms.cast.type", &format!("{PACKAGE}.Cast$Value")),
        ("transforms.cast.spec", "price:int32"),
        ("transforms.shape.type", &format!("{PACKAGE}.ReplaceField$Value")),
        ("transforms.shape.exclude", "card"),
        ("transforms.shape.renames", "price:cents"),
        ("transforms.stamp.type", &format!("{PACKAGE}.InsertField$Value")),
        ("transforms.stamp.offset.field", "position!"),
        ("transforms.stamp.static.field", "origin"),
        ("transforms.stamp.static.value", "shop"),
        ("transforms.route.type", &format!("{PACKAGE}.RegexRouter")),
        ("transforms.route.regex", "(.*)"),
        ("transforms.route.replacement", "sales-$1"),
        ("predicates", "marked"),
        ("predicates.marked.type", &format!("{PACKAGE}.predicates.HasHeaderKey")),
        ("predicates.marked.name", "test"),
    ]);
    scenario.create(&config);
    scenario.produce(&[
        Record::json(&order(1, "100")),
        Record::json(&order(2, "200")).with_header("test", "yes"),
        Record::json(&order(3, "not a number")),
        Record::json(&order(4, "400")).with_header("other", "yes"),
        Record::json(&order(5, "500")),
    ]);

    let names = scenario.wait_for_objects(1);
    let topic = format!("sales-{}", scenario.topic);
    assert_eq!(names, [format!("topics/{topic}/partition=0/{topic}+0+0000000000.snappy.parquet")]);
    let file = scenario.parquet(&names[0]);
    let row = |id: i64, cents: i64, position: i64| -> Value {
        json!({"id": id, "cents": cents, "position": position, "origin": "shop"})
    };
    assert_eq!(file.rows, [row(1, 100, 0), row(4, 400, 3), row(5, 500, 4)]);
    scenario.wait_for_commit(0, 5);
}

#[test]
fn a_record_that_a_transform_refuses_fails_the_task_without_tolerance() {
    let scenario = Scenario::start(1);
    let config = scenario.config(1).with(&[
        ("transforms", "cast"),
        ("transforms.cast.type", &format!("{PACKAGE}.Cast$Value")),
        ("transforms.cast.spec", "price:int32"),
    ]);
    scenario.create(&config);
    scenario.produce_json(&[order(1, "1.5")]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(trace.contains("Value (1.5) was out of range for requested data type"), "{trace}");
    assert_eq!(scenario.objects.names().unwrap(), Vec::<String>::new());
}
