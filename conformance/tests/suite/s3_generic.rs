//! The S3 source in mode GENERIC: objects of any name, in any of its formats, to the topics of expressions.

use std::io::Write as _;

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON, PARQUET};
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::unique;
use serde_json::{Value, json};

use crate::s3_source::{AVRO, BYTES, BYTES_CONVERTER, EXACTLY_ONCE, order, restored_records, source};

const FORMATS: &str = "io.confluent.connect.cloud.storage.source.format.CloudStorage";
const SCHEMALESS: (&str, &str) = ("value.converter.schemas.enable", "false");

/// A source of the objects below `in`; without the transform that renames topics.
fn generic(scenario: &Scenario, topics: &str, more: &[(&str, &str)]) -> Value {
    let usual = [("mode", "GENERIC"), ("topics.dir", "in"), ("topic.regex.list", topics), ("transforms", "")];
    source(scenario, "", &[&usual, more].concat())
}

fn put(scenario: &Scenario, name: &str, content: &[u8]) {
    scenario.objects.write(name, content.to_vec()).expect("objects can be written");
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content).and_then(|()| packer.finish()).expect("memory takes bytes")
}

/// Values as text, sorted: the producer chooses partitions.
fn texts(records: &[Record]) -> Vec<String> {
    let text = |record: &Record| {
        assert_eq!((&record.key, record.headers.len()), (&None, 0), "{record:?}");
        String::from_utf8(record.value.clone().expect("there is a value")).expect("values are texts")
    };
    let mut texts: Vec<String> = records.iter().map(text).collect();
    texts.sort();
    texts
}

#[test]
fn objects_of_any_name_go_once_to_the_topic_of_the_first_expression() {
    let mut scenario = Scenario::start_on(KafkaBroker::shared(), Versitygw::shared(), 1, &[EXACTLY_ONCE]);
    let [first, second] = ["first", "second"].map(|stem| scenario.broker.create_topic(stem, 3).unwrap());
    let topics = format!("{first}:in/a/.*\\.json,{second}:.*/2[0-9]*\\.(json|json\\.gz)");
    put(&scenario, "in/a/1.json", b"10\n11\n");
    put(&scenario, "in/a/2.json", b"12\n");
    put(&scenario, "in/b/deep er/é/2024.json", b"20\n");
    put(&scenario, "in/b/2025.json.gz", &gzip(b"21\n22\n"));
    put(&scenario, "in/b/x.csv", b"no expression matches");
    put(&scenario, "out/a/1.json", b"not below topics.dir");
    let name = unique("generic");
    let config = generic(&scenario, &topics, &[("format.class", JSON), SCHEMALESS]);
    scenario.worker.create(&name, &config);
    assert_eq!(texts(&restored_records(&scenario, &name, &first, 3)), ["10", "11", "12"]);
    assert_eq!(texts(&restored_records(&scenario, &name, &second, 3)), ["20", "21", "22"]);

    // A name that sorts in front of all others is found, one that was read is not read again: neither in this
    // run nor in the next.
    put(&scenario, "in/a/0.json", b"13\n");
    put(&scenario, "in/a/1.json", b"91\n92\n93\n");
    assert_eq!(texts(&restored_records(&scenario, &name, &first, 4)), ["10", "11", "12", "13"]);
    scenario.worker.kill();
    put(&scenario, "in/a/3.json", b"14\n");
    scenario.worker.restart().unwrap();
    assert_eq!(texts(&restored_records(&scenario, &name, &first, 5)), ["10", "11", "12", "13", "14"]);
    assert_eq!(texts(&restored_records(&scenario, &name, &second, 3)), ["20", "21", "22"]);
}

#[test]
fn every_format_is_read_under_its_classes_of_both_packages() {
    let orders: Vec<Value> = (0..6).map(order).collect();
    for (format, simple) in [(PARQUET, "Parquet"), (AVRO, "Avro")] {
        let scenario = Scenario::start(1);
        // What the sink wrote, under names that no sink writes.
        scenario.produce(&orders.iter().map(Record::json).collect::<Vec<_>>());
        scenario.create(&scenario.config(6).with(&[("format.class", format)]));
        let written = scenario.wait_for_objects(1);
        put(&scenario, "in/x/any name", &scenario.objects.read(&written[0]).unwrap());
        for class in [format, &format!("{FORMATS}{simple}Format")] {
            let target = scenario.broker.create_topic("generic", 1).unwrap();
            let name = unique("generic");
            let config = generic(&scenario, &format!("{target}:.*"), &[("format.class", class)]);
            scenario.worker.create(&name, &config);
            let found = restored_records(&scenario, &name, &target, orders.len());
            let found: Vec<Value> = found.iter().map(|record| record.value_json().unwrap()).collect();
            assert_eq!(found, orders, "{class}");
        }
    }
}

