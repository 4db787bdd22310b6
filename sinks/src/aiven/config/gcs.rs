//! The configuration of the GCS sink: definition, and the bucket that it comes to.
//!
//! Source: `GcsSinkConfig`, Aiven's cloud storage connectors at 89e55a98.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Password, Validator};
use lakeward_objectstore::http::{Growth, Patience};

use super::prefixed::{self, RESERVED};
use super::{AivenConfig, DAY_MS, first, settings};
use crate::gcs::{Bucket, Credentials};
use crate::s3::error::StoreWords;
use crate::s3::settings::Settings;

/// Group "GCS".
#[derive(ConfigDef, Debug)]
struct BucketKeys {
    /// Address of another server than Google's.
    #[config(name = "gcs.endpoint", kind = "string", default = null, importance = "low", group = "GCS",
             display = "gcs.endpoint")]
    endpoint: Option<String>,
    /// File with the key of a service account or the credentials of a user. Only one of this,
    /// gcs.credentials.json and gcs.credentials.default may be set; without any of them requests are not
    /// signed.
    #[config(name = "gcs.credentials.path", kind = "string", default = null, importance = "low",
             group = "GCS", display = "gcs.credentials.path")]
    credentials_path: Option<String>,
    /// The key of a service account: the content of its JSON file.
    #[config(name = "gcs.credentials.json", kind = "password", default = null, importance = "low",
             group = "GCS", display = "gcs.credentials.json")]
    credentials_json: Option<Password>,
    /// Whether credentials are those of GOOGLE_APPLICATION_CREDENTIALS, of gcloud, or of the machine.
    #[config(name = "gcs.credentials.default", kind = "boolean", default = null, importance = "low",
             group = "GCS", display = "gcs.credentials.default")]
    credentials_default: Option<bool>,
    /// What objects say about their Content-Encoding. It changes nothing about their bytes.
    #[config(name = "gcs.object.content.encoding", kind = "string", default = null, importance = "low",
             group = "GCS", display = "gcs.object.content.encoding", validate = non_empty)]
    content_encoding: Option<String>,
    /// The bucket; it must exist.
    #[config(name = "gcs.bucket.name", kind = "string", default = required, importance = "high",
             group = "GCS", display = "gcs.bucket.name", validate = non_empty)]
    bucket: String,
}

/// In group "File".
#[derive(ConfigDef, Debug)]
struct SizeKeys {
    /// Bytes of records from which a file ends before the interval of flushes is over; 0 for no limit. They
    /// are counted before compression, and files end behind records that were read together.
    #[config(name = "file.max.bytes", kind = "long", default = "0", importance = "medium", group = "File",
             width = "short", display = "file.max.bytes", validate = at_least(0))]
    bytes_max: u64,
}

/// Group "GCS retry backoff policy".
#[derive(ConfigDef, Debug)]
struct RetryKeys {
    /// Bound of the first pause in milliseconds between tries of one request; the pause is random below it.
    #[config(name = "gcs.retry.backoff.initial.delay.ms", kind = "long", default = "1000",
             importance = "medium", group = "GCS retry backoff policy",
             display = "gcs.retry.backoff.initial.delay.ms", validate = at_least(0))]
    initial_delay_ms: u64,
    /// The longest bound of a pause in milliseconds.
    #[config(name = "gcs.retry.backoff.max.delay.ms", kind = "long", default = "32000",
             importance = "medium", group = "GCS retry backoff policy",
             display = "gcs.retry.backoff.max.delay.ms", validate = at_least(0))]
    max_delay_ms: u64,
    /// By what bounds of pauses grow; only 2, or 1 for pauses that stay the same.
    #[config(
        name = "gcs.retry.backoff.delay.multiplier",
        kind = "double",
        default = "2.0",
        importance = "medium",
        group = "GCS retry backoff policy",
        display = "gcs.retry.backoff.delay.multiplier"
    )]
    multiplier: f64,
    /// How often one request is tried in total; 0 leaves it to gcs.retry.backoff.total.timeout.ms.
    #[config(name = "gcs.retry.backoff.max.attempts", kind = "int", default = "6", importance = "medium",
             group = "GCS retry backoff policy", display = "gcs.retry.backoff.max.attempts",
             validate = at_least(0))]
    attempts_max: usize,
    /// How long the pauses of one request may be together, in milliseconds; 0 for no limit.
    #[config(name = "gcs.retry.backoff.total.timeout.ms", kind = "long", default = "50000",
             importance = "medium", group = "GCS retry backoff policy",
             display = "gcs.retry.backoff.total.timeout.ms", validate = custom(total_timeout))]
    total_timeout_ms: u64,
}

/// Without a group.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "what is set is told from the default")]
struct AgentKeys {
    /// What requests call their sender. Lakeward names itself unless this is set.
    #[config(
        name = "gcs.user.agent",
        kind = "string",
        default = "Google GCS Sink/3.4.3 (GPN: Aiven;)",
        importance = "low",
        display = "gcs.user.agent"
    )]
    user_agent: String,
}

