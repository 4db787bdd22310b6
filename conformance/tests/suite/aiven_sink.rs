//! The sinks of Aiven: names, formats, keys, and every record once whenever the worker dies. The most is
//! shown with that of S3.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON_CONVERTER, SinkConfig};
use lakeward_testkit::azurite::{ACCOUNT, ACCOUNT_KEY, Azurite};
use lakeward_testkit::gcs::FakeGcs;
use lakeward_testkit::objects::Objects;
use lakeward_testkit::records::Record;
use lakeward_testkit::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use serde_json::{Value, json};

use crate::decided_cuts::{Rig, survives_kills_of};

const CLASS: &str = "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector";
const GCS_CLASS: &str = "io.aiven.kafka.connect.gcs.GcsSinkConnector";
const AZURE_CLASS: &str = "io.aiven.kafka.connect.azure.sink.AzureBlobSinkConnector";
const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
/// 2023-11-14T22:13:20Z.
const TIME_MS: i64 = 1_700_000_000_000;

/// The S3 sink of `scenario` with values as bytes and files as they are.
pub(crate) fn config(scenario: &Scenario) -> SinkConfig {
    plain(&scenario.topic).with(&[
        ("connector.class", CLASS),
        ("aws.s3.bucket.name", scenario.objects.bucket()),
        ("aws.s3.region", REGION),
        ("aws.s3.endpoint", &Versitygw::shared().endpoint()),
        ("aws.access.key.id", ACCESS_KEY),
        ("aws.secret.access.key", SECRET_KEY),
        ("file.compression.type", "none"),
    ])
}

/// The GCS sink of `scenario`, which gets a bucket of that store.
pub(crate) fn gcs(scenario: &mut Scenario) -> SinkConfig {
    scenario.objects = FakeGcs::shared().create_bucket("lake").expect("buckets can be created");
    plain(&scenario.topic).with(&[
        ("connector.class", GCS_CLASS),
        ("gcs.bucket.name", scenario.objects.bucket()),
        ("gcs.endpoint", &FakeGcs::shared().endpoint()),
    ])
}

/// The Azure sink of `scenario`, which gets a container.
pub(crate) fn azure(scenario: &mut Scenario) -> SinkConfig {
    scenario.objects = Azurite::shared().create_container("lake").expect("containers can be created");
    let endpoint = Azurite::shared().endpoint();
    let connection = format!("AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};BlobEndpoint={endpoint};");
    plain(&scenario.topic).with(&[
        ("connector.class", AZURE_CLASS),
        ("azure.storage.container.name", scenario.objects.bucket()),
        ("azure.storage.connection.string", &connection),
    ])
}

/// What every sink has.
fn plain(topic: &str) -> SinkConfig {
    SinkConfig::of(&[
        ("tasks.max", "1"),
        ("topics", topic),
        ("consumer.override.session.timeout.ms", "6000"),
        ("consumer.override.heartbeat.interval.ms", "2000"),
        ("key.converter", STRING),
        ("value.converter", BYTES),
        ("header.converter", BYTES),
    ])
}

fn record(partition: i32, key: &str, value: &str) -> Record {
    Record { key: Some(key.into()), ..Record::of(value).in_partition(partition).at(TIME_MS) }
}

