//! The keys of a worker file.
//!
//! Owns names, types, defaults and ranges. Source: `WorkerConfig`, `RestServerConfig`, `DistributedConfig`,
//! `StandaloneConfig`, Kafka 4.1. Keys of the Kafka clients pass through untyped: the Kafka client code
//! checks them.

use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, DefaultValue, Importance, Validator};

use super::{WorkerMode, healing};
use crate::metrics::{clients, page};
use crate::signing::{check_algorithms, check_key_size};

const REQUIRED: Option<&str> = None;

/// `(name, type, default (`None` = required, `"\0"` = null), check)`.
pub(super) type Row = (&'static str, ConfigType, Option<&'static str>, Validator);

const NULL: Option<&str> = Some("\0");
const NOT_NEGATIVE: Validator = Validator::AtLeast(0);

const COMMON: &[Row] = &[
    ("bootstrap.servers", ConfigType::List, Some("localhost:9092"), Validator::NonEmpty),
    ("key.converter", ConfigType::Class, REQUIRED, Validator::Any),
    ("value.converter", ConfigType::Class, REQUIRED, Validator::Any),
    (
        "header.converter",
        ConfigType::Class,
        Some("org.apache.kafka.connect.storage.SimpleHeaderConverter"),
        Validator::Any,
    ),
    ("offset.flush.interval.ms", ConfigType::Long, Some("60000"), Validator::Any),
    ("offset.flush.timeout.ms", ConfigType::Long, Some("5000"), Validator::Any),
    ("task.shutdown.graceful.timeout.ms", ConfigType::Long, Some("5000"), Validator::Any),
    ("plugin.path", ConfigType::List, NULL, Validator::Any),
    (
        "plugin.discovery",
        ConfigType::String,
        Some("hybrid_warn"),
        Validator::OneOfIgnoreCase(&["only_scan", "hybrid_warn", "hybrid_fail", "service_load"]),
    ),
    ("config.providers", ConfigType::List, Some(""), Validator::Any),
    ("connector.client.config.override.policy", ConfigType::String, Some("All"), Validator::Custom(policy)),
    ("topic.creation.enable", ConfigType::Boolean, Some("true"), Validator::Any),
    ("topic.tracking.enable", ConfigType::Boolean, Some("true"), Validator::Any),
    ("topic.tracking.allow.reset", ConfigType::Boolean, Some("true"), Validator::Any),
    ("metrics.sample.window.ms", ConfigType::Long, Some("30000"), NOT_NEGATIVE),
    ("metrics.num.samples", ConfigType::Int, Some("2"), Validator::AtLeast(1)),
    ("metrics.recording.level", ConfigType::String, Some("INFO"), Validator::OneOf(&["INFO", "DEBUG"])),
    ("listeners", ConfigType::List, Some("http://:8083"), Validator::NonEmpty),
    ("rest.advertised.host.name", ConfigType::String, NULL, Validator::Any),
    ("rest.advertised.port", ConfigType::Int, NULL, Validator::Any),
    ("rest.advertised.listener", ConfigType::String, NULL, Validator::OneOfIgnoreCase(&["http", "https"])),
    ("admin.listeners", ConfigType::List, NULL, Validator::Any),
    ("access.control.allow.origin", ConfigType::String, Some(""), Validator::Any),
    ("access.control.allow.methods", ConfigType::String, Some(""), Validator::Any),
    ("response.http.headers.config", ConfigType::String, Some(""), Validator::Any),
    ("rest.extension.classes", ConfigType::List, Some(""), Validator::Any),
];

const REPLICAS: Validator = Validator::Custom(one_or_more_or_default);
const ALGORITHMS: Validator = Validator::Custom(check_algorithms);

