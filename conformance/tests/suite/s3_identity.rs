//! Topic → S3 sink → S3 source → topic is the identity in every format that both have, also when keys,
//! headers and tombstones lie in objects beside those of values.
//!
//! What does not come back does not with Java's source either, which restores values only (its
//! documentation): keys and headers stay in their objects, tombstones, which are nothing but keys, too, and
//! no object holds the timestamps of its records. [`Case::brought_back`] says so for each record.

use std::time::{SystemTime, UNIX_EPOCH};

use lakeward_conformance::envelope::{enveloped, field, logical, optional};
use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON, PARQUET};
use lakeward_testkit::records::Record;
use lakeward_testkit::unique;
use serde_json::{Value, json};

use crate::s3_source::{AVRO, BYTES, BYTES_CONVERTER, DAILY, order, restored_records, source};

const STRING_CONVERTER: &str = "org.apache.kafka.connect.storage.StringConverter";
const SCHEMALESS: (&str, &str) = ("value.converter.schemas.enable", "false");
const GZIP: (&str, &str) = ("s3.compression.type", "gzip");

type Settings = &'static [(&'static str, &'static str)];

/// A way there and back.
struct Case {
    /// Of values, keys and headers.
    formats: [&'static str; 3],
    /// Settings of sink and source.
    both: Settings,
    /// Settings of the sink.
    sink: Settings,
    /// The value of the record of a number.
    value: fn(i64) -> Vec<u8>,
    /// What of a value comes back, as it is compared.
    comes_back: fn(&[u8]) -> Value,
}

impl Case {
    fn of(formats: [&'static str; 3], value: fn(i64) -> Vec<u8>, comes_back: fn(&[u8]) -> Value) -> Self {
        Self { formats, both: &[], sink: &[], value, comes_back }
    }

    /// What the source brings back of a record. Keys, headers and timestamps do not come back.
    fn brought_back(&self, sent: &Record) -> Option<(i32, Value)> {
        // A tombstone is nothing but a key.
        let value = sent.value.as_deref()?;
        Some((sent.partition, (self.comes_back)(value)))
    }
}

/// Each byte.
fn as_it_is(value: &[u8]) -> Value {
    json!(value)
}

/// A text of JSON, whatever its white space, the order of its names and the digits of its fractions: Java
/// writes 5e-324 as 4.9E-324.
fn json_text(value: &[u8]) -> Value {
    fn numbers(value: Value) -> Value {
        match value {
            Value::Number(number) if !number.is_i64() => json!(number.as_f64()),
            Value::Array(items) => items.into_iter().map(numbers).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, numbers(value))).collect(),
            other => other,
        }
    }
    numbers(serde_json::from_slice(value).expect("values are JSON"))
}

/// JSON objects have no schemas: only the payload of an envelope is stored.
fn payload(value: &[u8]) -> Value {
    let value = json_text(value);
    value.get("payload").cloned().unwrap_or(value)
}

/// Numbers at their ends, texts that are escaped, nesting.
fn plain(number: i64) -> Vec<u8> {
    let value = match number % 4 {
        0 => json!({"id": number, "list": [1, "two", null, 2.5, {"deep": [[]]}], "none": null, "map": {}}),
        1 => json!([number, {"a": null, "text": "\u{1F600} \"é\" \n\t\\ \u{0}"}]),
        2 => json!({"most": i64::MAX, "least": i64::MIN, "large": 1e23, "small": 5e-324}),
        _ => json!(format!("text {number}")),
    };
    value.to_string().into_bytes()
}

