//! Topic → S3 sink → S3 source → topic is the identity, with every format, across a kill and over damage.

use std::io::Write as _;
use std::time::Duration;

use lakeward_conformance::envelope::{decimal, enveloped, field, logical, optional};
use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON, JSON_CONVERTER, PARQUET, SinkConfig};
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

const S3_SOURCE: &str = "io.confluent.connect.s3.source.S3SourceConnector";
pub(crate) const AVRO: &str = "io.confluent.connect.s3.format.avro.AvroFormat";
pub(crate) const BYTES: &str = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
pub(crate) const BYTES_CONVERTER: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
pub(crate) const DAILY: &str = "io.confluent.connect.storage.partitioner.DailyPartitioner";
pub(crate) const EXACTLY_ONCE: (&str, &str) = ("exactly.once.source.support", "enabled");

/// Until everything is restored; a loaded machine needs some of it.
const PATIENCE: Duration = Duration::from_secs(90);

/// A source of what the scenario's sink wrote, to the topic `restored`.
pub(crate) fn source(scenario: &Scenario, restored: &str, more: &[(&str, &str)]) -> Value {
    let config = SinkConfig::of(&[
        ("connector.class", S3_SOURCE),
        ("tasks.max", "2"),
        ("s3.bucket.name", scenario.objects.bucket()),
        ("s3.region", REGION),
        ("store.url", &Versitygw::shared().endpoint()),
        ("aws.access.key.id", ACCESS_KEY),
        ("aws.secret.access.key", SECRET_KEY),
        ("s3.poll.interval.ms", "500"),
        ("value.converter", JSON_CONVERTER),
        ("transforms", "rename"),
        ("transforms.rename.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.rename.regex", ".*"),
        ("transforms.rename.replacement", restored),
    ]);
    config.with(more).json()
}

