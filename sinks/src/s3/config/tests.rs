//! What validation answers. The key table is the Java sink's own answer, version 12.x.

mod formats;
mod forms;
mod ranges;
mod stores;

use lakeward_api::config::{ConfigMap, DefaultValue};

use super::{config_def, validate};
use crate::rig::key_rows;

/// Configuration keys with their texts.
type Pairs = &'static [(&'static str, &'static str)];

fn minimal() -> ConfigMap {
    props(&[
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("flush.size", "3"),
        ("s3.bucket.name", "bucket"),
        ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
    ])
}

fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Names of the keys with errors when `pairs` are added to a valid configuration.
fn refused(pairs: &[(&str, &str)]) -> Vec<String> {
    let mut config = minimal();
    config.extend(props(pairs));
    let values = validate(&config);
    values.into_iter().filter(|value| !value.errors.is_empty()).map(|value| value.name).collect()
}

const TIME_BASED: [(&str, &str); 5] = [
    ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
    ("partition.duration.ms", "3600000"),
    ("path.format", "YYYY/MM/dd/HH"),
    ("locale", "en-US"),
    ("timezone", "Europe/Paris"),
];

#[test]
fn the_definition_is_the_java_sinks() {
    let def = config_def();
    assert_eq!(key_rows(&def), JAVA_KEYS);
    assert!(def.keys().iter().all(|key| !key.documentation.is_empty()));
    assert_eq!(def.key("avro.codec").unwrap().default, DefaultValue::Text("null".to_owned()), "a word");
    assert_eq!(def.key("schema.compatibility").unwrap().order, 1);
    assert_eq!(def.key("parquet.codec").unwrap().order, 12);
    assert_eq!(def.key("s3.part.retries").unwrap().order, 18);
}

#[test]
fn valid_configurations_have_no_errors() {
    assert!(refused(&[]).is_empty());
    assert!(refused(&TIME_BASED).is_empty());
    let hourly = "io.confluent.connect.storage.partitioner.HourlyPartitioner";
    assert!(refused(&[("partitioner.class", hourly), ("locale", "de"), ("timezone", "+02:00")]).is_empty());
    assert!(
        refused(&[("store.url", "http://localhost:9000"), ("schema.compatibility", "sideways")]).is_empty()
    );
    assert!(refused(&[("store.url", "file:///data"), ("s3.compression.type", "gzip")]).is_empty());
    assert!(
        refused(&[(
            "s3.credentials.provider.class",
            "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
        )])
        .is_empty()
    );
}

#[test]
fn cross_checks_name_every_key_involved() {
    const PARQUET: (&str, &str) = ("format.class", "io.confluent.connect.s3.format.parquet.ParquetFormat");
    let cases: &[(Pairs, &[&str])] = &[
        (&[PARQUET, ("s3.compression.type", "gzip")], &["format.class", "s3.compression.type"]),
        (&[("s3.wan.mode", "true")], &["s3.wan.mode", "s3.path.style.access.enabled"]),
        (&[("rotate.schedule.interval.ms", "60000")], &["timezone"]),
        (
            &[("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner")],
            &["partition.field.name"],
        ),
        (
            &[("partitioner.class", "io.confluent.connect.storage.partitioner.DailyPartitioner")],
            &["locale", "timezone"],
        ),
        (&[("behavior.on.null.values", "write")], &["behavior.on.null.values", "store.kafka.keys"]),
        (&[("aws.access.key.id", "id")], &["aws.secret.access.key"]),
        (&[("aws.secret.access.key", "secret")], &["aws.access.key.id"]),
    ];
    for (given, expected) in cases {
        let mut found = refused(given);
        found.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{given:?}");
    }
}

#[test]
fn gzip_with_parquet_has_javas_words() {
    let mut config = minimal();
    let class = "io.confluent.connect.s3.format.parquet.ParquetFormat";
    config.extend(props(&[("format.class", class), ("s3.compression.type", "gzip")]));
    let values = validate(&config);
    let format = values.iter().find(|value| value.name == "format.class").unwrap();
    assert_eq!(
        format.errors,
        [format!("Compression Type gzip not valid for data format class: ( {class} ).")]
    );
}

