//! Google Cloud Storage, Azure Blob Storage and data lakes of Azure: the same objects with the same names and
//! rows as on S3, each exactly once.

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::SinkConfig;
use lakeward_testkit::azurite::Azurite;
use lakeward_testkit::gcs::FakeGcs;
use lakeward_testkit::objects::Objects;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::unique;
use serde_json::{Value, json};

use crate::schema_evolution::order;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Blob,
    Gcs,
    Lake,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Blob, Self::Gcs, Self::Lake];

    fn class(self) -> &'static str {
        match self {
            Self::Blob => "io.confluent.connect.azure.blob.AzureBlobStorageSinkConnector",
            Self::Gcs => "io.confluent.connect.gcs.GcsSinkConnector",
            Self::Lake => "io.confluent.connect.azure.datalake.gen2.AzureDataLakeGen2SinkConnector",
        }
    }

    /// A bucket of its own; the sink makes that of a lake.
    pub(crate) fn objects(self) -> Objects {
        match self {
            Self::Blob => Azurite::shared().create_container("lake").expect("containers can be created"),
            Self::Gcs => FakeGcs::shared().create_bucket("lake").expect("buckets can be created"),
            Self::Lake => Azurite::shared().container(unique("lake")).expect("a client can be made"),
        }
    }

    /// A worker, a topic, and a bucket of this kind.
    pub(crate) fn scenario(self, partitions: i32) -> Scenario {
        let mut scenario = Scenario::start(partitions);
        scenario.objects = self.objects();
        scenario
    }

    pub(crate) fn config(self, scenario: &Scenario, flush_size: usize) -> SinkConfig {
        let make = match self {
            Self::Blob => SinkConfig::azure_blob,
            Self::Gcs => SinkConfig::gcs,
            Self::Lake => SinkConfig::azure_lake,
        };
        make(&scenario.topic, &scenario.objects, flush_size)
    }

    pub(crate) fn format(self, class: &str) -> String {
        match self {
            Self::Blob => format!("io.confluent.connect.azure.blob.format.{class}"),
            Self::Gcs => format!("io.confluent.connect.gcs.format.{class}"),
            Self::Lake => format!("io.confluent.connect.azure.storage.format.{class}"),
        }
    }

    /// The name of an object of partition 0. The top directory of a lake is its file system.
    fn object(self, scenario: &Scenario, start_offset: i64, ending: &str) -> String {
        let name = scenario.object("partition=0", 0, start_offset, ending);
        if self == Self::Lake { name["topics/".len()..].to_owned() } else { name }
    }

    /// The key of the compression.
    fn compression(self) -> &'static str {
        if self == Self::Gcs { "gcs.compression.type" } else { "az.compression.type" }
    }
}

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["id"].as_u64().expect("ids are numbers")).collect()
}

#[test]
fn every_store_holds_parquet_with_the_names_and_rows_of_s3() {
    for kind in Kind::ALL {
        let scenario = kind.scenario(1);
        scenario.create(&kind.config(&scenario, 2));
        // Before its file system is there, a lake has nothing to list.
        scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
        scenario.produce_json(&[numbered(1), numbered(2), numbered(3), numbered(4)]);
        scenario.wait_for_commit(0, 4);
        let names = scenario.objects.names().unwrap();
        let expected = [0, 2].map(|start| kind.object(&scenario, start, "snappy.parquet"));
        assert_eq!(names, expected, "{kind:?}");
        assert_eq!(ids(&scenario.objects.parquet_rows().unwrap()), [1, 2, 3, 4], "{kind:?}");
    }
}

