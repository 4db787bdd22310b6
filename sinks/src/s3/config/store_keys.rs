//! The keys of groups "S3" and "Keys and Headers". Owns definitions only.
//!
//! Source: `S3SinkConnectorConfig` of the Confluent S3 sink.

use lakeward_api::config::{ConfigDef, Password};

use super::validators;

/// Group "S3", first part: the bucket, credentials and encryption.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(crate) struct BucketKeys {
    /// The bucket; it must exist.
    #[config(name = "s3.bucket.name", kind = "string", default = required, importance = "high", group = "S3",
             width = "long", display = "S3 Bucket", validate = custom(validators::bucket_name))]
    pub(crate) bucket: String,
    /// Tag objects with startOffset, endOffset and recordCount after they are complete.
    #[config(
        name = "s3.object.tagging",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "S3",
        width = "long",
        display = "S3 Object Tagging"
    )]
    pub(crate) tagging: bool,
    /// Further tags, as `key:value`.
    #[config(
        name = "s3.object.tagging.key.value.pairs",
        kind = "list",
        default = "",
        importance = "low",
        group = "S3",
        width = "long",
        display = "S3 Object Tagging Extra Key Value pairs"
    )]
    pub(crate) tags: Vec<String>,
    /// What happens when tagging fails: ignore writes a line to the log, fail ends the task.
    #[config(name = "s3.object.behavior.on.tagging.error", kind = "string", default = "ignore",
             importance = "low", group = "S3", width = "short",
             display = "Behavior for S3 object tagging error",
             validate = custom(validators::ignore_or_fail), recommended("ignore", "fail"))]
    pub(crate) tagging_error: String,
    /// The AWS region.
    #[config(name = "s3.region", kind = "string", default = "us-west-2", importance = "medium", group = "S3",
             width = "long", display = "AWS region", validate = non_empty)]
    pub(crate) region: String,
    /// Bytes of one part of a multipart upload. Files that fit into one part are stored in a single request;
    /// parts of files of more than 6 GiB grow, up to 640 MiB, so that files may have any size S3 allows.
    #[config(name = "s3.part.size", kind = "int", default = "26214400", importance = "high", group = "S3",
             width = "long", display = "S3 Part Size", validate = custom(validators::part_size))]
    pub(crate) part_bytes: usize,
    /// Credentials provider: the default one (environment, web identity, profile files, container, instance)
    /// or io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider, whose keys begin with
    /// s3.credentials.provider. aws.access.key.id wins over the default one, and a role is assumed with it.
    #[config(
        name = "s3.credentials.provider.class",
        kind = "class",
        default = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
        importance = "low",
        group = "S3",
        width = "long",
        display = "AWS Credentials Provider Class"
    )]
    pub(crate) credentials_provider: String,
    /// The AWS access key id.
    #[config(
        name = "aws.access.key.id",
        kind = "string",
        default = "",
        importance = "high",
        group = "S3",
        width = "long",
        display = "AWS Access Key ID"
    )]
    pub(crate) access_key_id: String,
    /// The AWS secret access key.
    #[config(name = "aws.secret.access.key", kind = "password", default = null, importance = "high",
             group = "S3", width = "long", display = "AWS Secret Access Key")]
    pub(crate) secret_access_key: Option<Password>,
    /// Server-side encryption: empty for the bucket's, AES256, aws:kms or aws:kms:dsse.
    #[config(name = "s3.ssea.name", kind = "string", default = "", importance = "low", group = "S3",
             width = "long", display = "S3 Server Side Encryption Algorithm",
             validate = one_of("", "AES256", "aws:kms", "aws:kms:dsse"),
             recommended("AES256", "aws:kms", "aws:kms:dsse"))]
    pub(crate) sse_name: String,
    /// Customer-provided encryption key, base64 of 32 bytes; counts with AES256 only.
    #[config(name = "s3.sse.customer.key", kind = "password", default = null, importance = "low",
             group = "S3", width = "long",
             display = "S3 Server-Side Encryption Customer-Provided Key (SSE-C)")]
    pub(crate) sse_customer_key: Option<Password>,
    /// Id of the KMS key for aws:kms and aws:kms:dsse. With aws:kms and no id nothing is asked for, so that
    /// the bucket's encryption counts.
    #[config(
        name = "s3.sse.kms.key.id",
        kind = "string",
        default = "",
        importance = "low",
        group = "S3",
        width = "long",
        display = "S3 Server Side Encryption Key"
    )]
    pub(crate) sse_kms_key_id: String,
    /// Canned ACL of new objects.
    #[config(name = "s3.acl.canned", kind = "string", default = null, importance = "low", group = "S3",
             width = "long", display = "S3 Canned ACL",
             validate = custom(validators::canned_acl))]
    pub(crate) canned_acl: Option<String>,
    /// Use the accelerated endpoint of AWS.
    #[config(
        name = "s3.wan.mode",
        kind = "boolean",
        default = "false",
        importance = "medium",
        group = "S3",
        width = "long",
        display = "S3 accelerated endpoint enabled"
    )]
    pub(crate) wan_mode: bool,
    /// Compression of JSON and bytes output.
    #[config(name = "s3.compression.type", kind = "string", default = "none", importance = "low",
             group = "S3", width = "long", display = "Compression type",
             validate = custom(validators::compression_type), recommended("none", "gzip"))]
    pub(crate) compression_type: String,
    /// Level of gzip; -1 is the library's default.
    #[config(name = "s3.compression.level", kind = "int", default = "-1", importance = "low", group = "S3",
             width = "long", display = "Compression Level", validate = between(-1, 9))]
    pub(crate) compression_level: i32,
    /// How JSON output shows decimals.
    #[config(name = "json.decimal.format", kind = "string", default = "BASE64", importance = "medium",
             group = "S3", width = "medium", display = "Decimal Format",
             validate = one_of_ignore_case("NUMERIC", "BASE64"), recommended("BASE64", "NUMERIC"))]
    pub(crate) decimal_format: String,
}