/// Documentation, versions, parameters, defaults, nested lists and maps, a struct in two places.
fn documented(number: i64) -> Vec<u8> {
    let place = json!({"type": "struct", "name": "geo.Place", "optional": true, "version": 2, "fields":
        [field("x", "double"), optional("name", "string")]});
    let mut home = place.clone();
    home["field"] = json!("home");
    let rows = json!({"type": "array", "optional": false, "items": {"type": "int32", "optional": false}});
    let fields = [
        json!({"field": "id", "type": "int64", "optional": false, "doc": "who", "default": 7}),
        json!({"field": "state", "type": "string", "optional": true, "default": "new"}),
        json!({"field": "code", "type": "string", "optional": false, "name": "shop.Code", "version": 4,
               "parameters": {"length": "3"}}),
        logical("time", "int32", "Time"),
        home,
        json!({"field": "rows", "type": "array", "optional": true, "items": rows}),
        json!({"field": "places", "type": "map", "optional": false, "values": place,
               "keys": {"type": "string", "optional": false}}),
    ];
    let some = number % 2 == 0;
    let payload = json!({
        "id": number, "state": "old", "code": "abc", "time": 86_399_999,
        "home": some.then(|| json!({"x": 0.1, "name": null})),
        "rows": some.then_some(json!([[1, 2], [], [3]])),
        "places": {"a": {"x": 1e300, "name": "é"}, "b": null},
    });
    let mut value = enveloped(&fields, &payload);
    for (name, what) in [("name", json!("shop.Documented")), ("version", json!(3)), ("doc", json!("what"))] {
        value["schema"][name] = what;
    }
    value.to_string().into_bytes()
}

fn words(number: i64) -> Vec<u8> {
    format!("word {number} \"é\" \u{1F600}").into_bytes()
}

/// Any bytes but the separator.
fn raw(number: i64) -> Vec<u8> {
    match number % 3 {
        0 => Vec::new(),
        1 => (0..=255).collect(),
        _ => format!("line\nline |~ {number}\n").into_bytes(),
    }
}

/// Records of each of two partitions; the third partition has none.
const EACH: i64 = 20;

/// Values, keys, headers, every seventh a tombstone, timestamps of two days in the past.
fn sent(case: &Case) -> Vec<Record> {
    let record = |number: i64| Record {
        partition: i32::from(number % 4 > 1),
        timestamp_ms: Some(1_700_000_000_000 + number * 3_000_000),
        key: Some(format!("key {number}").into_bytes()),
        value: (number % 7 != 6).then(|| (case.value)(number)),
        headers: vec![("trace".to_owned(), format!("t{number}").into_bytes())],
        ..Record::default()
    };
    let mut records: Vec<Record> = (0..2 * EACH).map(record).collect();
    records.sort_by_key(|record| record.partition);
    records
}

/// There and back through a bucket, to topics of the same names with `-back` behind them.
fn there_and_back(case: &Case) {
    let scenario = Scenario::start(3);
    let records = sent(case);
    scenario.produce(&records);
    let [values, keys, headers] = case.formats;
    let sink = [
        ("format.class", values),
        ("store.kafka.keys", "true"),
        ("store.kafka.headers", "true"),
        ("keys.format.class", keys),
        ("headers.format.class", headers),
        ("behavior.on.null.values", "write"),
    ];
    scenario.create(&scenario.config(5).with(&sink).with(case.both).with(case.sink));
    scenario.wait_for_commit(0, EACH);
    scenario.wait_for_commit(1, EACH);
    let last = add_last_object(&scenario);

    let [topic, last] = [&scenario.topic, &last].map(|topic| format!("{topic}-back"));
    for topic in [&topic, &last] {
        scenario.broker.create_topic_with(topic, 3, &[]).expect("the broker creates topics");
    }

    let started = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis();
    let restore = unique("restore");
    let settings = [
        ("format.class", values),
        // One task reads in the order of names: when the last object came, all did.
        ("tasks.max", "1"),
    ];
    let config = source(&scenario, "$0-back", &[&settings, case.both].concat());
    scenario.worker.create(&restore, &config);
    restored_records(&scenario, &restore, &last, 1);
    let expected: Vec<(i32, Value)> = records.iter().filter_map(|sent| case.brought_back(sent)).collect();
    let found = restored_records(&scenario, &restore, &topic, expected.len());
    for record in &found {
        assert_eq!((&record.key, record.headers.len()), (&None, 0), "{values}: {record:?}");
        assert!(
            record.timestamp_ms.is_some_and(|time| u128::from(time.unsigned_abs()) >= started),
            "{record:?}"
        );
    }
    let comes_back = |found| case.brought_back(found).expect("no tombstone comes back");
    for (found, expected) in found.iter().map(comes_back).zip(&expected) {
        let at = format!("{values} with keys in {keys} and headers in {headers}, partition {}", found.0);
        assert!(found == *expected, "{at}:\n{}\nshould be\n{}", found.1, expected.1);
    }
    assert_eq!(found.len(), expected.len(), "{values}");
}