/// The records of a topic by partition, in order.
fn records_of(topic: &str) -> Vec<Record> {
    let mut records = records::read_topic(KafkaBroker::shared(), topic).expect("topics are readable");
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// Partitions and values.
fn values_of(records: Vec<Record>) -> Vec<(i32, Option<Vec<u8>>)> {
    assert!(records.iter().all(|record| record.key.is_none()), "only values are restored");
    records.into_iter().map(|record| (record.partition, record.value)).collect()
}

/// The values of a topic by partition, in order.
fn values(topic: &str) -> Vec<(i32, Option<Vec<u8>>)> {
    values_of(records_of(topic))
}

/// Waits until `topic` holds `count` records, and returns them by partition, in order.
pub(crate) fn restored_records(scenario: &Scenario, name: &str, topic: &str, count: usize) -> Vec<Record> {
    wait_for(&format!("{count} restored records"), PATIENCE, || {
        let found = records_of(topic);
        if found.len() >= count {
            return Ok(found);
        }
        let status = scenario.worker.rest.get(&format!("/connectors/{name}/status"));
        let text = status.map_or_else(|err| format!("no status: {err:#}"), |answer| answer.text);
        assert!(!text.contains("\"FAILED\""), "a task failed: {text}");
        Err(format!("{} records; {text}", found.len()))
    })
}

/// Waits until `topic` holds `count` records, and returns their values.
fn restored(scenario: &Scenario, name: &str, topic: &str, count: usize) -> Vec<(i32, Option<Vec<u8>>)> {
    values_of(restored_records(scenario, name, topic, count))
}

fn as_json(values: &[(i32, Option<Vec<u8>>)]) -> Vec<(i32, Value)> {
    let json = |value: &Option<Vec<u8>>| match value {
        None => Value::Null,
        Some(bytes) => serde_json::from_slice(bytes).expect("values are JSON"),
    };
    values.iter().map(|(partition, value)| (*partition, json(value))).collect()
}

/// A record of every type, nested, with nulls.
pub(crate) fn order(id: i64) -> Value {
    let some = id % 3 != 0;
    let strings = json!({"type": "string", "optional": true});
    let numbers = json!({"type": "int64", "optional": false});
    let item = json!({"type": "struct", "name": "shop.Item", "optional": false, "fields":
        [field("sku", "string"), optional("count", "int32")]});
    let fields = [
        field("id", "int64"),
        field("small", "int8"),
        optional("short", "int16"),
        field("rate", "double"),
        optional("ratio", "float"),
        field("ok", "boolean"),
        optional("text", "string"),
        optional("raw", "bytes"),
        decimal("price", 2),
        logical("day", "int32", "Date"),
        logical("at", "int64", "Timestamp"),
        json!({"field": "tags", "type": "array", "optional": true, "items": strings}),
        json!({"field": "items", "type": "array", "optional": false, "items": item}),
        json!({"field": "counts", "type": "map", "optional": false,
               "keys": {"type": "string", "optional": false}, "values": numbers}),
        json!({"field": "by_number", "type": "map", "optional": false,
               "keys": {"type": "int32", "optional": false}, "values": strings}),
    ];
    let payload = json!({
        "id": id, "small": -5, "short": some.then_some(300), "rate": 0.5, "ratio": some.then_some(1.25),
        "ok": some, "text": some.then(|| format!("é {id}")), "raw": some.then_some("AAEC"),
        "price": some.then_some("MDk="), "day": 19_000 + id, "at": 1_700_000_000_123_i64 + id,
        "tags": some.then_some(json!(["a", null])),
        "items": [{"sku": "x", "count": null}, {"sku": "y", "count": 7}],
        "counts": {"k": id}, "by_number": [[1, "one"], [2, null]],
    });
    let mut value = enveloped(&fields, &payload);
    value["schema"]["name"] = json!("shop.Order");
    value
}

/// Sends `values` to two partitions by turns, lets the sink store them, and returns them by partition.
fn back_up(scenario: &Scenario, sink: &SinkConfig, values: &[Vec<u8>]) -> Vec<(i32, Option<Vec<u8>>)> {
    let records: Vec<Record> = (0..)
        .zip(values)
        .map(|(place, value)| {
            Record { key: Some(b"k".to_vec()), ..Record::of(value.clone()) }.in_partition(place % 2)
        })
        .collect();
    scenario.produce(&records);
    scenario.create(sink);
    let each = i64::try_from(values.len() / 2).expect("tests have few records");
    scenario.wait_for_commit(0, each);
    scenario.wait_for_commit(1, each);
    let mut sent: Vec<_> = records.into_iter().map(|record| (record.partition, record.value)).collect();
    sent.sort_by_key(|(partition, _)| *partition);
    sent
}

#[test]
fn typed_records_come_back_from_parquet_and_avro() {
    for (format, more) in [
        (PARQUET, [("parquet.codec", "zstd"), ("partitioner.class", "DefaultPartitioner")]),
        (AVRO, [("avro.codec", "snappy"), ("partitioner.class", "DefaultPartitioner")]),
        (PARQUET, [("parquet.codec", "snappy"), ("partitioner.class", DAILY)]),
    ] {
        let scenario = Scenario::start(2);
        let target = scenario.broker.create_topic("restored", 2).unwrap();
        let times = [("locale", "en"), ("timezone", "UTC"), ("timestamp.extractor", "Record")];
        let sink = scenario.config(5).with(&[("format.class", format)]).with(&times).with(&more);
        let orders: Vec<Vec<u8>> = (0..30).map(|id| order(id).to_string().into_bytes()).collect();
        let sent = back_up(&scenario, &sink, &orders);
        let name = unique("restore");
        let config = source(&scenario, &target, &[("format.class", format), more[1]]);
        scenario.worker.create(&name, &config);
        let found = restored(&scenario, &name, &target, 30);
        assert_eq!(as_json(&found), as_json(&sent), "{format}");
    }
}

#[test]
fn json_and_bytes_come_back_packed_and_plain() {
    let texts: Vec<Vec<u8>> = (0..20)
        .map(|id| match id % 4 {
            0 => json!({"id": id, "nested": {"list": [1, "two", null, 2.5]}}).to_string(),
            1 => json!([id, {"a": null}]).to_string(),
            2 => json!({"id": id}).to_string(),
            _ => json!(format!("text {id}")).to_string(),
        })
        .map(String::into_bytes)
        .collect();
    for (format, packing) in [(JSON, "gzip"), (JSON, "none"), (BYTES, "gzip"), (BYTES, "none")] {
        let scenario = Scenario::start(2);
        let target = scenario.broker.create_topic("restored", 2).unwrap();
        let converter = if format == BYTES { BYTES_CONVERTER } else { JSON_CONVERTER };
        let same = [
            ("format.class", format),
            ("value.converter", converter),
            ("value.converter.schemas.enable", "false"),
        ];
        let sink =
            scenario.config(3).with(&same).with(&[("s3.compression.type", packing), ("flush.size", "5")]);
        let sent = back_up(&scenario, &sink, &texts);
        let name = unique("restore");
        scenario.worker.create(&name, &source(&scenario, &target, &same));
        let found = restored(&scenario, &name, &target, texts.len());
        assert_eq!(as_json(&found), as_json(&sent), "{format} {packing}");
        if format == BYTES {
            assert_eq!(found, sent);
        }
    }
}

#[test]
fn each_record_comes_back_once_across_kills() {
    const EACH: i64 = 6_000;
    let mut scenario = Scenario::start_on(KafkaBroker::shared(), Versitygw::shared(), 2, &[EXACTLY_ONCE]);
    let target = scenario.broker.create_topic("restored", 2).unwrap();
    let value = |id: i64| enveloped(&[field("id", "int64")], &json!({"id": id})).to_string().into_bytes();
    let values_sent: Vec<Vec<u8>> = (0..2 * EACH).map(value).collect();
    let sent = back_up(&scenario, &scenario.config(500), &values_sent);
    let name = unique("restore");
    // Small transactions, so that a kill strikes between some of them.
    let slow = [("format.class", PARQUET), ("record.batch.max.size", "20"), ("transaction.boundary", "poll")];
    scenario.worker.create(&name, &source(&scenario, &target, &slow));
    let mut before = 0;
    for _ in 0..2 {
        wait_for("some of the records", PATIENCE, || {
            let found = values(&target).len();
            if found > before { Ok(()) } else { Err(found) }
        });
        scenario.worker.kill();
        before = values(&target).len();
        scenario.worker.restart().unwrap();
    }
    assert!(before < sent.len(), "the kills came too late to prove anything");
    let found = restored(&scenario, &name, &target, sent.len());
    assert_eq!(as_json(&found), as_json(&sent));
    // Nothing comes twice, also when the bucket is looked through again and the worker starts anew.
    scenario.worker.kill();
    scenario.worker.restart().unwrap();
    scenario.worker.wait_for_state(&name, "RUNNING", 2);
    scenario
        .objects
        .write(
            &scenario.object("partition=0", 0, EACH, "snappy.parquet"),
            scenario.objects.read(&scenario.object("partition=0", 0, EACH - 500, "snappy.parquet")).unwrap(),
        )
        .unwrap();
    let found = restored(&scenario, &name, &target, sent.len() + 500);
    assert_eq!(found.len(), sent.len() + 500);
}

#[test]
fn damage_does_as_configured_in_bounded_memory() {
    let scenario = Scenario::start(2);
    let target = scenario.broker.create_topic("restored", 2).unwrap();
    let lines: Vec<Vec<u8>> = (0..10).map(|id| json!({"id": id}).to_string().into_bytes()).collect();
    let sink = scenario.config(5).json_lines().with(&[("s3.compression.type", "gzip")]);
    let sent = back_up(&scenario, &sink, &lines);
    let put = |offset: i64, ending: &str, content: Vec<u8>| {
        let name = scenario.object("partition=0", 0, offset, ending);
        scenario.objects.write(&name, content).unwrap();
        name
    };
    let junk = put(3, "json", b"{\"id\": 1}\n{junk\n".to_vec());
    // A line of a gigabyte in a megabyte.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let spaces = vec![b'x'; 1 << 20];
    (0..1024).for_each(|_| packer.write_all(&spaces).unwrap());
    put(4, "json.gz", packer.finish().unwrap());
    let same = [("format.class", JSON), ("value.converter.schemas.enable", "false")];
    let failing = unique("restore");
    scenario.worker.create(&failing, &source(&scenario, &target, &same));
    let status = scenario.worker.wait_for_status(&failing, "a FAILED task", |status| {
        status["tasks"].as_array().is_some_and(|tasks| tasks.iter().any(|task| task["state"] == "FAILED"))
    });
    assert!(status.to_string().contains(&junk), "{status}");
    let target = scenario.broker.create_topic("restored", 2).unwrap();
    let tolerant = unique("restore");
    let log = [("behavior.on.error", "log")];
    scenario.worker.create(&tolerant, &source(&scenario, &target, &[same.as_slice(), &log].concat()));
    put(9, "json", b"{\"id\": 99}\n".to_vec());
    let found = restored(&scenario, &tolerant, &target, sent.len() + 2);
    let of_partition = |partition| {
        let found = as_json(&found).into_iter().filter(move |(of, _)| *of == partition);
        found.map(|(_, value)| value["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of_partition(0), [0, 2, 4, 6, 8, 1, 99], "the good line before the junk counts");
    assert_eq!(of_partition(1), [1, 3, 5, 7, 9]);
    assert!(scenario.worker.log().contains(&junk), "a line of the log names the object");
    let peak = scenario.worker.peak_memory_bytes().unwrap();
    assert!(peak < 500 << 20, "{peak} bytes for a line of a gigabyte");
}

#[test]
fn a_parquet_object_that_is_cut_short_fails_the_task_with_its_name() {
    let scenario = Scenario::start(2);
    let target = scenario.broker.create_topic("restored", 2).unwrap();
    let orders: Vec<Vec<u8>> = (0..4).map(|id| order(id).to_string().into_bytes()).collect();
    back_up(&scenario, &scenario.config(2), &orders);
    let name = scenario.object("partition=1", 1, 0, "snappy.parquet");
    let whole = scenario.objects.read(&name).unwrap();
    scenario.objects.write(&name, whole[..whole.len() / 2].to_vec()).unwrap();
    let restore = unique("restore");
    let one_task = [("format.class", PARQUET), ("tasks.max", "1")];
    scenario.worker.create(&restore, &source(&scenario, &target, &one_task));
    let trace = scenario.worker.wait_for_failure(&restore);
    assert!(trace.contains(&name) && trace.contains("Parquet"), "{trace}");
    wait_for("the other partition", PATIENCE, || match values(&target).len() {
        2 => Ok(()),
        other => Err(other),
    });
}

#[test]
fn plugins_and_their_validation_are_javas() {
    let scenario = Scenario::start(1);
    let rest = &scenario.worker.rest;
    let plugins = rest.get("/connector-plugins").unwrap().json();
    let is_it = |plugin: &Value| plugin["class"] == S3_SOURCE && plugin["type"] == "source";
    assert!(plugins.as_array().unwrap().iter().any(is_it), "{plugins}");
    let path = format!("/connector-plugins/{S3_SOURCE}/config/validate");
    let config = json!({"connector.class": S3_SOURCE, "name": "x", "mode": "OTHER", "tasks.max": "1"});
    let answer = rest.put(&path, &config).unwrap().expect_status(200).json();
    let entry = |name: &str| {
        let configs = answer["configs"].as_array().unwrap();
        configs.iter().find(|config| config["definition"]["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let errors = |name: &str| entry(name)["value"]["errors"].as_array().unwrap().len();
    assert_eq!(
        [errors("format.class"), errors("s3.bucket.name"), errors("mode"), errors("topics.dir")],
        [1, 1, 1, 0]
    );
    let default = |name: &str| entry(name)["definition"]["default_value"].clone();
    assert_eq!(default("s3.path.style.access"), "true");
    assert_eq!(default("record.batch.max.size"), "200");
    assert_eq!(entry("s3.proxy.username")["definition"]["required"], false);
}