/// Group "S3", second part: requests, null values and file names.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(crate) struct RequestKeys {
    /// How often one request is tried in total before the task gives up and starts again from its committed
    /// offsets.
    #[config(name = "s3.part.retries", kind = "int", default = "3", importance = "medium", group = "S3",
             width = "long", display = "S3 Part Upload Retries", validate = at_least(0))]
    pub(crate) part_retries: usize,
    /// Bound of the first pause in milliseconds between tries of one request; it doubles, and the pause is
    /// random below it. When the store asks for fewer requests, all tasks that write to the bucket wait.
    #[config(name = "s3.retry.backoff.ms", kind = "long", default = "200", importance = "low", group = "S3",
             width = "short", display = "Retry Backoff (ms)", validate = at_least(0))]
    pub(crate) retry_backoff_ms: u64,
    /// File name extension of ByteArrayFormat, with its dot.
    #[config(
        name = "format.bytearray.extension",
        kind = "string",
        default = ".bin",
        importance = "low",
        group = "S3",
        width = "long",
        display = "Output file extension for ByteArrayFormat"
    )]
    pub(crate) bytes_extension: String,
    /// What follows each record of ByteArrayFormat; null is a line feed.
    #[config(name = "format.bytearray.separator", kind = "string", default = null, importance = "low",
             group = "S3", width = "long", display = "Line separator ByteArrayFormat")]
    pub(crate) bytes_separator: Option<String>,
    /// URL of an HTTP proxy; it may hold `user:password@`.
    #[config(name = "s3.proxy.url", kind = "string", default = "", importance = "low", group = "S3",
             width = "long", display = "S3 Proxy Settings", validate = custom(validators::proxy_url))]
    pub(crate) proxy_url: String,
    /// User of the proxy; it wins over that of the URL.
    #[config(name = "s3.proxy.user", kind = "string", default = null, importance = "low", group = "S3",
             width = "long", display = "S3 Proxy User")]
    pub(crate) proxy_user: Option<String>,
    /// Password of the proxy; it wins over that of the URL.
    #[config(name = "s3.proxy.password", kind = "password", default = null, importance = "low", group = "S3",
             width = "long", display = "S3 Proxy Password")]
    pub(crate) proxy_password: Option<Password>,
    /// Send `Expect: 100-continue` with uploads. Accepted for compatibility: requests are sent without it.
    #[config(
        name = "s3.http.send.expect.continue",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "S3",
        width = "short",
        display = "S3 HTTP Send Uses Expect Continue"
    )]
    pub(crate) expect_continue: bool,
    /// What happens to records with null values: fail, ignore, or write their keys (and headers) to objects
    /// of their own.
    #[config(name = "behavior.on.null.values", kind = "string", default = "fail", importance = "low",
             group = "S3", width = "short", display = "Behavior for null-valued records",
             validate = custom(validators::null_values),
             recommended("ignore", "fail", "write"))]
    pub(crate) null_values: String,
    /// Report ignored records with null values, as errors.tolerance and errors.deadletterqueue.topic.name
    /// say.
    #[config(
        name = "report.null.values.to.dlq",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "S3",
        width = "short",
        display = "Report null value to dlq"
    )]
    pub(crate) report_nulls: bool,
    /// Longest time in milliseconds of one round of writes: after it, no further batch is written before the
    /// outcomes of uploads were looked at. Nothing waits for the store in a round, and
    /// files do not depend on it.
    #[config(
        name = "max.write.duration.ms",
        kind = "long",
        default = "9223372036854775807",
        importance = "low",
        group = "S3",
        width = "short",
        display = "Maximum write duration"
    )]
    pub(crate) write_duration_ms_max: i64,
    /// With rotate.interval.ms and a time-based partitioner: complete files whenever the time bucket changes.
    #[config(
        name = "rotate.file.on.partition.change",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "S3",
        width = "short",
        display = "Rotate files on partition change"
    )]
    pub(crate) rotate_on_partition_change: bool,
    /// Directory of tombstones when they are written. No other object name may contain this text.
    #[config(
        name = "tombstone.encoded.partition",
        kind = "string",
        default = "tombstone",
        importance = "low",
        group = "S3",
        width = "short",
        display = "Tombstone Encoded Partition"
    )]
    pub(crate) tombstone_partition: String,
    /// Put the schema name before or behind the encoded partition.
    #[config(name = "s3.schema.partition.affix.type", kind = "string", default = "NONE", importance = "low",
             group = "S3", width = "long", display = "Schema Partition Affix Type",
             validate = one_of("SUFFIX", "PREFIX", "NONE"),
             recommended("SUFFIX", "PREFIX", "NONE"))]
    pub(crate) schema_affix: String,
    /// Send an MD5 digest with each part, so that the store finds bytes that changed on their way.
    #[config(
        name = "s3.send.digest",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "S3",
        width = "short",
        display = "S3 Send Upload Message Digest"
    )]
    pub(crate) send_digest: bool,
    /// Never replace an existing object when rotation is scheduled. Accepted for compatibility: objects are
    /// replaced by the same content. When it is set to true beside a schedule, the log says at the start
    /// whether the store would keep such conditions.
    #[config(
        name = "enable.conditional.writes",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "S3",
        width = "short",
        display = "Enable conditional writes during multipart upload"
    )]
    pub(crate) conditional_writes: bool,
    /// Internal: how many names are tried after a conditional write failed.
    #[config(name = "max.files.scan.limit", kind = "int", default = "100", importance = "low")]
    pub(crate) files_scan_limit: i32,
}

