//! The keys of the connector, in Java's order. Owns definitions only.
//!
//! Source: the configuration that the Confluent S3 source publishes.

use lakeward_api::config::{ConfigDef, Password};

use super::checks;

/// What a backup looks like.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(super) struct BackupKeys {
    /// What is read: RESTORE_BACKUP, objects of the S3 sink, to the topics and partitions they came from;
    /// GENERIC, objects of any name, to the topics of topic.regex.list.
    #[config(
        name = "mode",
        kind = "string",
        default = "RESTORE_BACKUP",
        importance = "high",
        group = "Storage",
        validate = custom(checks::mode)
    )]
    pub(super) mode: String,
    /// Address of an S3 service other than AWS, or file:///directory; null is AWS.
    #[config(
        name = "store.url",
        kind = "string",
        default = null,
        importance = "high",
        group = "Storage",
        validate = custom(checks::store_url)
    )]
    pub(super) store_url: Option<String>,
    /// Top directory of the sink; only objects below it are read. Empty when topics are at the top.
    #[config(
        name = "topics.dir",
        kind = "string",
        default = "topics",
        importance = "high",
        group = "Storage"
    )]
    pub(super) topics_dir: String,
    /// What separates directories in object names.
    #[config(
        name = "directory.delim",
        kind = "string",
        default = "/",
        importance = "high",
        group = "Storage",
        validate = non_empty
    )]
    pub(super) delimiter: String,
    /// What happens to an object that cannot be read: fail ends the task, ignore and log go on with the next
    /// object, log with a line in the log.
    #[config(
        name = "behavior.on.error",
        kind = "string",
        default = "fail",
        importance = "medium",
        group = "Storage",
        validate = one_of_ignore_case("fail", "ignore", "log")
    )]
    pub(super) on_error: String,
    /// File name extension of objects of ByteArrayFormat, with its dot.
    #[config(
        name = "format.bytearray.extension",
        kind = "string",
        default = ".bin",
        importance = "medium",
        group = "Storage"
    )]
    pub(super) bytes_extension: String,
    /// What follows each record of ByteArrayFormat; empty is a line feed.
    #[config(
        name = "format.bytearray.separator",
        kind = "string",
        default = "",
        importance = "medium",
        group = "Storage"
    )]
    pub(super) bytes_separator: String,
    /// Each line of JSON is an object of schema and payload.
    #[config(
        name = "format.json.schema.enable",
        kind = "boolean",
        default = "false",
        importance = "medium",
        group = "Storage"
    )]
    pub(super) json_schema: bool,
    /// Most records of one poll.
    #[config(
        name = "record.batch.max.size",
        kind = "int",
        default = "200",
        importance = "medium",
        group = "Connector",
        validate = at_least(1)
    )]
    pub(super) batch_rows_max: usize,
    /// Accepted for compatibility: schemas are kept as long as their object is read.
    #[config(
        name = "schema.cache.size",
        kind = "int",
        default = "50",
        importance = "low",
        group = "Connector"
    )]
    pub(super) schema_cache: i32,
    /// The partitioner that the sink had.
    #[config(
        name = "partitioner.class",
        kind = "class",
        default = "io.confluent.connect.storage.partitioner.DefaultPartitioner",
        importance = "high",
        group = "Partitioner",
        validate = custom(checks::partitioner_class)
    )]
    pub(super) partitioner_class: String,
    /// The fields that the sink's FieldPartitioner had.
    #[config(
        name = "partition.field.name",
        kind = "list",
        default = "",
        importance = "medium",
        group = "Partitioner"
    )]
    pub(super) partition_fields: Vec<String>,
    /// The path.format that the sink's TimeBasedPartitioner had.
    #[config(
        name = "path.format",
        kind = "string",
        default = "",
        importance = "medium",
        group = "Partitioner"
    )]
    pub(super) path_format: String,
}