#[test]
fn every_store_holds_json_lines_and_avro() {
    for kind in Kind::ALL {
        let scenario = kind.scenario(1);
        let json = kind.format("json.JsonFormat");
        let config = kind.config(&scenario, 2).schemaless().with(&[("format.class", &json)]);
        scenario.create(&config);
        scenario.produce_json(&[json!({"id": 1}), json!({"id": 2})]);
        scenario.wait_for_commit(0, 2);
        let name = kind.object(&scenario, 0, "json");
        assert_eq!(scenario.objects.names().unwrap(), [name.as_str()], "{kind:?}");
        assert_eq!(ids(&scenario.objects.json_rows(&name).unwrap()), [1, 2], "{kind:?}");

        let scenario = kind.scenario(1);
        let avro = kind.format("avro.AvroFormat");
        scenario
            .create(&kind.config(&scenario, 2).with(&[("format.class", &avro), ("avro.codec", "snappy")]));
        scenario.produce_json(&[numbered(1), numbered(2)]);
        scenario.wait_for_commit(0, 2);
        let names = scenario.objects.names().unwrap();
        assert_eq!(names, [kind.object(&scenario, 0, "avro")], "{kind:?}");
        let file = scenario.objects.avro_files(&names).unwrap().remove(0);
        assert_eq!((&file["codec"], &file["rows"]), (&json!("snappy"), &json!([{"id": 1}, {"id": 2}])));
    }
}

#[test]
fn every_store_holds_one_file_over_versions_of_a_schema() {
    for kind in Kind::ALL {
        let scenario = kind.scenario(1);
        scenario.create(&kind.config(&scenario, 4).with(&[("lakeward.schema.evolution", "merge")]));
        scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
        scenario.produce_json(&[order(1, 0), order(2, 1), order(1, 2), order(2, 3)]);
        scenario.wait_for_commit(0, 4);
        let names = scenario.objects.names().unwrap();
        assert_eq!(names, [kind.object(&scenario, 0, "snappy.parquet")], "{kind:?}");
        let row = |id: i64, city: Option<&str>| json!({"id": id, "city": city});
        let expected = [row(0, None), row(1, Some("Rome")), row(2, None), row(3, Some("Rome"))];
        assert_eq!(scenario.objects.parquet_rows().unwrap(), expected, "{kind:?}");
    }
}

#[test]
fn every_store_takes_objects_of_many_parts_and_compressed_lines() {
    // Text that gzip cannot make small, more than a part of 5 MiB.
    let value = |id: u64| {
        let mut state = id;
        let text: String = (0..6000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                format!("{:016x}", state ^ (state >> 29))
            })
            .collect();
        json!({"id": id, "text": text})
    };
    for kind in Kind::ALL {
        let scenario = kind.scenario(1);
        let json = kind.format("json.JsonFormat");
        let config = kind.config(&scenario, 150).schemaless().with(&[
            ("format.class", &json),
            (kind.compression(), "gzip"),
            ("gcs.part.size", "5242880"),
            ("azblob.block.size", "1048576"),
            ("azure.datalake.gen2.block.size", "1048576"),
        ]);
        scenario.create(&config);
        let values: Vec<Value> = (0..150).map(value).collect();
        for some in values.chunks(10) {
            scenario.produce_json(some);
        }
        scenario.wait_for_commit(0, 150);
        let name = kind.object(&scenario, 0, "json.gz");
        assert_eq!(scenario.objects.names().unwrap(), [name.as_str()], "{kind:?}");
        let bytes = scenario.objects.read(&name).unwrap();
        assert!(bytes.len() > 5 << 20, "{kind:?}: {} bytes are one part", bytes.len());
        let mut lines = String::new();
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut lines)
            .unwrap();
        let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows, values, "{kind:?}");
    }
}