#[test]
fn time_based_mistakes_are_found_before_the_task_starts() {
    let cases = [
        ("path.format", ""),
        ("path.format", "/"),
        ("path.format", "YYYY-jj"),
        ("partition.duration.ms", "0"),
        ("partition.duration.ms", "-1"),
        ("locale", ""),
        ("timezone", "Mars/Base"),
        ("timestamp.extractor", "com.example.Mine"),
        ("timestamp.field", "a..b"),
    ];
    for case in cases {
        let mut given = TIME_BASED.to_vec();
        given.push(case);
        assert_eq!(refused(&given), [case.0], "{case:?}");
    }
    let mut words = TIME_BASED.to_vec();
    words.extend([("path.format", "zzzz"), ("locale", "fr")]);
    assert!(refused(&words).is_empty(), "{:?}", refused(&words));
}

#[test]
fn settings_that_no_object_can_be_called_by_are_refused() {
    let long = "Y".repeat(5 << 10);
    let cases = [
        ("path.format", "'..'/YYYY"),
        ("path.format", "/YYYY"),
        ("path.format", "YYYY//MM"),
        ("path.format", "YYYY/'\0'"),
        ("path.format", long.as_str()),
        ("directory.delim", "//"),
        ("directory.delim", "/../"),
        ("file.delim", "/../"),
        ("format.bytearray.extension", "/../x"),
        ("partition.field.name", "a/../../b"),
    ];
    for case in cases {
        let mut given = TIME_BASED.to_vec();
        given.push(case);
        let found = refused(&given);
        assert!(found.iter().any(|key| key == case.0), "{case:?}: {found:?}");
    }
    assert!(refused(&[("lakeward.schema.evolution", "merge")]).is_empty());
    assert_eq!(refused(&[("lakeward.schema.evolution", "merge"), ("schema.compatibility", "FULL")]).len(), 2);
}

#[test]
fn secrets_are_not_repeated_in_errors() {
    let mut config = minimal();
    config.extend(props(&[("s3.proxy.password", "hunter2"), ("s3.sse.customer.key", "hunter2")]));
    let values = validate(&config);
    assert!(!format!("{values:?}").contains("hunter2"));
}

#[test]
fn the_separator_is_taken_untrimmed() {
    let mut config = minimal();
    assert_eq!(super::S3Config::parse(&config).unwrap().settings.output.bytes_separator, b"\n");
    config.extend(props(&[("format.bytearray.separator", " ; ")]));
    assert_eq!(super::S3Config::parse(&config).unwrap().settings.output.bytes_separator, b" ; ");
}

