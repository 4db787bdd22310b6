//! The keys of the connector and the checks of their values.
//!
//! Source: `S3SourceConfig`, `S3ConfigFragment`, `SourceConfigFragment`, `FileNameFragment` and
//! `TransformerFragment` of Aiven's connectors.

use lakeward_api::config::{ConfigDef, Password};
use lakeward_objectstore::address::parse_store_url;

use super::template::Template;

/// The bucket and how it is reached.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(super) struct BucketKeys {
    /// Access key; null for what the environment has.
    #[config(name = "aws.access.key.id", kind = "password", default = null, importance = "medium")]
    pub(super) access_key_id: Option<Password>,
    /// Secret of the access key.
    #[config(name = "aws.secret.access.key", kind = "password", default = null, importance = "medium")]
    pub(super) secret_access_key: Option<Password>,
    /// Credentials provider; only the default one is supported.
    #[config(name = "aws.credentials.provider", kind = "class", default = null, importance = "medium",
             validate = custom(provider))]
    pub(super) provider: Option<String>,
    /// The bucket; it must exist.
    #[config(name = "aws.s3.bucket.name", kind = "string", default = required, importance = "medium",
             validate = custom(bucket_name))]
    pub(super) bucket: String,
    /// Address of an S3 service other than AWS, or file:///directory.
    #[config(name = "aws.s3.endpoint", kind = "string", default = null, importance = "low",
             validate = custom(endpoint))]
    pub(super) endpoint: Option<String>,
    /// The AWS region; null is us-east-1.
    #[config(name = "aws.s3.region", kind = "string", default = null, importance = "medium")]
    pub(super) region: Option<String>,
    /// What names of objects begin with.
    #[config(name = "aws.s3.prefix", kind = "string", default = null, importance = "medium")]
    pub(super) prefix: Option<String>,
    /// First bound in milliseconds of the random pause between tries of a request; it doubles.
    #[config(name = "aws.s3.backoff.delay.ms", kind = "long", default = "100", importance = "medium",
             validate = at_least(1))]
    pub(super) backoff_ms: u64,
    /// Accepted for compatibility: pauses grow to 20 seconds.
    #[config(name = "aws.s3.backoff.max.delay.ms", kind = "long", default = "20000", importance = "medium",
             validate = at_least(1))]
    pub(super) backoff_max_ms: u64,
    /// Further tries of a request.
    #[config(name = "aws.s3.backoff.max.retries", kind = "int", default = "3", importance = "medium",
             validate = between(1, 30))]
    pub(super) retries_max: usize,
    /// Accepted for compatibility: listings come in pages of 1,000.
    #[config(name = "aws.s3.fetch.page.size", kind = "int", default = "10", importance = "medium",
             validate = at_least(1))]
    pub(super) page_size: i32,
    /// Deprecated name of ring.buffer.size.
    #[config(name = "aws.s3.fetch.buffer.size", kind = "int", default = "1000", importance = "medium",
             validate = at_least(0))]
    pub(super) fetch_buffer_size: usize,
    /// A role to assume.
    #[config(name = "aws.sts.role.arn", kind = "string", default = null, importance = "medium")]
    pub(super) role_arn: Option<String>,
    /// Name of the role's session.
    #[config(name = "aws.sts.role.session.name", kind = "string", default = null, importance = "medium")]
    pub(super) role_session_name: Option<String>,
    /// The external ID that the role asks for.
    #[config(name = "aws.sts.role.external.id", kind = "string", default = null, importance = "medium")]
    pub(super) role_external_id: Option<String>,
    /// Seconds of a session; the service's own default is what is supported.
    #[config(name = "aws.sts.role.session.duration", kind = "int", default = "3600", importance = "medium",
             validate = between(3600, 3600))]
    pub(super) role_session_duration: i32,
    /// Address of the token service.
    #[config(
        name = "aws.sts.config.endpoint",
        kind = "string",
        default = "https://sts.amazonaws.com",
        importance = "medium"
    )]
    pub(super) sts_endpoint: String,
}

/// What is read and how.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(super) struct ReadKeys {
    /// How many newest names are kept, so that a name that appears among them later is found.
    #[config(name = "ring.buffer.size", kind = "int", default = "1000", importance = "medium",
             validate = at_least(0))]
    pub(super) ring_size: usize,
    /// The topic of all records; null is the {{topic}} of each name.
    #[config(name = "topic", kind = "string", default = null, importance = "medium")]
    pub(super) topic: Option<String>,
    /// Most records of one poll.
    #[config(name = "max.poll.records", kind = "int", default = "500", importance = "medium",
             validate = at_least(1))]
    pub(super) rows_max: usize,
    /// How tasks divide objects: object_hash, by their names, or partition, by the {{partition}} of each
    /// name.
    #[config(name = "distribution.type", kind = "string", default = "object_hash", importance = "medium",
             validate = one_of_ignore_case("object_hash", "partition"))]
    pub(super) distribution: String,
    /// Which objects are read: a regular expression with {{topic}}, {{partition}}, {{start_offset}} and
    /// {{timestamp}}. Nothing is read without it.
    #[config(name = "file.name.template", kind = "string", default = null, importance = "medium",
             validate = custom(template))]
    pub(super) name_template: Option<String>,
    /// The same for what precedes the name.
    #[config(name = "file.prefix.template", kind = "string", default = null, importance = "medium",
             validate = custom(template))]
    pub(super) prefix_template: Option<String>,
    /// How objects are packed: none, gzip, snappy or zstd. Parquet has a compression of its own.
    #[config(name = "file.compression.type", kind = "string", default = "none", importance = "medium",
             validate = one_of_ignore_case("none", "gzip", "snappy", "zstd"))]
    pub(super) compression: String,
    /// What objects hold.
    #[config(name = "input.format", kind = "string", default = "bytes", importance = "medium",
             validate = one_of_ignore_case("avro", "parquet", "jsonl", "bytes"))]
    pub(super) format: String,
    /// Most bytes of a record of the format bytes.
    #[config(name = "transformer.max.buffer.size", kind = "int", default = "4096", importance = "medium",
             validate = between(1, 2_147_483_647))]
    pub(super) chunk_bytes: usize,
    /// Accepted for compatibility: schemas are in the objects.
    #[config(name = "schema.registry.url", kind = "string", default = null, importance = "medium")]
    pub(super) registry_url: Option<String>,
    /// The name after which reading begins, also after a restart.
    #[config(name = "native.start.key", kind = "string", default = null, importance = "medium")]
    pub(super) start_key: Option<String>,
}

fn provider(_name: &str, text: &str) -> Result<(), String> {
    match text {
        "" | "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider" => Ok(()),
        _ => Err("not supported by Lakeward; leave it out (environment, web identity, profile, container, \
                  instance), or set aws.access.key.id with aws.secret.access.key or aws.sts.role.arn"
            .to_owned()),
    }
}

fn bucket_name(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(['/', '\\', '\0']) || text == "." || text == ".." {
        return Err("not a bucket name".to_owned());
    }
    Ok(())
}

fn endpoint(_name: &str, text: &str) -> Result<(), String> {
    parse_store_url(text).map(|_| ())
}

fn template(_name: &str, text: &str) -> Result<(), String> {
    Template::parse(text).map(|_| ())
}