/// Names and texts of all objects, the names without the topic.
fn texts(scenario: &Scenario, count: usize) -> BTreeMap<String, String> {
    let names = scenario.wait_for_objects(count);
    let text = |name: &String| {
        let bytes = scenario.objects.read(name).expect("the object is read");
        (name.replace(&scenario.topic, "T"), String::from_utf8(bytes).expect("the object is text"))
    };
    names.iter().map(text).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

#[test]
fn csv_is_gzip_without_saying_so_and_holds_the_fields_that_were_asked_for() {
    let scenario = Scenario::start(2);
    let fields = ("format.output.fields", "key,value,offset,timestamp,headers");
    scenario.produce(&[
        record(0, "k1", "a,b").with_header("h", "x"),
        Record { value: None, key: None, ..record(0, "", "") },
        record(1, "k2", "c"),
    ]);
    let config = config(&scenario).with(&[fields]);
    let Value::Object(mut keys) = config.json() else { panic!("a configuration is an object") };
    keys.remove("file.compression.type");
    scenario.worker.create(&scenario.connector, &Value::Object(keys));
    let names = scenario.wait_for_objects(2);
    assert_eq!(names, [0, 1].map(|partition| format!("{}-{partition}-0", scenario.topic)));
    let text = |name: &str| {
        let mut text = String::new();
        let bytes = scenario.objects.read(name).expect("the object is read");
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("the object is gzip");
        text
    };
    assert_eq!(text(&names[0]), "azE=,YSxi,0,1700000000000,aA==:eA==;\n,,1,1700000000000,");
    assert_eq!(text(&names[1]), "azI=,Yw==,0,1700000000000,");
    scenario.wait_for_commit(0, 2);
    scenario.wait_for_commit(1, 1);
}

#[test]
fn json_has_objects_in_an_array_or_lines() {
    for (format, expected) in [
        (
            "json",
            "[\n{\"offset\":0,\"value\":{\"a\":1.5},\"key\":\"k\"},\n\
             {\"offset\":1,\"value\":null,\"key\":\"k\"}\n]",
        ),
        (
            "jsonl",
            "{\"offset\":0,\"value\":{\"a\":1.5},\"key\":\"k\"}\n{\"offset\":1,\"value\":null,\"key\":\"k\"}",
        ),
    ] {
        let scenario = Scenario::start(1);
        scenario.produce(&[record(0, "k", "{\"a\": 1.50}"), Record { value: None, ..record(0, "k", "") }]);
        scenario.create(&config(&scenario).with(&[
            ("format.output.type", format),
            ("format.output.fields", "key,value,offset"),
            ("value.converter", JSON_CONVERTER),
            ("value.converter.schemas.enable", "false"),
        ]));
        assert_eq!(texts(&scenario, 1), pairs([("T-0-0", expected)]), "{format}");
    }
}

/// A value with its schema, as `JsonConverter` writes it.
fn enveloped(id: i64) -> String {
    let field = json!({"field": "id", "type": "int64", "optional": false});
    let schema = json!({"type": "struct", "name": "Row", "optional": false, "fields": [field]});
    json!({"schema": schema, "payload": {"id": id}}).to_string()
}

#[test]
fn avro_and_parquet_are_read_by_their_own_readers() {
    let fields = ("format.output.fields", "key,value,offset,timestamp,headers");
    let converters = [("value.converter", JSON_CONVERTER), ("header.converter", STRING)];
    let scenario = Scenario::start(1);
    scenario.produce(&[record(0, "k0", &enveloped(5)).with_header("h", "x"), record(0, "k1", &enveloped(6))]);
    let avro = ("format.output.type", "avro");
    scenario.create(&config(&scenario).with(&converters).with(&[fields, avro, ("avro.codec", "snappy")]));
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [format!("{}-0-0.avro", scenario.topic)]);
    let files = scenario.objects.avro_files(&names).expect("Avro reads the file");
    assert_eq!(files[0]["codec"], "snappy");
    let rows = files[0]["rows"].as_array().expect("rows are a list");
    assert_eq!(rows.len(), 2, "{files:?}");
    assert_eq!((&rows[1]["value"]["id"], &rows[1]["offset"]), (&json!(6), &json!(1)), "{files:?}");

    let scenario = Scenario::start(1);
    scenario.produce(&[record(0, "k0", &enveloped(5)).with_header("h", "x"), record(0, "k1", &enveloped(6))]);
    let parquet = [("format.output.type", "parquet"), ("file.compression.type", "zstd")];
    scenario.create(&config(&scenario).with(&converters).with(&[fields]).with(&parquet));
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [format!("{}-0-0.zst", scenario.topic)]);
    let file = scenario.parquet(&names[0]);
    assert_eq!(file.codec, "ZSTD");
    let columns: Vec<&str> = file.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(columns, ["key", "value", "offset", "timestamp", "headers"]);
    let at = TIME_MS;
    assert_eq!(
        file.rows,
        [
            json!({"key": "k0", "value": {"id": 5}, "offset": 0, "timestamp": at, "headers": [["h", "x"]]}),
            json!({"key": "k1", "value": {"id": 6}, "offset": 1, "timestamp": at, "headers": []}),
        ]
    );
    let schema = file.metadata["parquet.avro.schema"].as_str().expect("the footer has a schema");
    assert!(schema.contains("io.aiven.parquet.output.schema"), "{schema}");
}