/// The definition of every key, in Java's order.
pub(in crate::aiven) fn config_def() -> ConfigDef {
    let mut retries = RetryKeys::config_def();
    let mut multiplier = retries.key(MULTIPLIER).expect("it is one of them").clone();
    multiplier.validator = Validator::CustomOrNull(at_least_one);
    retries.define(multiplier);
    let rest = [retries, AgentKeys::config_def()];
    prefixed::config_def(BucketKeys::config_def(), prefix, Some(SizeKeys::config_def()), &rest)
}

/// Validates every key by itself.
pub(in crate::aiven) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    config_def().validate(&super::with_new_years(props))
}

/// Parses `props`: what is written, with which settings of the machinery, and where.
///
/// # Errors
/// Class `Config`, with Java's exception and words where Java refuses, too.
pub(in crate::aiven) fn parse(props: &ConfigMap) -> Result<(AivenConfig, Settings, Bucket), ConnectError> {
    let props = super::checked(props, validate)?;
    let files = prefixed::files(&props)?;
    let keys = BucketKeys::parse(&props).map_err(first)?;
    let bytes_max = SizeKeys::parse(&props).map_err(first)?.bytes_max;
    let retries = RetryKeys::parse(&props).map_err(first)?;
    let settings = settings(&props)?;
    let bucket = Bucket {
        name: keys.bucket,
        url: keys.endpoint,
        credentials: credentials(keys.credentials_path, keys.credentials_json, keys.credentials_default)?,
        patience: retries.patience()?,
        try_time: Duration::from_millis(settings.lakeward.request_timeout_ms),
        user_agent: props.get("gcs.user.agent").map(|agent| agent.trim().to_owned()),
        content_encoding: keys.content_encoding,
        is_conditional: false,
        words: &WORDS,
    };
    Ok((AivenConfig { bytes_max: (bytes_max > 0).then_some(bytes_max), ..files }, settings, bucket))
}

fn credentials(
    path: Option<String>,
    json: Option<Password>,
    default: Option<bool>,
) -> Result<Credentials, ConnectError> {
    match (path, json, default) {
        (None, None, Some(true)) => Ok(Credentials::Default),
        (Some(path), None, None) => Ok(Credentials::File(path)),
        (None, Some(json), None) => Ok(Credentials::Json(json)),
        (None, None, None | Some(false)) => Ok(Credentials::None),
        _ => Err(ConnectError::config(
            "Only one of gcs.credentials.default, gcs.credentials.json, and gcs.credentials.path can be \
             non-null.",
        )),
    }
}

impl RetryKeys {
    /// # Errors
    /// Class `Config` for a growth that pauses do not have.
    fn patience(&self) -> Result<Patience, ConnectError> {
        let pause = Duration::from_millis(self.initial_delay_ms);
        let up_to = Duration::from_millis(self.max_delay_ms);
        let growth = match self.multiplier {
            multiplier if (multiplier - 2.0).abs() < f64::EPSILON => Growth::Doubled { up_to },
            multiplier if (multiplier - 1.0).abs() < f64::EPSILON => Growth::Doubled { up_to: pause },
            multiplier => {
                return Err(ConnectError::config(format!(
                    "Invalid value {multiplier} for configuration {MULTIPLIER}: not supported by Lakeward; \
                     use 2 for pauses that double, or 1 for pauses that stay the same"
                )));
            }
        };
        let patience = |tries_max| Patience { tries_max, pause, growth };
        let total = Duration::from_millis(self.total_timeout_ms);
        Ok(patience(match (self.attempts_max, total) {
            (tries, Duration::ZERO) => tries,
            (0, total) => patience(TRIES_MAX).tries_within(total),
            (tries, total) => patience(tries).tries_within(total),
        }))
    }
}

fn at_least_one(_name: &str, text: Option<&str>) -> Result<(), String> {
    match text.and_then(|text| text.parse::<f64>().ok()) {
        None => Err("Value must be non-null".to_owned()),
        Some(value) if value >= 1.0 => Ok(()),
        Some(_) => Err("Value must be at least 1.0".to_owned()),
    }
}

fn total_timeout(_name: &str, text: &str) -> Result<(), String> {
    match text.parse::<i64>() {
        Ok(ms) if ms < 0 => Err("Value must be at least 0".to_owned()),
        Ok(ms) if ms > DAY_MS => Err(format!("Value must be no more than {DAY_MS} (24 hours)")),
        _ => Ok(()),
    }
}

/// As in Java, problems are told under the name of the bucket.
fn prefix(_name: &str, text: &str) -> Result<(), String> {
    const KEY: &str = "gcs.bucket.name";
    if text.starts_with(RESERVED) {
        return Err(format!("Invalid value {text} for configuration {KEY}: cannot start with '{RESERVED}'"));
    }
    prefixed::short_prefix(KEY, text)
}

const MULTIPLIER: &str = "gcs.retry.backoff.delay.multiplier";

/// Where only time limits tries.
const TRIES_MAX: usize = 100;

const WORDS: StoreWords = StoreWords {
    place: "GCS bucket",
    identity: "gcs.credentials.json, gcs.credentials.path or gcs.credentials.default, and the permissions of \
               that identity (storage.objects.create, storage.objects.delete, storage.objects.list)",
    bucket_keys: "gcs.bucket.name or gcs.endpoint",
    server_keys: "gcs.endpoint",
};
