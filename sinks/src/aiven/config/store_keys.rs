//! The keys about the store: groups "AWS", "AWS STS", "S3 retry backoff policy", and old names. Owns
//! definitions only.
//!
//! Source: `S3ConfigFragment` and `S3SinkConfig` of the Aiven connectors.

use lakeward_api::config::{ConfigDef, Password};

use super::validators;

/// Where objects are stored.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(crate) struct StoreKeys {
    /// Key id of a static credential.
    #[config(name = "aws.access.key.id", kind = "password", default = null, importance = "medium",
             group = "AWS", display = "aws.access.key.id")]
    pub(crate) access_key_id: Option<Password>,
    /// Secret of a static credential.
    #[config(name = "aws.secret.access.key", kind = "password", default = null, importance = "medium",
             group = "AWS", display = "aws.secret.access.key")]
    pub(crate) secret_access_key: Option<Password>,
    /// Credentials provider without a static credential and a role: the default one (environment, web
    /// identity, profile files, container, instance).
    #[config(name = "aws.credentials.provider", kind = "class", default = null, importance = "medium",
             group = "AWS", display = "aws.credentials.provider",
             validate = custom(validators::credentials_provider))]
    pub(crate) credentials_provider: Option<String>,
    /// The bucket.
    #[config(name = "aws.s3.bucket.name", kind = "string", default = null, importance = "medium",
             group = "AWS", display = "aws.s3.bucket.name")]
    pub(crate) bucket: Option<String>,
    /// Server-side encryption: AES256, aws:kms or aws:kms:dsse.
    #[config(name = "aws.s3.sse.algorithm", kind = "string", default = null, importance = "medium",
             group = "AWS", display = "aws.s3.sse.algorithm", validate = non_empty)]
    pub(crate) sse: Option<String>,
    /// Address of another S3 service; buckets are then addressed by path.
    #[config(name = "aws.s3.endpoint", kind = "string", default = null, importance = "low", group = "AWS",
             display = "aws.s3.endpoint", validate = custom(validators::url))]
    pub(crate) endpoint: Option<String>,
    /// The AWS region; us-east-1 when none is given.
    #[config(name = "aws.s3.region", kind = "string", default = null, importance = "medium", group = "AWS",
             display = "aws.s3.region", validate = custom(validators::region))]
    pub(crate) region: Option<String>,
    /// Beginning of object names in the old way of naming, which is used when this is set:
    /// `prefix<topic>-<partition>-<offset>`. Deprecated.
    #[config(name = "aws.s3.prefix", kind = "string", default = null, importance = "medium", group = "AWS",
             display = "aws.s3.prefix", validate = non_empty)]
    pub(crate) prefix: Option<String>,
    /// For sources; no effect here.
    #[config(name = "aws.s3.fetch.page.size", kind = "int", default = "10", importance = "medium",
             group = "AWS", display = "aws.s3.fetch.page.size", validate = at_least(1))]
    pub(crate) fetch_page_size: i32,
    /// For sources; no effect here.
    #[config(name = "aws.s3.fetch.buffer.size", kind = "int", default = "1000", importance = "medium",
             group = "AWS", display = "aws.s3.fetch.buffer.size", validate = at_least(1))]
    pub(crate) fetch_buffer_size: i32,
    /// A role to assume; acts together with aws.sts.role.session.name.
    #[config(name = "aws.sts.role.arn", kind = "string", default = null, importance = "medium",
             group = "AWS STS", display = "aws.sts.role.arn", validate = non_empty)]
    pub(crate) role_arn: Option<String>,
    /// Name of the role's session.
    #[config(name = "aws.sts.role.session.name", kind = "string", default = null, importance = "medium",
             group = "AWS STS", display = "aws.sts.role.session.name", validate = non_empty)]
    pub(crate) role_session_name: Option<String>,
    /// Accepted for compatibility: sessions are renewed before they end, however long they are.
    #[config(name = "aws.sts.role.session.duration", kind = "int", default = "3600", importance = "medium",
             group = "AWS STS", display = "aws.sts.role.session.duration", validate = between(900, 43200))]
    pub(crate) role_session_duration_s: i32,
    /// External id of the role.
    #[config(name = "aws.sts.role.external.id", kind = "string", default = null, importance = "medium",
             group = "AWS STS", display = "aws.sts.role.external.id", validate = non_empty)]
    pub(crate) role_external_id: Option<String>,
    /// Accepted for compatibility, and needs aws.s3.region: the token service is that of the region, or what
    /// AWS_ENDPOINT_URL_STS says.
    #[config(name = "aws.sts.config.endpoint", kind = "string", default = "https://sts.amazonaws.com",
             importance = "medium", group = "AWS STS", display = "aws.sts.config.endpoint",
             validate = non_empty)]
    pub(crate) sts_endpoint: String,
    /// Old name of aws.access.key.id. Without effect, as in Java.
    #[config(name = "aws_access_key_id", kind = "password", default = null, importance = "medium",
             display = "aws_access_key_id")]
    pub(crate) old_access_key_id: Option<Password>,
    /// Old name of aws.secret.access.key. Without effect, as in Java.
    #[config(name = "aws_secret_access_key", kind = "password", default = null, importance = "medium",
             display = "aws_secret_access_key")]
    pub(crate) old_secret_access_key: Option<Password>,
    /// Old name of aws.s3.bucket.name.
    #[config(name = "aws_s3_bucket", kind = "string", default = null, importance = "medium",
             display = "aws_s3_bucket")]
    pub(crate) old_bucket: Option<String>,
    /// Old name of aws.s3.endpoint.
    #[config(name = "aws_s3_endpoint", kind = "string", default = null, importance = "low",
             display = "aws_s3_endpoint", validate = custom(validators::url))]
    pub(crate) old_endpoint: Option<String>,
    /// Old name of aws.s3.region.
    #[config(name = "aws_s3_region", kind = "string", default = null, importance = "medium",
             display = "aws_s3_region", validate = custom(validators::region))]
    pub(crate) old_region: Option<String>,
    /// Old name of aws.s3.prefix.
    #[config(name = "aws_s3_prefix", kind = "string", default = null, importance = "medium",
             display = "aws_s3_prefix", validate = non_empty)]
    pub(crate) old_prefix: Option<String>,
    /// Old name of format.output.fields.
    #[config(name = "output_fields", kind = "list", default = null, importance = "medium",
             display = "output_fields", validate = custom(validators::output_fields))]
    pub(crate) old_output_fields: Option<Vec<String>>,
    /// Old name of file.compression.type.
    #[config(name = "output_compression", kind = "string", default = null, importance = "medium",
             display = "output_compression")]
    pub(crate) old_compression: Option<String>,
    /// Bound of the first pause in milliseconds between tries of one request; it doubles.
    #[config(name = "aws.s3.backoff.delay.ms", kind = "long", default = "100", importance = "medium",
             group = "S3 retry backoff policy", display = "aws.s3.backoff.delay.ms",
             validate = at_least(1))]
    pub(crate) backoff_delay_ms: u64,
    /// Accepted for compatibility: few tries never reach it.
    #[config(name = "aws.s3.backoff.max.delay.ms", kind = "long", default = "20000", importance = "medium",
             group = "S3 retry backoff policy", display = "aws.s3.backoff.max.delay.ms",
             validate = at_least(1))]
    pub(crate) backoff_delay_max_ms: u64,
    /// How often one request is tried in total before the task starts again from its committed offsets.
    #[config(name = "aws.s3.backoff.max.retries", kind = "int", default = "3", importance = "medium",
             group = "S3 retry backoff policy", display = "aws.s3.backoff.max.retries",
             validate = between(1, 30))]
    pub(crate) tries_max: u32,
    /// Bytes of one part of a multipart upload; at least 5 MiB are sent, which S3 demands. Files that fit
    /// into one part are stored in a single request.
    #[config(
        name = "aws.s3.part.size.bytes",
        kind = "int",
        default = "5242880",
        importance = "medium",
        group = "AWS",
        display = "aws.s3.part.size.bytes"
    )]
    pub(crate) part_bytes: u64,
}