#[test]
fn an_object_of_a_key_holds_the_last_record_of_the_key() {
    let scenario = Scenario::start(1);
    let raw = ("format.output.fields.value.encoding", "none");
    scenario.create(&config(&scenario).with(&[raw, ("file.name.template", "by/{{key}}")]));
    scenario.produce(&[record(0, "a", "1"), record(0, "b", "2"), record(0, "a", "3")]);
    scenario.wait_for_commit(0, 3);
    assert_eq!(texts(&scenario, 2), pairs([("by/a", "3"), ("by/b", "2")]));
    scenario.produce(&[record(0, "b", "4")]);
    scenario.wait_for_commit(0, 4);
    assert_eq!(texts(&scenario, 2), pairs([("by/a", "3"), ("by/b", "4")]));
}

#[test]
fn templates_say_which_records_share_a_file() {
    let scenario = Scenario::start(1);
    scenario.produce(&[
        record(0, "a", "1"),
        record(0, "b", "2").at(TIME_MS + 3_600_000),
        record(0, "a", "3"),
        record(0, "a", "4"),
    ]);
    scenario.create(&config(&scenario).with(&[
        ("format.output.fields.value.encoding", "none"),
        (
            "file.name.template",
            "{{timestamp:unit=HH}}/{{key}}-{{topic}}-{{partition:padding=true}}-{{start_offset}}",
        ),
        ("file.name.timestamp.source", "EVENT"),
        ("file.name.timestamp.timezone", "+01:00"),
        ("file.max.records", "2"),
    ]));
    scenario.wait_for_commit(0, 4);
    assert_eq!(
        texts(&scenario, 3),
        pairs([("00/b-T-0000000000-1", "2"), ("23/a-T-0000000000-0", "1\n3"), ("23/a-T-0000000000-3", "4")])
    );
}

#[test]
fn the_old_way_of_naming_has_a_prefix() {
    let scenario = Scenario::start(1);
    scenario.produce(&[record(0, "a", "1")]);
    let prefix = ("aws_s3_prefix", "lake/{{topic}}/{{timestamp:unit=yyyy}}/");
    let clock = ("timestamp.source", "event");
    scenario.create(&config(&scenario).with(&[prefix, clock, ("format.output.fields", "value")]));
    assert_eq!(texts(&scenario, 1), pairs([("lake/T/2023/T-0-00000000000000000000", "MQ==")]));
}

#[test]
fn the_class_is_listed_and_its_configuration_is_judged() {
    let scenario = Scenario::start(1);
    let plugins =
        scenario.worker.rest.get("/connector-plugins").expect("the worker answers").expect_status(200);
    assert!(plugins.text.contains(CLASS), "{}", plugins.text);
    let path = "/connector-plugins/AivenKafkaConnectS3SinkConnector/config/validate";
    let wrong = [("name", "lake"), ("format.output.type", "xml"), ("aws.s3.region", "mars")];
    let wrong = config(&scenario).with(&wrong);
    let answer =
        scenario.worker.rest.put(path, &wrong.json()).expect("the worker answers").expect_status(200);
    let answer: Value = serde_json::from_str(&answer.text).expect("the answer is JSON");
    assert_eq!(answer["error_count"], 2, "{answer}");
    let own = ["AWS", "AWS STS", "S3 retry backoff policy", "File", "Format"];
    let groups = answer["groups"].as_array().expect("groups are a list");
    assert_eq!(groups[groups.len() - own.len()..], own.map(Value::from), "{answer}");
    let text = answer.to_string();
    let problem = "Invalid value xml for configuration format.output.type: Supported values are: 'avro', \
                   'csv', 'json', 'jsonl', 'parquet'";
    assert!(text.contains(problem), "{text}");
    // As in Java, what keys mean together is judged by the task.
    let wrong = config(&scenario).with(&[("file.name.template", "{{topic}}")]);
    scenario.create(&wrong);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(
        trace.contains("java.lang.IllegalArgumentException: unsupported set of template variables"),
        "{trace}"
    );
}