/// Copies an object of values to a topic whose name comes behind all others, and returns that name.
fn add_last_object(scenario: &Scenario) -> String {
    let names = scenario.objects.names().expect("the bucket can be listed");
    let is_value = |name: &&String| {
        !name.contains(".keys.") && !name.contains(".headers.") && !name.contains("/tombstone/")
    };
    let name = names.iter().find(is_value).expect("values are stored");
    let topic = format!("{}z", scenario.topic);
    let content = scenario.objects.read(name).expect("objects can be read");
    scenario.objects.write(&name.replace(&scenario.topic, &topic), content).expect("objects can be written");
    topic
}

fn orders(number: i64) -> Vec<u8> {
    order(number).to_string().into_bytes()
}

#[test]
fn parquet_is_an_identity() {
    there_and_back(&Case::of([PARQUET, PARQUET, PARQUET], orders, json_text));
    let plain: Settings = &[("parquet.codec", "none")];
    there_and_back(&Case { sink: plain, ..Case::of([PARQUET, PARQUET, PARQUET], documented, json_text) });
    let times: Settings = &[("locale", "en"), ("timezone", "UTC"), ("timestamp.extractor", "Record")];
    let daily: Settings = &[("partitioner.class", DAILY)];
    let case = Case::of([PARQUET, AVRO, JSON], documented, json_text);
    there_and_back(&Case { both: daily, sink: times, ..case });
}

#[test]
fn avro_is_an_identity() {
    there_and_back(&Case::of([AVRO, AVRO, AVRO], orders, json_text));
    there_and_back(&Case::of([AVRO, JSON, PARQUET], documented, json_text));
    // Without schemas, and of nothing but texts.
    there_and_back(&Case { both: &[SCHEMALESS], ..Case::of([AVRO, AVRO, JSON], plain, json_text) });
    let texts: Settings = &[("value.converter", STRING_CONVERTER)];
    there_and_back(&Case { both: texts, ..Case::of([AVRO, AVRO, AVRO], words, as_it_is) });
}

#[test]
fn json_is_an_identity_but_for_schemas() {
    let schemaless = Case { both: &[SCHEMALESS], ..Case::of([JSON, JSON, JSON], plain, json_text) };
    there_and_back(&Case { sink: &[GZIP], ..schemaless });
    let schemas: Settings = &[("value.converter.schemas.enable", "true")];
    let case = Case::of([JSON, AVRO, PARQUET], orders, payload);
    there_and_back(&Case { both: &[SCHEMALESS], sink: schemas, ..case });
}

#[test]
fn bytes_are_an_identity() {
    let both: Settings = &[("value.converter", BYTES_CONVERTER), ("format.bytearray.separator", "|~|")];
    let sink: Settings = &[("key.converter", BYTES_CONVERTER)];
    there_and_back(&Case { both, sink, ..Case::of([BYTES, BYTES, AVRO], raw, as_it_is) });
    let packed: Settings = &[("key.converter", BYTES_CONVERTER), GZIP];
    there_and_back(&Case { both, sink: packed, ..Case::of([BYTES, BYTES, JSON], raw, as_it_is) });
}
