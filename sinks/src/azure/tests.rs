//! What validation answers, and the client against a real server of Azure Blob Storage with a proxy between
//! them that shows what was sent.

mod client;

use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_testkit::azurite::ACCOUNT_KEY;

use super::{blob, lake};
use crate::rig::key_rows;

/// A valid configuration of the blob sink with `pairs`.
fn blob_props(pairs: &[(&str, &str)]) -> ConfigMap {
    let base = [
        ("format.class", "io.confluent.connect.azure.blob.format.json.JsonFormat"),
        ("flush.size", "3"),
        ("azblob.account.name", "lakewardtest"),
        ("azblob.account.key", ACCOUNT_KEY),
    ];
    base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A valid configuration of the lake sink with `pairs`.
fn lake_props(pairs: &[(&str, &str)]) -> ConfigMap {
    let base = [
        ("format.class", "io.confluent.connect.azure.storage.format.json.JsonFormat"),
        ("flush.size", "3"),
        ("azure.datalake.gen2.account.name", "lakewardtest"),
        ("azure.datalake.gen2.access.key", ACCOUNT_KEY),
    ];
    base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Names and problems of the keys with errors.
fn refused(values: Vec<ConfigValue>) -> Vec<(String, String)> {
    let values = values.into_iter();
    values.flat_map(|value| value.errors.into_iter().map(move |error| (value.name.clone(), error))).collect()
}

fn assert_refused(found: &[(String, String)], name: &str, problem: &str) {
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    assert_eq!(found[0].0, name);
    assert!(found[0].1.contains(problem), "{}", found[0].1);
}

fn assert_documented(def: &ConfigDef) {
    assert!(def.keys().iter().all(|key| !key.documentation.is_empty()));
    assert_eq!(def.key("parquet.codec").unwrap().order, 13, "one behind that of S3");
}

#[test]
fn the_definitions_are_the_java_sinks() {
    let def = blob::config_def();
    let known = key_rows(&def);
    // Newer than the table.
    let token = "azblob.sas.token|Azure|PASSWORD|[hidden]|HIGH";
    assert!(known.iter().any(|row| row == token));
    let known: Vec<String> = known.into_iter().filter(|row| row != token).collect();
    assert_eq!(known, BLOB_KEYS);
    assert_documented(&def);
    let def = lake::config_def();
    assert_eq!(key_rows(&def), LAKE_KEYS);
    assert_documented(&def);
}

#[test]
fn configurations_of_the_java_sinks_are_taken() {
    let usual = [
        ("az.compression.type", "gzip"),
        ("behavior.on.null.values", "ignore"),
        ("confluent.license", ""),
        ("confluent.topic.bootstrap.servers", "broker:9092"),
        ("storage.class", "io.confluent.connect.azure.blob.storage.AzureBlobStorage"),
        ("azblob.retry.type", "FIXED"),
        ("azblob.block.size", "1048576"),
    ];
    assert_eq!(refused(blob::validate(&blob_props(&usual))), []);
    let config = blob::BlobConfig::parse(&blob_props(&usual)).unwrap();
    assert_eq!(config.settings.layout.topics_dir, "topics");
    assert_eq!(config.settings.output.null_values, "ignore");
    assert_eq!(config.account.container, "default");
    assert_eq!(config.account.patience.tries_max, 4, "three retries");
    let mut props = blob_props(&[("azblob.sas.token", "?sv=2021&sig=abc%3D")]);
    props.remove("azblob.account.key");
    assert_eq!(refused(blob::validate(&props)), []);
    assert!(blob::BlobConfig::parse(&props).is_ok());

    let mut props = lake_props(&[
        ("topics.dir", "raw-data"),
        ("azure.datalake.gen2.client.id", "7f3a"),
        ("azure.datalake.gen2.client.key", "secret"),
        ("azure.datalake.gen2.token.endpoint", "https://login.microsoftonline.com/t/oauth2/token"),
    ]);
    props.remove("azure.datalake.gen2.access.key");
    assert_eq!(refused(lake::validate(&props)), []);
    let config = lake::LakeConfig::parse(&props).unwrap();
    assert_eq!(
        (config.account.container.as_str(), config.settings.layout.topics_dir.as_str()),
        ("raw-data", "")
    );
}

#[test]
fn what_the_blob_sink_does_not_honour_is_refused_with_its_key() {
    let cases = [
        ("azblob.account.name", "ab", "3-24 alphanumeric"),
        ("azblob.account.name", "not_one", "3-24 alphanumeric"),
        ("azblob.container.name", "a/../b", "3-63 alphanumeric"),
        ("azblob.account.key", "secret!", "not a key in base64"),
        ("azblob.sas.token", "secret", "not a shared access signature"),
        ("credentials.provider.class", "com.example.Mine", "not supported by Lakeward"),
        ("azblob.retry.type", "SOMETIMES", "must be one of"),
        ("az.compression.type", "zip", "must be one of"),
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat", "could not be found"),
        ("storage.class", "io.confluent.connect.s3.storage.S3Storage", "could not be found"),
        ("azblob.proxy.url", "ftp://proxy", "use http"),
        ("connect.azblob.useragent", "a\u{7}b", "visible characters"),
        ("store.url", "file:///data", "use https"),
    ];
    for (name, value, problem) in cases {
        let found = refused(blob::validate(&blob_props(&[(name, value)])));
        assert_refused(&found, name, problem);
        assert!(!found[0].1.contains("secret"), "{}", found[0].1);
    }
    let mut props = blob_props(&[]);
    props.remove("azblob.account.key");
    let names: Vec<String> = refused(blob::validate(&props)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["azblob.account.key", "azblob.sas.token"]);
}

#[test]
fn what_the_lake_sink_does_not_honour_is_refused_with_its_key() {
    let cases = [
        ("topics.dir", "a/b", "names the file system"),
        ("azure.datalake.gen2.token.endpoint", "https://login.microsoftonline.com/", "/oauth2/token"),
        ("azure.datalake.gen2.access.key", "secret!", "not a key in base64"),
        ("credentials.provider.class", "com.example.Mine", "not supported by Lakeward"),
    ];
    for (name, value, problem) in cases {
        assert_refused(&refused(lake::validate(&lake_props(&[(name, value)]))), name, problem);
    }
    let mut props = lake_props(&[("azure.datalake.gen2.client.id", "7f3a")]);
    props.remove("azure.datalake.gen2.access.key");
    let names: Vec<String> = refused(lake::validate(&props)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["azure.datalake.gen2.client.key", "azure.datalake.gen2.token.endpoint"]);
}

/// The published key tables of the Java sinks.
const BLOB_KEYS: [&str; 51] = [
    "topics.dir|Storage|STRING|topics|HIGH",
    "directory.delim|Storage|STRING|/|MEDIUM",
    "file.delim|Storage|STRING|+|MEDIUM",
    "storage.class|Storage|CLASS|io.confluent.connect.azure.blob.storage.AzureBlobStorage|LOW",
    "store.url|Storage|STRING|null|LOW",
    "format.class|Connector|CLASS|required|HIGH",
    "flush.size|Connector|INT|required|HIGH",
    "rotate.interval.ms|Connector|LONG|-1|HIGH",
    "rotate.schedule.interval.ms|Connector|LONG|-1|MEDIUM",
    "schemas.cache.config|Connector|INT|1000|LOW",
    "enhanced.avro.schema.support|Connector|BOOLEAN|true|LOW",
    "connect.meta.data|Connector|BOOLEAN|true|LOW",
    "retry.backoff.ms|Connector|LONG|5000|LOW",
    "shutdown.timeout.ms|Connector|LONG|3000|MEDIUM",
    "filename.offset.zero.pad.width|Connector|INT|10|LOW",
    "avro.codec|Connector|STRING|null|LOW",
    "allow.optional.map.keys|Connector|BOOLEAN|false|LOW",
    "schema.compatibility|Schema|STRING|NONE|HIGH",
    "parquet.codec|Connector|STRING|snappy|LOW",
    "format.bytearray.extension|Azure Common|STRING|.bin|LOW",
    "format.bytearray.separator|Azure Common|STRING|null|LOW",
    "az.compression.type|Azure Common|STRING|none|LOW",
    "behavior.on.null.values|Azure Common|STRING|FAIL|LOW",
    "partitioner.max.open.files||INT|-1|LOW",
    "max.files.scan.limit||INT|100|LOW",
    "rotate.file.on.partition.change||BOOLEAN|true|LOW",
    "partitioner.class|Partitioner|CLASS|io.confluent.connect.storage.partitioner.DefaultPartitioner|HIGH",
    "partition.field.name|Partitioner|LIST|(empty)|MEDIUM",
    "partition.duration.ms|Partitioner|LONG|-1|MEDIUM",
    "path.format|Partitioner|STRING|(empty)|MEDIUM",
    "locale|Partitioner|STRING|(empty)|MEDIUM",
    "timezone|Partitioner|STRING|(empty)|MEDIUM",
    "timestamp.extractor|Partitioner|STRING|Wallclock|MEDIUM",
    "timestamp.field|Partitioner|STRING|timestamp|MEDIUM",
    "azblob.account.name|Azure|STRING|required|HIGH",
    "azblob.account.key|Azure|PASSWORD|[hidden]|HIGH",
    "credentials.provider.class||STRING|null|LOW",
    "azblob.container.name|Azure|STRING|default|MEDIUM",
    "azblob.block.size|Azure|INT|26214400|HIGH",
    "azblob.retry.type|Azure|STRING|EXPONENTIAL|LOW",
    "azblob.retry.retries|Azure|INT|3|MEDIUM",
    "azblob.connection.timeout.ms|Azure|LONG|30000|MEDIUM",
    "azblob.retry.backoff.ms|Azure|LONG|4000|LOW",
    "azblob.retry.max.backoff.ms|Azure|LONG|120000|LOW",
    "azblob.retry.secondary.host|Azure|STRING|null|LOW",
    "azblob.proxy.url|Azure|STRING|(empty)|LOW",
    "azblob.proxy.user|Azure|STRING|null|LOW",
    "azblob.proxy.password|Azure|PASSWORD|[hidden]|LOW",
    "enable.conditional.writes|Azure|BOOLEAN|true|LOW",
    "azblob.write.timeout.ms||LONG|60000|LOW",
    "connect.azblob.useragent||STRING|APN/1.0 Confluent/1.0 AzureBlobSink/|LOW",
];

const LAKE_KEYS: [&str; 44] = [
    "topics.dir|Storage|STRING|topics|HIGH",
    "directory.delim|Storage|STRING|/|MEDIUM",
    "file.delim|Storage|STRING|+|MEDIUM",
    "storage.class|Storage|CLASS|\
     io.confluent.connect.azure.datalake.gen2.storage.AzureDataLakeGen2Storage|LOW",
    "format.class|Connector|CLASS|required|HIGH",
    "flush.size|Connector|INT|required|HIGH",
    "rotate.interval.ms|Connector|LONG|-1|HIGH",
    "rotate.schedule.interval.ms|Connector|LONG|-1|MEDIUM",
    "schemas.cache.config|Connector|INT|1000|LOW",
    "enhanced.avro.schema.support|Connector|BOOLEAN|true|LOW",
    "connect.meta.data|Connector|BOOLEAN|true|LOW",
    "retry.backoff.ms|Connector|LONG|5000|LOW",
    "shutdown.timeout.ms|Connector|LONG|3000|MEDIUM",
    "filename.offset.zero.pad.width|Connector|INT|10|LOW",
    "avro.codec|Connector|STRING|null|LOW",
    "allow.optional.map.keys|Connector|BOOLEAN|false|LOW",
    "schema.compatibility|Schema|STRING|NONE|HIGH",
    "parquet.codec|Connector|STRING|snappy|LOW",
    "format.bytearray.extension|Azure Common|STRING|.bin|LOW",
    "format.bytearray.separator|Azure Common|STRING|null|LOW",
    "az.compression.type|Azure Common|STRING|none|LOW",
    "behavior.on.null.values|Azure Common|STRING|FAIL|LOW",
    "partitioner.max.open.files||INT|-1|LOW",
    "max.files.scan.limit||INT|100|LOW",
    "rotate.file.on.partition.change||BOOLEAN|true|LOW",
    "partitioner.class|Partitioner|CLASS|io.confluent.connect.storage.partitioner.DefaultPartitioner|HIGH",
    "partition.field.name|Partitioner|LIST|(empty)|MEDIUM",
    "partition.duration.ms|Partitioner|LONG|-1|MEDIUM",
    "path.format|Partitioner|STRING|(empty)|MEDIUM",
    "locale|Partitioner|STRING|(empty)|MEDIUM",
    "timezone|Partitioner|STRING|(empty)|MEDIUM",
    "timestamp.extractor|Partitioner|STRING|Wallclock|MEDIUM",
    "timestamp.field|Partitioner|STRING|timestamp|MEDIUM",
    "store.url|Storage|STRING|null|LOW",
    "azure.datalake.gen2.account.name|Azure|STRING|required|HIGH",
    "azure.datalake.gen2.client.id|Azure|STRING|null|HIGH",
    "azure.datalake.gen2.client.key|Azure|PASSWORD|[hidden]|HIGH",
    "azure.datalake.gen2.token.endpoint|Azure|STRING|null|HIGH",
    "azure.datalake.gen2.access.key|Azure|PASSWORD|[hidden]|HIGH",
    "azure.datalake.gen2.sas.keyname|Azure|STRING|null|LOW",
    "azure.datalake.gen2.sas.key|Azure|PASSWORD|[hidden]|HIGH",
    "credentials.provider.class||STRING|(empty)|LOW",
    "azure.datalake.gen2.block.size||INT|5242880|HIGH",
    "connect.azure.datalake.gen2.useragent||STRING|APN/1.0 Confluent/1.0 AzureDataLakeGen2Sink/|LOW",
];