#[test]
fn bytes_are_cut_at_separators_and_enveloped_json_has_its_schema() {
    let scenario = Scenario::start(1);
    put(&scenario, "in/bytes/1", b"a;\x00\xff;;b");
    let line = json!({"schema": {"type": "int64", "optional": false}, "payload": 7});
    put(&scenario, "in/json/1.gz", &gzip(format!("{line}\n{line}\n").as_bytes()));
    let [bytes, json] = ["bytes", "json"].map(|stem| scenario.broker.create_topic(stem, 1).unwrap());
    let class = format!("{FORMATS}ByteArrayFormat");
    for format in [BYTES, &class] {
        let name = unique("generic");
        let more = [
            ("format.class", format),
            ("value.converter", BYTES_CONVERTER),
            ("format.bytearray.separator", ";"),
        ];
        scenario.worker.create(&name, &generic(&scenario, &format!("{bytes}:in/bytes/.*"), &more));
        let count = if format == BYTES { 4 } else { 8 };
        let found = restored_records(&scenario, &name, &bytes, count);
        let found: Vec<&[u8]> =
            found[count - 4..].iter().map(|found| found.value.as_deref().unwrap()).collect();
        assert_eq!(found, [b"a".as_slice(), b"\x00\xff", b"", b"b"]);
    }
    let name = unique("generic");
    let class = format!("{FORMATS}JsonFormat");
    let more = [("format.class", class.as_str()), ("format.json.schema.enable", "true")];
    scenario.worker.create(&name, &generic(&scenario, &format!("{json}:in/json/.*"), &more));
    let found = restored_records(&scenario, &name, &json, 2);
    assert!(found.iter().all(|record| record.value_json().unwrap() == line), "{found:?}");
}

#[test]
fn records_say_in_headers_which_object_they_are_from() {
    let scenario = Scenario::start(1);
    let target = scenario.broker.create_topic("generic", 1).unwrap();
    put(&scenario, "in/deep/1.json", b"10\n11\n");
    let name = unique("generic");
    let more = [("format.class", JSON), SCHEMALESS, ("file.metadata.headers.enable", "true")];
    scenario.worker.create(&name, &generic(&scenario, &format!("{target}:.*"), &more));
    for record in restored_records(&scenario, &name, &target, 2) {
        let headers: Vec<(&str, &str)> = record
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap()))
            .collect();
        let [name, path, (modified, time), size] = headers[..] else { panic!("{headers:?}") };
        assert_eq!(name, ("source.file.name", "1.json"));
        assert_eq!(path, ("source.file.path", "in/deep/1.json"));
        assert_eq!(size, ("source.file.size", "6"));
        let is_instant =
            time.len() >= "2000-01-01T00:00:00Z".len() && time.ends_with('Z') && &time[10..11] == "T";
        assert!(modified == "source.file.last_modified" && is_instant, "{modified} {time}");
    }
}

#[test]
fn csv_becomes_records_of_texts_or_of_the_types_of_a_schema() {
    let scenario = Scenario::start(1);
    let csv = "id;\"the name\";rate\n1;\"a;\"\"b\"\"\nc\";0.5\n2;;\n";
    put(&scenario, "in/1.csv", csv.as_bytes());
    put(&scenario, "in/2.csv.gz", &gzip(csv.as_bytes()));
    let class = format!("{FORMATS}CsvFormat");
    let usual = [("format.class", class.as_str()), ("csv.separator.char", "59"), SCHEMALESS];
    let values = |more: &[(&str, &str)]| -> Vec<Value> {
        let target = scenario.broker.create_topic("csv", 1).unwrap();
        let name = unique("csv");
        let config = generic(&scenario, &format!("{target}:.*"), &[&usual, more].concat());
        scenario.worker.create(&name, &config);
        let found = restored_records(&scenario, &name, &target, 4);
        found.iter().map(|record| record.value_json().unwrap()).collect()
    };
    let text = "a;\"b\"\nc";
    let texts =
        [json!({"id": "1", "the name": text, "rate": "0.5"}), json!({"id": "2", "the name": "", "rate": ""})];
    assert_eq!(values(&[]), [texts.clone(), texts].concat());
    let schema = json!({"name": "shop.Row", "type": "STRUCT", "isOptional": false, "fieldSchemas": {
        "ID": {"type": "INT64", "isOptional": false}, "rate": {"type": "FLOAT64", "isOptional": true},
        "the name": {"type": "STRING", "isOptional": true}}});
    let typed = [("value.schema", schema.to_string()), ("csv.null.field.indicator", "BOTH".to_owned())];
    let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let rows =
        [json!({"ID": 1, "rate": 0.5, "the name": text}), json!({"ID": 2, "rate": null, "the name": null})];
    assert_eq!(values(&typed), [rows.clone(), rows].concat());
}

#[test]
fn csv_with_escapes_is_read_as_opencsv_reads_it() {
    let scenario = Scenario::start(1);
    put(&scenario, "in/1.csv", b"id,text\n1,a\\,b\\\\\n2,  \"x\\\"y\nz\"\n3,it\\'s\n");
    let class = format!("{FORMATS}CsvFormat");
    let target = scenario.broker.create_topic("csv", 1).unwrap();
    let name = unique("csv");
    let more = [("format.class", class.as_str()), ("csv.rfc.4180.parser.enabled", "false"), SCHEMALESS];
    scenario.worker.create(&name, &generic(&scenario, &format!("{target}:.*"), &more));
    let found = restored_records(&scenario, &name, &target, 3);
    let found: Vec<Value> = found.iter().map(|record| record.value_json().unwrap()).collect();
    let row = |id: &str, text: &str| json!({"id": id, "text": text});
    assert_eq!(found, [row("1", "a,b\\"), row("2", "x\"y\nz"), row("3", "it's")]);
}