/// The bucket and how it is reached.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(super) struct StoreKeys {
    /// Internal to Java's tasks. Accepted for compatibility: tasks find their folders themselves.
    #[config(name = "folders", kind = "list", default = "", importance = "high")]
    pub(super) folders: Vec<String>,
    /// How the names of objects are read: the first group is the topic, the second one the partition.
    #[config(
        name = "filename.regex",
        kind = "string",
        default = "(.+)\\+(\\d+)\\+.+$",
        importance = "medium",
        validate = custom(checks::filename_regex)
    )]
    pub(super) filename_regex: String,
    /// Milliseconds between two looks for new objects.
    #[config(
        name = "s3.poll.interval.ms",
        kind = "long",
        default = "60000",
        importance = "low",
        group = "Connector",
        validate = at_least(1)
    )]
    pub(super) poll_interval_ms: u64,
    /// The format of the objects.
    #[config(
        name = "format.class",
        kind = "class",
        default = required,
        importance = "high",
        group = "Connector",
        validate = custom(checks::format_class)
    )]
    pub(super) format_class: String,
    /// The bucket; it must exist.
    #[config(
        name = "s3.bucket.name",
        kind = "string",
        default = required,
        importance = "high",
        group = "S3",
        validate = custom(checks::bucket_name)
    )]
    pub(super) bucket: String,
    /// The AWS region.
    #[config(
        name = "s3.region",
        kind = "string",
        default = "us-west-2",
        importance = "medium",
        group = "S3",
        validate = non_empty
    )]
    pub(super) region: String,
    /// Credentials provider: the default one (environment, web identity, profile files, container, instance)
    /// or io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider, whose keys begin with
    /// s3.credentials.provider. aws.access.key.id wins over the default one, and a role is assumed with it.
    #[config(
        name = "s3.credentials.provider.class",
        kind = "class",
        default = "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
        importance = "low",
        group = "S3"
    )]
    pub(super) provider_class: String,
    /// Access key; empty for the credentials provider.
    #[config(name = "aws.access.key.id", kind = "string", default = "", importance = "medium", group = "S3")]
    pub(super) access_key_id: String,
    /// Secret of the access key.
    #[config(
        name = "aws.secret.access.key",
        kind = "password",
        default = null,
        importance = "medium",
        group = "S3"
    )]
    pub(super) secret_access_key: Option<Password>,
    /// Tries of one request, in total.
    #[config(
        name = "s3.part.retries",
        kind = "int",
        default = "3",
        importance = "medium",
        group = "S3",
        validate = at_least(0)
    )]
    pub(super) tries_max: usize,
    /// First bound in milliseconds of the random pause between tries; it doubles.
    #[config(
        name = "s3.retry.backoff.ms",
        kind = "int",
        default = "200",
        importance = "low",
        group = "S3",
        validate = at_least(0)
    )]
    pub(super) retry_backoff_ms: u64,
    /// Use the accelerated endpoint of AWS.
    #[config(name = "s3.wan.mode", kind = "boolean", default = "false", importance = "medium", group = "S3")]
    pub(super) wan_mode: bool,
    /// Address buckets by path instead of by host name.
    #[config(
        name = "s3.path.style.access",
        kind = "boolean",
        default = "true",
        importance = "medium",
        group = "S3"
    )]
    pub(super) path_style: bool,
    /// Accepted for compatibility: nothing is uploaded.
    #[config(
        name = "s3.http.send.expect.continue",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "S3"
    )]
    pub(super) expect_continue: bool,
    /// Encryption of the objects; AES256 with s3.sse.customer.key for objects of customer keys.
    #[config(name = "s3.ssea.name", kind = "string", default = "", importance = "low", group = "S3")]
    pub(super) sse_name: String,
    /// Customer key of the objects: base64 of 32 bytes.
    #[config(
        name = "s3.sse.customer.key",
        kind = "password",
        default = null,
        importance = "low",
        group = "S3"
    )]
    pub(super) sse_customer_key: Option<Password>,
    /// Accepted for compatibility: tasks list the bucket side by side.
    #[config(
        name = "bucket.scan.parallel.enabled",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "S3"
    )]
    pub(super) scan_parallel: bool,
    /// URL of an HTTP proxy; it may hold user:password@.
    #[config(
        name = "s3.proxy.url",
        kind = "string",
        default = "",
        importance = "low",
        group = "Proxy",
        validate = custom(checks::proxy_url)
    )]
    pub(super) proxy_url: String,
    /// User of the proxy; it wins over that of the URL.
    #[config(
        name = "s3.proxy.username",
        kind = "string",
        default = null,
        importance = "low",
        group = "Proxy"
    )]
    pub(super) proxy_user: Option<String>,
    /// Password of the proxy; it wins over that of the URL.
    #[config(
        name = "s3.proxy.password",
        kind = "password",
        default = null,
        importance = "low",
        group = "Proxy"
    )]
    pub(super) proxy_password: Option<Password>,
    /// Records have headers with the name, path, time of modification and size of their object, for GENERIC.
    #[config(
        name = "file.metadata.headers.enable",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "Headers"
    )]
    pub(super) metadata_headers: bool,
}