/// Group "Keys and Headers" with the rest of S3.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(crate) struct CompanionKeys {
    /// Store record keys in objects of their own, beside those of values. Records without a key are refused.
    #[config(
        name = "store.kafka.keys",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "Keys and Headers",
        width = "short",
        display = "Store kafka keys",
        dependents("keys.format.class")
    )]
    pub(crate) store_keys: bool,
    /// Store record headers in objects of their own, beside those of values. Records without headers are
    /// refused.
    #[config(
        name = "store.kafka.headers",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "Keys and Headers",
        width = "short",
        display = "Store kafka headers",
        dependents("headers.format.class")
    )]
    pub(crate) store_headers: bool,
    /// Format of key objects.
    #[config(name = "keys.format.class", kind = "class",
             default = "io.confluent.connect.s3.format.avro.AvroFormat", importance = "low",
             group = "Keys and Headers", display = "Keys format class",
             validate = custom(validators::format_class))]
    pub(crate) keys_format_class: String,
    /// Format of header objects; ByteArrayFormat cannot hold headers.
    #[config(name = "headers.format.class", kind = "class",
             default = "io.confluent.connect.s3.format.avro.AvroFormat", importance = "low",
             group = "Keys and Headers", display = "Headers format class",
             validate = custom(validators::format_class))]
    pub(crate) headers_format_class: String,
    /// Address buckets by path instead of by host name.
    #[config(
        name = "s3.path.style.access.enabled",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Keys and Headers",
        width = "short",
        display = "Enable Path Style Access to S3"
    )]
    pub(crate) path_style: bool,
    /// Grow part memory on demand. Accepted for compatibility: memory always grows on demand.
    #[config(
        name = "s3.elastic.buffer.enable",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "Keys and Headers",
        width = "long",
        display = "Enable elastic buffer to staging s3-part"
    )]
    pub(crate) elastic: bool,
    /// First size of an elastic part. Accepted for compatibility.
    #[config(name = "s3.elastic.buffer.init.capacity", kind = "int", default = "131072", importance = "low",
             group = "Keys and Headers", width = "long", display = "Elastic buffer initial capacity",
             validate = at_least(4096))]
    pub(crate) elastic_capacity: i32,
    /// Internal: most open files per topic-partition; -1 is no limit.
    #[config(name = "partitioner.max.open.files", kind = "int", default = "-1", importance = "low")]
    pub(crate) open_files_max: i64,
}
