//! The `lakeward.*` settings of a worker file: what has no counterpart in Kafka Connect.

use std::path::PathBuf;
use std::time::Duration;

use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::memory::Memory;
use lakeward_dataplane::ShardSettings;
use lakeward_dataplane::executor::{Engine, EngineChoice, choose_engine};
use lakeward_dataplane::memory::default_limit_bytes;

/// The setting, with a prefix or without.
const TOKEN_URL: &str = "sasl.oauthbearer.token.endpoint.url";
const JAVA_TOKEN_URLS: &str = "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=";

/// Settings of this process.
#[derive(ConfigDef, Debug)]
pub(crate) struct ProcessSettings {
    /// Number of shards: pinned threads that decode and encode records. 0 means one per core but one.
    #[config(
        name = "lakeward.shards",
        kind = "int",
        default = "0",
        importance = "medium",
        validate = at_least(0)
    )]
    shards: i32,

    /// What runs the shards: `auto` (io_uring where the kernel allows it, else epoll), `io_uring` or `epoll`.
    #[config(
        name = "lakeward.engine",
        kind = "string",
        default = "auto",
        importance = "low",
        validate = one_of("auto", "io_uring", "epoll")
    )]
    engine: String,

    /// Threads that run network clients (object stores, REST).
    #[config(
        name = "lakeward.bridge.threads",
        kind = "int",
        default = "2",
        importance = "low",
        validate = at_least(1)
    )]
    pub(crate) bridge_threads: i32,

    /// Bytes per task that may be on their way to the store before the task takes no more records.
    #[config(
        name = "lakeward.in.flight.bytes",
        kind = "long",
        default = "33554432",
        importance = "medium",
        validate = at_least(1048576)
    )]
    in_flight_bytes: i64,

    /// Bytes that this worker may hold: fetch queues, records at hand, open files and uploads. When they
    /// become many, row groups close early, then rows go to disk, and fetching pauses last. 0 means half of
    /// what the process may have (cgroup or machine), at most 2 GiB.
    #[config(
        name = "lakeward.memory.limit",
        kind = "long",
        default = "0",
        importance = "medium",
        validate = custom(memory_limit)
    )]
    memory_limit: i64,

    /// Directory for what memory does not hold; empty means the system's temporary directory. Files have no
    /// names and go with the process. They hold records: only the worker's user should have access.
    #[config(name = "lakeward.spill.dir", kind = "string", default = "", importance = "low")]
    spill_dir: String,

    /// URLs that connectors may fetch tokens for SASL/OAUTHBEARER from (`sasl.oauthbearer.token.endpoint.url`
    /// of their client overrides), besides those that the worker's own settings name. Java's list, the system
    /// property `org.apache.kafka.sasl.oauthbearer.allowed.urls`, counts too where `KAFKA_OPTS` sets it.
    #[config(
        name = "lakeward.sasl.oauthbearer.allowed.urls",
        kind = "list",
        default = "",
        importance = "medium"
    )]
    token_urls: Vec<String>,

    /// How often positions are committed at the least (Kafka Connect's name and default).
    #[config(name = "offset.flush.interval.ms", kind = "long", default = "60000", importance = "low")]
    offset_flush_interval_ms: i64,

    /// How long storing source offsets may take (Kafka Connect's name and default).
    #[config(name = "offset.flush.timeout.ms", kind = "long", default = "5000", importance = "low")]
    offset_flush_timeout_ms: i64,

    /// How long tasks may take to stop (Kafka Connect's name and default).
    #[config(
        name = "task.shutdown.graceful.timeout.ms",
        kind = "long",
        default = "5000",
        importance = "low"
    )]
    graceful_timeout_ms: i64,
}

impl ProcessSettings {
    /// Reads the settings out of a worker configuration.
    ///
    /// # Errors
    /// All problems, one line each, in Kafka's words.
    pub(crate) fn from_worker(config: &ConfigMap) -> Result<Self, String> {
        Self::parse(config).map_err(|values| {
            let problems = values.into_iter().flat_map(|value| value.errors);
            problems.collect::<Vec<_>>().join("\n")
        })
    }

    /// Shards and their engine; logs a fallback with its reason and remedy.
    pub(crate) fn shards(&self) -> Result<ShardSettings, String> {
        let choice: EngineChoice = self.engine.parse()?;
        let (engine, note) = choose_engine(choice)?;
        if let Some(note) = note {
            tracing::warn!("{note}");
        }
        let configured = usize::try_from(self.shards).unwrap_or(0);
        let count = if configured == 0 { ShardSettings::default_count() } else { configured };
        let engine_name = match engine {
            Engine::Epoll => "epoll",
            Engine::IoUring => "io_uring",
        };
        tracing::info!(shards = count, engine = engine_name, "shards start");
        Ok(ShardSettings { count, engine })
    }

    pub(crate) fn in_flight_bytes_max(&self) -> u64 {
        u64::try_from(self.in_flight_bytes).unwrap_or(u64::MAX)
    }

    /// The memory of this worker; logs its limit.
    pub(crate) fn memory(&self) -> Memory {
        let limit_bytes = match u64::try_from(self.memory_limit) {
            Ok(0) | Err(_) => default_limit_bytes(),
            Ok(limit_bytes) => limit_bytes,
        };
        tracing::info!(limit_bytes, "memory");
        Memory::new(limit_bytes)
    }

    pub(crate) fn spill_directory(&self) -> PathBuf {
        match self.spill_dir.trim() {
            "" => std::env::temp_dir(),
            directory => PathBuf::from(directory),
        }
    }

    /// Where Kafka clients of a worker with this configuration may get tokens from.
    pub(crate) fn token_urls(&self, config: &ConfigMap) -> Vec<String> {
        let own = config.iter().filter(|(name, _)| name.ends_with(TOKEN_URL)).map(|(_, url)| url.as_str());
        let options = std::env::var("KAFKA_OPTS").unwrap_or_default();
        let java = options.split_whitespace().filter_map(|option| option.strip_prefix(JAVA_TOKEN_URLS));
        let listed = self.token_urls.iter().map(String::as_str).chain(java.flat_map(|urls| urls.split(',')));
        let urls = own.chain(listed).map(str::trim).filter(|url| !url.is_empty());
        urls.map(str::to_owned).collect()
    }

    pub(crate) fn offset_flush_interval(&self) -> Duration {
        milliseconds(self.offset_flush_interval_ms)
    }

    pub(crate) fn offset_flush_timeout(&self) -> Duration {
        milliseconds(self.offset_flush_timeout_ms)
    }

    pub(crate) fn graceful_timeout(&self) -> Duration {
        milliseconds(self.graceful_timeout_ms)
    }
}

/// Less than a worker needs before it has data would stop everything.
const MEMORY_BYTES_MIN: i64 = 128 << 20;

fn memory_limit(_name: &str, text: &str) -> Result<(), String> {
    match text.parse::<i64>() {
        Ok(0 | MEMORY_BYTES_MIN..) => Ok(()),
        Ok(_) | Err(_) => Err(format!("Value must be 0 (automatic) or at least {MEMORY_BYTES_MIN}")),
    }
}

fn milliseconds(value: i64) -> Duration {
    Duration::from_millis(u64::try_from(value).unwrap_or(0))
}
