//! The oracle against batches with known faults.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray, StructArray};
use arrow_schema::{Field, Schema};

use super::*;

const TIME_MS: i64 = 1_763_700_000_000;

fn object() -> LakeObject {
    LakeObject { key: "topics/events/a.parquet".to_owned(), bytes: 1, durable_us: (TIME_MS + 250) * 1000 }
}

fn event(sequence: u64) -> Value {
    let mut text = Vec::new();
    EventGenerator::new(1).write(EventId { partition: 0, sequence }, TIME_MS, &mut text);
    serde_json::from_slice(&text).expect("valid JSON")
}

fn texts(events: &[Value], pointer: &str) -> ArrayRef {
    Arc::new(
        events.iter().map(|event| event.pointer(pointer).and_then(Value::as_str)).collect::<StringArray>(),
    )
}

fn batch(events: &[Value]) -> RecordBatch {
    let device: Vec<_> = ["os", "version", "model"]
        .into_iter()
        .map(|name| {
            let column = texts(events, &format!("/device/{name}"));
            (Arc::new(Field::new(name, column.data_type().clone(), true)), column)
        })
        .collect();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for event in events {
        for tag in event["tags"].as_array().expect("tags") {
            tags.values().append_value(tag.as_str().expect("text"));
        }
        tags.append(true);
    }
    let times: Int64Array = events.iter().map(|event| event["time"].as_i64()).collect();
    let statuses: Int32Array =
        events.iter().map(|event| event["status"].as_i64().map(|code| code as i32)).collect();
    let waits: Float64Array = events.iter().map(|event| event["latency_ms"].as_f64()).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", texts(events, "/id")),
        ("time", Arc::new(times)),
        ("user", texts(events, "/user")),
        ("country", texts(events, "/country")),
        ("url", texts(events, "/url")),
        ("status", Arc::new(statuses)),
        ("latency_ms", Arc::new(waits)),
        ("device", Arc::new(StructArray::from(device))),
        ("tags", Arc::new(tags.finish())),
        ("referrer", texts(events, "/referrer")),
    ];
    let fields: Vec<_> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns fit the schema")
}

fn judge(events: &[Value], count: i64) -> (Verdict, Vec<u64>) {
    let mut seen = [SeenIds::new(count)];
    let mut verdict = Verdict::default();
    check_events(&batch(events), &object(), EventGenerator::new(1), &mut seen, &mut verdict)
        .expect("readable");
    (verdict, seen[0].missing().collect())
}

#[test]
fn every_event_once_is_clean() {
    let events: Vec<_> = (0..200).map(event).collect();
    let (verdict, missing) = judge(&events, 200);
    assert!(verdict.is_clean() && missing.is_empty(), "{:?}", verdict.examples);
    let latency = verdict.latencies.figures().expect("counted");
    assert!((latency.p99_ms - 250.0).abs() < 1.0, "{latency:?}");
}

#[test]
fn missing_duplicate_and_foreign_events_are_told_apart() {
    let mut events: Vec<_> = (0..100).filter(|sequence| *sequence != 41).map(event).collect();
    events.push(event(17));
    events.push(event(100));
    let (verdict, missing) = judge(&events, 100);
    assert_eq!((missing, verdict.duplicates, verdict.altered), (vec![41], 1, 1));
}

#[test]
fn changed_content_of_a_sampled_event_is_found() {
    let mut events: Vec<_> = (0..3).map(event).collect();
    events[0]["country"] = "XX".into();
    let (verdict, _) = judge(&events, 3);
    assert_eq!(verdict.altered, 1);
}

#[test]
fn loaded_lines_are_compared_as_multisets() {
    let mut loaded = LoadedRecords::default();
    for (line, sequence) in [(1, 5), (2, 5), (3, 6), (4, 7)] {
        loaded.note(&event(sequence), line);
    }
    let mut verdict = Verdict::default();
    let nowhere = JsonTextPlaces::default();
    let rows: Vec<_> = [5, 5, 5, 6, 9].into_iter().map(event).collect();
    check_loaded(&batch(&rows), &object(), &nowhere, &mut loaded, &mut verdict).expect("readable");
    let outstanding: i64 = loaded.counts.values().map(|record| record.outstanding.max(0)).sum();
    assert_eq!((outstanding, verdict.duplicates, verdict.altered), (1, 1, 1));
}