#[test]
fn a_kill_in_the_middle_loses_nothing_and_repeats_nothing() {
    const PARTITIONS: i32 = 2;
    const ROUND: usize = 500;
    let schedule = [("rotate.schedule.interval.ms", "300"), ("timezone", "UTC")];
    for (kind, by_clock) in [(Kind::Gcs, true), (Kind::Blob, true), (Kind::Lake, false)] {
        let mut scenario = kind.scenario(PARTITIONS);
        let mut config = kind.config(&scenario, if by_clock { 1_000_000 } else { 120 });
        if by_clock {
            config = config.with(&schedule);
        }
        scenario.create(&config);
        scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
        let mut oracle = Oracle::new();
        let rounds = 2;
        for round in 1..=rounds {
            for partition in 0..PARTITIONS {
                let records: Vec<Record> = (0..ROUND)
                    .map(|_| Record::json(&numbered(oracle.next_id())).in_partition(partition))
                    .collect();
                scenario.produce(&records);
            }
            // Files of this round are on their way or complete, and nothing waits for their commits.
            scenario.wait_for_objects(round);
            scenario.worker.kill();
            scenario.worker.restart().unwrap();
        }
        if !by_clock {
            // The last records do not fill a file.
            let rest = rounds * ROUND % 120;
            for partition in 0..PARTITIONS {
                let records: Vec<Record> = (rest..120)
                    .map(|_| Record::json(&numbered(oracle.next_id())).in_partition(partition))
                    .collect();
                scenario.produce(&records);
            }
        }
        let end = if by_clock { rounds * ROUND } else { (rounds * ROUND).div_ceil(120) * 120 };
        for partition in 0..PARTITIONS {
            scenario.wait_for_commit(partition, i64::try_from(end).unwrap());
        }
        let rows = scenario.objects.parquet_rows().unwrap();
        oracle.assert(Guarantee::ExactlyOnce, ids(&rows));
    }
}

#[test]
fn wrong_credentials_are_told_with_their_setting_and_without_the_secret() {
    let secret = "bm90LXRoZS1rZXktb2YtdGhpcy1hY2NvdW50";
    let cases = [
        (Kind::Blob, "azblob.account.key", secret),
        (Kind::Lake, "azure.datalake.gen2.access.key", secret),
        (Kind::Gcs, "gcs.credentials.path", "/no/such/key.json"),
    ];
    for (kind, name, value) in cases {
        let scenario = kind.scenario(1);
        let config = kind.config(&scenario, 1).without("gcs.credentials.json").with(&[(name, value)]);
        scenario.create(&config);
        let trace = scenario.worker.wait_for_failure(&scenario.connector);
        assert!(trace.contains(name), "{trace}");
        assert!(!trace.contains(secret), "the trace shows the secret");
        assert!(!scenario.worker.log().contains(secret), "the log shows the secret");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_every_problem() {
    let scenario = Kind::Gcs.scenario(1);
    let cases: [(Kind, &[(&str, &str)]); 3] = [
        (Kind::Gcs, &[("gcs.credentials.json", "{}"), ("gcs.part.size", "1")]),
        (Kind::Blob, &[("azblob.account.name", "a"), ("azblob.account.key", "?")]),
        (Kind::Lake, &[("topics.dir", "a/b"), ("credentials.provider.class", "com.example.Mine")]),
    ];
    for (kind, wrong) in cases {
        let config = kind.config(&scenario, 1).with(wrong);
        let body = json!({"name": unique("refused"), "config": config.json()});
        let answer = scenario.worker.rest.post("/connectors", &body).unwrap().expect_status(400);
        let message = answer.message();
        assert!(message.contains("contains the following 2 error(s)"), "{message}");
        for (name, _) in wrong {
            assert!(message.contains(name), "{name} is not in {message}");
        }
    }
}

#[test]
fn the_plugins_are_listed_with_their_settings() {
    let scenario = Scenario::start(1);
    let plugins = scenario.worker.rest.get("/connector-plugins").unwrap().json();
    for kind in Kind::ALL {
        let plugin = plugins.as_array().unwrap().iter().find(|plugin| plugin["class"] == kind.class());
        assert_eq!(plugin.expect("it is listed")["type"], "sink");
        let path = format!("/connector-plugins/{}/config", kind.class());
        let keys = scenario.worker.rest.get(&path).unwrap().expect_status(200).json();
        let has = |name: &str| keys.as_array().unwrap().iter().any(|key| key["name"] == name);
        assert!(has("flush.size") && has("topics.dir") && has("lakeward.parquet.page.rows"));
        assert_eq!((has("gcs.bucket.name"), has("s3.bucket.name")), (kind == Kind::Gcs, false));
        assert_eq!(has("azblob.container.name"), kind == Kind::Blob);
    }
}
