//! What forms show of keys, beside what Java's source says: width, title, and the keys that a key decides
//! about.

use lakeward_api::config::ConfigKey;

use super::config_def;

#[test]
fn forms_show_what_javas_show() {
    let row = |key: &ConfigKey| {
        let row = format!("{}|{}|{}", key.name, key.width.as_str(), key.display_name);
        if key.dependents.is_empty() { row } else { format!("{row}|{}", key.dependents.join(",")) }
    };
    let def = config_def();
    let keys = def.keys().iter().filter(|key| !key.name.starts_with("lakeward."));
    assert_eq!(keys.map(row).collect::<Vec<_>>(), FORMS);
}

/// Source: `S3SinkConnectorConfig#getConfig`, Confluent S3 sink 12.2.
const FORMS: &[&str] = &[
    "format.class|NONE|Format class",
    "flush.size|LONG|Flush Size",
    "rotate.interval.ms|MEDIUM|Rotate Interval (ms)",
    "rotate.schedule.interval.ms|MEDIUM|Rotate Schedule Interval (ms)",
    "schemas.cache.config|LONG|Schema Cache Size",
    "enhanced.avro.schema.support|SHORT|Enhanced Avro Support",
    "connect.meta.data|SHORT|Connect Metadata",
    "retry.backoff.ms|MEDIUM|Retry Backoff (ms)",
    "filename.offset.zero.pad.width|LONG|Filename Offset Zero Pad Width",
    "avro.codec|MEDIUM|Avro Compression Codec",
    "allow.optional.map.keys|SHORT|Allow Optional Map Keys",
    "schema.compatibility|SHORT|Schema Compatibility",
    "parquet.codec|MEDIUM|Parquet Compression Codec",
    "s3.bucket.name|LONG|S3 Bucket",
    "s3.object.tagging|LONG|S3 Object Tagging",
    "s3.object.tagging.key.value.pairs|LONG|S3 Object Tagging Extra Key Value pairs",
    "s3.object.behavior.on.tagging.error|SHORT|Behavior for S3 object tagging error",
    "s3.region|LONG|AWS region",
    "s3.part.size|LONG|S3 Part Size",
    "s3.credentials.provider.class|LONG|AWS Credentials Provider Class",
    "aws.access.key.id|LONG|AWS Access Key ID",
    "aws.secret.access.key|LONG|AWS Secret Access Key",
    "s3.ssea.name|LONG|S3 Server Side Encryption Algorithm",
    "s3.sse.customer.key|LONG|S3 Server-Side Encryption Customer-Provided Key (SSE-C)",
    "s3.sse.kms.key.id|LONG|S3 Server Side Encryption Key",
    "s3.acl.canned|LONG|S3 Canned ACL",
    "s3.wan.mode|LONG|S3 accelerated endpoint enabled",
    "s3.compression.type|LONG|Compression type",
    "s3.compression.level|LONG|Compression Level",
    "json.decimal.format|MEDIUM|Decimal Format",
    "s3.part.retries|LONG|S3 Part Upload Retries",
    "s3.retry.backoff.ms|SHORT|Retry Backoff (ms)",
    "format.bytearray.extension|LONG|Output file extension for ByteArrayFormat",
    "format.bytearray.separator|LONG|Line separator ByteArrayFormat",
    "s3.proxy.url|LONG|S3 Proxy Settings",
    "s3.proxy.user|LONG|S3 Proxy User",
    "s3.proxy.password|LONG|S3 Proxy Password",
    "s3.http.send.expect.continue|SHORT|S3 HTTP Send Uses Expect Continue",
    "behavior.on.null.values|SHORT|Behavior for null-valued records",
    "report.null.values.to.dlq|SHORT|Report null value to dlq",
    "max.write.duration.ms|SHORT|Maximum write duration",
    "rotate.file.on.partition.change|SHORT|Rotate files on partition change",
    "tombstone.encoded.partition|SHORT|Tombstone Encoded Partition",
    "s3.schema.partition.affix.type|LONG|Schema Partition Affix Type",
    "s3.send.digest|SHORT|S3 Send Upload Message Digest",
    "enable.conditional.writes|SHORT|Enable conditional writes during multipart upload",
    "max.files.scan.limit|NONE|max.files.scan.limit",
    "store.kafka.keys|SHORT|Store kafka keys|keys.format.class",
    "store.kafka.headers|SHORT|Store kafka headers|headers.format.class",
    "keys.format.class|NONE|Keys format class",
    "headers.format.class|NONE|Headers format class",
    "s3.path.style.access.enabled|SHORT|Enable Path Style Access to S3",
    "s3.elastic.buffer.enable|LONG|Enable elastic buffer to staging s3-part",
    "s3.elastic.buffer.init.capacity|LONG|Elastic buffer initial capacity",
    "partitioner.max.open.files|NONE|partitioner.max.open.files",
    "storage.class|NONE|Storage Class",
    "topics.dir|NONE|Topics directory",
    "store.url|NONE|Store URL",
    "directory.delim|LONG|Directory Delimiter",
    "file.delim|LONG|File Delimiter",
    concat!(
        "partitioner.class|LONG|Partitioner Class|",
        "partition.field.name,partition.duration.ms,path.format,locale,timezone"
    ),
    "partition.field.name|NONE|Partition Field Name",
    "partition.duration.ms|LONG|Partition Duration (ms)",
    "path.format|LONG|Path Format",
    "locale|LONG|Locale",
    "timezone|LONG|Timezone",
    "timestamp.extractor|LONG|Timestamp Extractor",
    "timestamp.field|LONG|Record Field for Timestamp Extractor",
];

#[test]
fn what_java_recommends_is_recommended() {
    let def = config_def();
    let recommended = |name: &str| def.key(name).unwrap().recommended_values.join(" ");
    let format = |class: &str| format!("io.confluent.connect.s3.format.{class}");
    let [avro, json, bytes, parquet] =
        ["avro.AvroFormat", "json.JsonFormat", "bytearray.ByteArrayFormat", "parquet.ParquetFormat"]
            .map(format);
    for name in ["format.class", "keys.format.class"] {
        assert_eq!(recommended(name), format!("{avro} {json} {bytes} {parquet}"));
    }
    assert_eq!(recommended("headers.format.class"), format!("{avro} {json} {parquet}"));
    assert_eq!(recommended("s3.compression.level"), "-1 0 1 2 3 4 5 6 7 8");
    assert!(recommended("s3.region").split(' ').any(|region| region == "eu-central-1"));
    assert_eq!(recommended("s3.ssea.name"), "AES256 aws:kms aws:kms:dsse");
    assert_eq!(recommended("storage.class"), "io.confluent.connect.s3.storage.S3Storage");
    assert!(recommended("parquet.codec").contains("brotli"));
}