const JAVA_KEYS: &[&str] = &[
    "format.class|Connector|CLASS|required|HIGH",
    "flush.size|Connector|INT|required|HIGH",
    "rotate.interval.ms|Connector|LONG|-1|HIGH",
    "rotate.schedule.interval.ms|Connector|LONG|-1|MEDIUM",
    "schemas.cache.config|Connector|INT|1000|LOW",
    "enhanced.avro.schema.support|Connector|BOOLEAN|true|LOW",
    "connect.meta.data|Connector|BOOLEAN|true|LOW",
    "retry.backoff.ms|Connector|LONG|5000|LOW",
    "filename.offset.zero.pad.width|Connector|INT|10|LOW",
    "avro.codec|Connector|STRING|null|LOW",
    "allow.optional.map.keys|Connector|BOOLEAN|false|LOW",
    "schema.compatibility|Schema|STRING|NONE|HIGH",
    "parquet.codec|Connector|STRING|snappy|LOW",
    "s3.bucket.name|S3|STRING|required|HIGH",
    "s3.object.tagging|S3|BOOLEAN|false|LOW",
    "s3.object.tagging.key.value.pairs|S3|LIST|(empty)|LOW",
    "s3.object.behavior.on.tagging.error|S3|STRING|ignore|LOW",
    "s3.region|S3|STRING|us-west-2|MEDIUM",
    "s3.part.size|S3|INT|26214400|HIGH",
    concat!(
        "s3.credentials.provider.class|S3|CLASS|",
        "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider|LOW"
    ),
    "aws.access.key.id|S3|STRING|(empty)|HIGH",
    "aws.secret.access.key|S3|PASSWORD|[hidden]|HIGH",
    "s3.ssea.name|S3|STRING|(empty)|LOW",
    "s3.sse.customer.key|S3|PASSWORD|[hidden]|LOW",
    "s3.sse.kms.key.id|S3|STRING|(empty)|LOW",
    "s3.acl.canned|S3|STRING|null|LOW",
    "s3.wan.mode|S3|BOOLEAN|false|MEDIUM",
    "s3.compression.type|S3|STRING|none|LOW",
    "s3.compression.level|S3|INT|-1|LOW",
    "json.decimal.format|S3|STRING|BASE64|MEDIUM",
    "s3.part.retries|S3|INT|3|MEDIUM",
    "s3.retry.backoff.ms|S3|LONG|200|LOW",
    "format.bytearray.extension|S3|STRING|.bin|LOW",
    "format.bytearray.separator|S3|STRING|null|LOW",
    "s3.proxy.url|S3|STRING|(empty)|LOW",
    "s3.proxy.user|S3|STRING|null|LOW",
    "s3.proxy.password|S3|PASSWORD|[hidden]|LOW",
    "s3.http.send.expect.continue|S3|BOOLEAN|true|LOW",
    "behavior.on.null.values|S3|STRING|fail|LOW",
    "report.null.values.to.dlq|S3|BOOLEAN|true|LOW",
    "max.write.duration.ms|S3|LONG|9223372036854775807|LOW",
    "rotate.file.on.partition.change|S3|BOOLEAN|true|LOW",
    "tombstone.encoded.partition|S3|STRING|tombstone|LOW",
    "s3.schema.partition.affix.type|S3|STRING|NONE|LOW",
    "s3.send.digest|S3|BOOLEAN|false|LOW",
    "enable.conditional.writes|S3|BOOLEAN|true|LOW",
    "max.files.scan.limit||INT|100|LOW",
    "store.kafka.keys|Keys and Headers|BOOLEAN|false|LOW",
    "store.kafka.headers|Keys and Headers|BOOLEAN|false|LOW",
    "keys.format.class|Keys and Headers|CLASS|io.confluent.connect.s3.format.avro.AvroFormat|LOW",
    "headers.format.class|Keys and Headers|CLASS|io.confluent.connect.s3.format.avro.AvroFormat|LOW",
    "s3.path.style.access.enabled|Keys and Headers|BOOLEAN|true|LOW",
    "s3.elastic.buffer.enable|Keys and Headers|BOOLEAN|false|LOW",
    "s3.elastic.buffer.init.capacity|Keys and Headers|INT|131072|LOW",
    "partitioner.max.open.files||INT|-1|LOW",
    "storage.class|Storage|CLASS|required|HIGH",
    "topics.dir|Storage|STRING|topics|HIGH",
    "store.url|Storage|STRING|null|HIGH",
    "directory.delim|Storage|STRING|/|MEDIUM",
    "file.delim|Storage|STRING|+|MEDIUM",
    "partitioner.class|Partitioner|CLASS|io.confluent.connect.storage.partitioner.DefaultPartitioner|HIGH",
    "partition.field.name|Partitioner|LIST|(empty)|MEDIUM",
    "partition.duration.ms|Partitioner|LONG|-1|MEDIUM",
    "path.format|Partitioner|STRING|(empty)|MEDIUM",
    "locale|Partitioner|STRING|(empty)|MEDIUM",
    "timezone|Partitioner|STRING|(empty)|MEDIUM",
    "timestamp.extractor|Partitioner|STRING|Wallclock|MEDIUM",
    "timestamp.field|Partitioner|STRING|timestamp|MEDIUM",
];
