//! Where rows go and when files close: partitioners and rotation.

use lakeward_conformance::envelope::{enveloped, field, numbered};
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::records::Record;
use serde_json::{Value, json};

const PARTITIONERS: &str = "io.confluent.connect.storage.partitioner";
/// 2023-11-14T22:13:20Z.
const BASE_MS: i64 = 1_700_000_000_000;
const HOUR_MS: i64 = 3_600_000;

fn partitioner(name: &str) -> String {
    format!("{PARTITIONERS}.{name}")
}

#[test]
fn time_based_paths_follow_the_record_time() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(3).with(&[
        ("partitioner.class", &partitioner("TimeBasedPartitioner")),
        ("partition.duration.ms", "3600000"),
        ("path.format", "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH"),
        ("locale", "en-US"),
        ("timezone", "UTC"),
        ("timestamp.extractor", "Record"),
    ]));
    let at = |id: u64, time_ms: i64| Record::json(&numbered(id)).at(time_ms);
    scenario.produce(&[at(0, BASE_MS), at(1, BASE_MS + HOUR_MS), at(2, BASE_MS + 1)]);
    let names = scenario.wait_for_objects(2);
    let day = "year=2023/month=11/day=14";
    assert_eq!(
        names,
        [
            scenario.object(&format!("{day}/hour=22"), 0, 0, "snappy.parquet"),
            scenario.object(&format!("{day}/hour=23"), 0, 1, "snappy.parquet"),
        ]
    );
    assert_eq!(scenario.parquet(&names[0]).rows, [json!({"id": 0}), json!({"id": 2})]);
    assert_eq!(scenario.parquet(&names[1]).rows, [json!({"id": 1})]);
    scenario.wait_for_commit(0, 3);
}

#[test]
fn hourly_paths_follow_a_field_and_the_time_zone() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(2).json_lines().with(&[
        ("partitioner.class", &partitioner("HourlyPartitioner")),
        ("locale", "en-US"),
        ("timezone", "Europe/Paris"),
        ("timestamp.extractor", "RecordField"),
        ("timestamp.field", "at"),
    ]));
    scenario.produce_json(&[json!({"at": BASE_MS}), json!({"at": "2023-11-15T05:00:00.000Z"})]);
    let names = scenario.wait_for_objects(2);
    // Paris is one hour ahead in November.
    assert_eq!(
        names,
        [
            scenario.object("year=2023/month=11/day=14/hour=23", 0, 0, "json"),
            scenario.object("year=2023/month=11/day=15/hour=06", 0, 1, "json"),
        ]
    );
}

#[test]
fn daily_paths_have_no_hour() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).json_lines().with(&[
        ("partitioner.class", &partitioner("DailyPartitioner")),
        ("locale", "en-US"),
        ("timezone", "UTC"),
        ("timestamp.extractor", "Record"),
    ]));
    scenario.produce(&[Record::json(&json!({"id": 0})).at(BASE_MS)]);
    assert_eq!(scenario.wait_for_objects(1), [scenario.object("year=2023/month=11/day=14", 0, 0, "json")]);
}

#[test]
fn field_values_become_folders() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(3).with(&[
        ("partitioner.class", &partitioner("FieldPartitioner")),
        ("partition.field.name", "country,level"),
    ]));
    let row = |country: &str, level: i32| -> Value {
        let fields = [field("country", "string"), field("level", "int32")];
        enveloped(&fields, &json!({"country": country, "level": level}))
    };
    scenario.produce_json(&[row("FR", 1), row("DE", 2), row("FR", 1)]);
    let names = scenario.wait_for_objects(2);
    assert_eq!(
        names,
        [
            scenario.object("country=DE/level=2", 0, 1, "snappy.parquet"),
            scenario.object("country=FR/level=1", 0, 0, "snappy.parquet"),
        ]
    );
    assert_eq!(scenario.parquet(&names[1]).rows.len(), 2);
    scenario.wait_for_commit(0, 3);
}

#[test]
fn record_time_rotates_and_leaves_the_next_file_open() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1000).json_lines().with(&[
        ("partitioner.class", &partitioner("DailyPartitioner")),
        ("locale", "en-US"),
        ("timezone", "UTC"),
        ("timestamp.extractor", "Record"),
        ("rotate.interval.ms", "60000"),
    ]));
    let at = |id: u64, seconds: i64| Record::json(&json!({"id": id})).at(BASE_MS + 1000 * seconds);
    scenario.produce(&[at(0, 0), at(1, 10), at(2, 70), at(3, 75)]);
    scenario.wait_for_commit(0, 2);
    let name = scenario.object("year=2023/month=11/day=14", 0, 0, "json");
    assert_eq!(scenario.objects.names().unwrap(), [name.as_str()]);
    assert_eq!(scenario.objects.json_rows(&name).unwrap(), [json!({"id": 0}), json!({"id": 1})]);
}

#[test]
fn the_schedule_rotates_without_new_records() {
    let scenario = Scenario::start(1);
    scenario
        .create(&scenario.config(1000).with(&[("rotate.schedule.interval.ms", "1000"), ("timezone", "UTC")]));
    scenario.produce_json(&[numbered(0)]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("partition=0", 0, 0, "snappy.parquet")]);
    scenario.wait_for_commit(0, 1);
}