/// Values as lines of JSON.
fn lines(objects: &Objects, name: &str) -> Vec<Value> {
    let bytes = objects.read(name).expect("the object is read");
    let text = String::from_utf8(bytes).expect("the object is text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Kills a worker that flushes every 200 ms, again and again.
fn survives_kills(seed: u64, sink: fn(&mut Scenario) -> SinkConfig, settings: &[(&str, &str)]) {
    let settings = |scenario: &mut Scenario| {
        sink(scenario).with(settings).with(&[
            ("format.output.type", "jsonl"),
            ("format.output.fields", "value"),
            ("format.output.envelope", "false"),
            ("value.converter", JSON_CONVERTER),
            ("value.converter.schemas.enable", "false"),
        ])
    };
    survives_kills_of(Rig::start_with(seed, &[("offset.flush.interval.ms", "200")], settings, lines), 1);
}

#[test]
fn files_that_end_with_the_interval_hold_every_record_once_whenever_the_worker_is_killed() {
    survives_kills(71, |scenario| config(scenario), &[]);
}

#[test]
fn files_named_by_the_clock_hold_every_record_once_whenever_the_worker_is_killed() {
    let template = "{{timestamp:unit=HH}}/{{key}}-{{topic}}-{{partition}}-{{start_offset}}";
    let settings = [("file.name.template", template), ("file.max.records", "7")];
    survives_kills(83, |scenario| config(scenario), &settings);
}

#[test]
fn files_on_gcs_hold_every_record_once_whenever_the_worker_is_killed() {
    survives_kills(89, gcs, &[("file.max.bytes", "2000")]);
}

#[test]
fn files_on_azure_hold_every_record_once_whenever_the_worker_is_killed() {
    survives_kills(97, azure, &[("file.max.records", "7")]);
}

#[test]
fn gcs_and_azure_hold_the_files_of_s3_behind_a_prefix() {
    for sink in [gcs, azure] {
        let mut scenario = Scenario::start(1);
        let fields = ("format.output.fields", "key,value,offset,timestamp,headers");
        let prefix = ("file.name.prefix", "lake/{{raw}}/");
        let config = sink(&mut scenario).with(&[fields, prefix]);
        scenario.produce(&[
            record(0, "k1", "a,b").with_header("h", "x"),
            Record { value: None, key: None, ..record(0, "", "") },
        ]);
        scenario.create(&config);
        let text = "azE=,YSxi,0,1700000000000,aA==:eA==;\n,,1,1700000000000,";
        assert_eq!(texts(&scenario, 1), pairs([("lake/{{raw}}/T-0-0", text)]));
        scenario.wait_for_commit(0, 2);
    }
}

/// Why the connector does not start.
fn refusal(scenario: &Scenario) -> String {
    let is_failed = |status: &Value| status["connector"]["state"] == "FAILED";
    let status = scenario.worker.wait_for_status(&scenario.connector, "FAILED", is_failed);
    status["connector"]["trace"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn gcs_tells_what_the_keys_say_and_azure_hides_its_connection_string() {
    let mut scenario = Scenario::start(1);
    let wrong =
        gcs(&mut scenario).with(&[("gcs.credentials.default", "true"), ("gcs.credentials.path", "/x")]);
    scenario.create(&wrong);
    let trace = refusal(&scenario);
    assert!(trace.contains("Only one of gcs.credentials.default"), "{trace}");

    let mut scenario = Scenario::start(1);
    let secret = "c2VjcmV0LW9mLXRoaXMtYWNjb3VudA==";
    let connection = format!("AccountKey={secret}");
    let wrong = azure(&mut scenario).with(&[("azure.storage.connection.string", &connection)]);
    scenario.create(&wrong);
    let trace = refusal(&scenario);
    assert!(trace.contains("AccountName is missing") && !trace.contains(secret), "{trace}");
    assert!(!scenario.worker.log().contains(secret), "the log shows the secret");
}