const DISTRIBUTED: &[Row] = &[
    ("group.id", ConfigType::String, REQUIRED, Validator::NonEmpty),
    ("config.storage.topic", ConfigType::String, REQUIRED, Validator::NonEmpty),
    ("config.storage.replication.factor", ConfigType::Short, Some("3"), REPLICAS),
    ("offset.storage.topic", ConfigType::String, REQUIRED, Validator::NonEmpty),
    ("offset.storage.partitions", ConfigType::Int, Some("25"), REPLICAS),
    ("offset.storage.replication.factor", ConfigType::Short, Some("3"), REPLICAS),
    ("status.storage.topic", ConfigType::String, REQUIRED, Validator::NonEmpty),
    ("status.storage.partitions", ConfigType::Int, Some("5"), REPLICAS),
    ("status.storage.replication.factor", ConfigType::Short, Some("3"), REPLICAS),
    ("session.timeout.ms", ConfigType::Int, Some("10000"), Validator::Any),
    ("heartbeat.interval.ms", ConfigType::Int, Some("3000"), Validator::Any),
    ("rebalance.timeout.ms", ConfigType::Int, Some("60000"), Validator::Any),
    (
        "exactly.once.source.support",
        ConfigType::String,
        Some("disabled"),
        Validator::OneOfIgnoreCase(&["disabled", "preparing", "enabled"]),
    ),
    (
        "connect.protocol",
        ConfigType::String,
        Some("sessioned"),
        Validator::OneOf(&["eager", "compatible", "sessioned"]),
    ),
    ("scheduled.rebalance.max.delay.ms", ConfigType::Int, Some("300000"), NOT_NEGATIVE),
    ("worker.sync.timeout.ms", ConfigType::Int, Some("3000"), Validator::Any),
    ("worker.unsync.backoff.ms", ConfigType::Int, Some("300000"), Validator::Any),
    ("inter.worker.key.generation.algorithm", ConfigType::String, Some("HmacSHA256"), ALGORITHMS),
    ("inter.worker.key.size", ConfigType::Int, NULL, Validator::Custom(check_key_size)),
    ("inter.worker.key.ttl.ms", ConfigType::Int, Some("3600000"), NOT_NEGATIVE),
    ("inter.worker.signature.algorithm", ConfigType::String, Some("HmacSHA256"), ALGORITHMS),
    ("inter.worker.verification.algorithms", ConfigType::List, Some("HmacSHA256"), ALGORITHMS),
];

const STANDALONE: &[Row] =
    &[("offset.storage.file.filename", ConfigType::String, REQUIRED, Validator::NonEmpty)];

/// Prefixes whose keys belong to somebody else: clients, converters, providers, topic settings.
const PASSED_ON: &[&str] = &[
    "admin.",
    "config.providers.",
    "config.storage.",
    "consumer.",
    "header.converter.",
    "internal.key.converter",
    "internal.value.converter",
    "key.converter.",
    "lakeward.",
    "listeners.https.",
    "metrics.context.",
    "offset.storage.",
    "producer.",
    "sasl.",
    "ssl.",
    "status.storage.",
    "value.converter.",
];

/// Client keys without prefix that every worker knows.
const CLIENT_KEYS: &[&str] = &[
    "client.dns.lookup",
    "client.id",
    "connections.max.idle.ms",
    "connector.client.config.override.allowlist",
    "metadata.max.age.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "security.protocol",
    "send.buffer.bytes",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
];

/// The definition of a worker file.
pub(crate) fn definition(mode: WorkerMode) -> ConfigDef {
    let own = match mode {
        WorkerMode::Distributed => DISTRIBUTED,
        WorkerMode::Standalone => STANDALONE,
    };
    let style = (page::STYLE, ConfigType::String, Some("both"), Validator::OneOf(&page::STYLES));
    let statistics = (clients::INTERVAL, ConfigType::Long, Some("10000"), NOT_NEGATIVE);
    let watchdog = (healing::STUCK_AFTER, ConfigType::Long, Some("300000"), NOT_NEGATIVE);
    let rows = COMMON.iter().chain(own).chain(healing::AUTO_RESTART).chain([&style, &statistics, &watchdog]);
    ConfigDef::new(rows.map(key).collect())
}

/// True when nobody reads `name`.
pub(crate) fn is_unknown(definition: &ConfigDef, name: &str) -> bool {
    definition.key(name).is_none()
        && !CLIENT_KEYS.contains(&name)
        && !PASSED_ON.iter().any(|prefix| name.starts_with(prefix))
}

pub(super) fn key((name, kind, default, validator): &Row) -> ConfigKey {
    let default = match *default {
        None => DefaultValue::Required,
        Some("\0") => DefaultValue::Null,
        Some(text) => DefaultValue::Text(text.to_owned()),
    };
    ConfigKey { validator: *validator, ..ConfigKey::new(*name, *kind, default, Importance::Medium) }
}

fn one_or_more_or_default(_: &str, text: &str) -> Result<(), String> {
    match text.parse::<i64>() {
        Ok(number) if number >= 1 || number == -1 => Ok(()),
        _ => Err("Value must be -1 to use the broker default, or at least 1".to_owned()),
    }
}

fn policy(_: &str, text: &str) -> Result<(), String> {
    match text.rsplit('.').next().map(|simple| simple.split("ConnectorClientConfig").next().unwrap_or(simple))
    {
        Some("All" | "None" | "Principal") => Ok(()),
        _ => Err("use All, None or Principal: other policies are not part of this worker".to_owned()),
    }
}
