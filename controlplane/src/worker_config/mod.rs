//! The worker file: read, checked, typed.
//!
//! Owns what a worker is told by its file. Unknown keys are kept and warned about, as Java does. Variables
//! (`${…}`) are left as they are: configuration providers are not part of this milestone.
//!
//! Source: `DistributedConfig`, `StandaloneConfig`, Kafka 4.1.

mod definition;
mod listeners;
pub(crate) mod properties;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use lakeward_api::config::{ConfigMap, ConfigValue};

pub use listeners::Listener;

use crate::error::ControlPlaneError;

/// How a worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerMode {
    /// One of a group; state lives in Kafka.
    Distributed,
    /// Alone; connectors come from files and live in memory.
    Standalone,
}

/// Which client settings connectors may override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverridePolicy {
    /// All of them.
    All,
    /// None.
    None,
    /// Credentials and protocol only.
    Principal,
}

/// The typed worker configuration.
#[derive(Clone)]
pub struct WorkerConfig {
    props: ConfigMap,
    values: Vec<ConfigValue>,
    unknown: Vec<String>,
    mode: WorkerMode,
    listeners: Vec<Listener>,
}

impl std::fmt::Debug for WorkerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerConfig").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl WorkerConfig {
    /// Reads and checks a worker file.
    ///
    /// # Errors
    /// Class `Config`, naming the file, or key, value and remedy of every problem.
    pub fn load(path: &Path, mode: WorkerMode) -> Result<Self, ControlPlaneError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ControlPlaneError::File { path: path.display().to_string(), source })?;
        let props = properties::parse(&bytes).map_err(|bad| ControlPlaneError::Config {
            problems: vec![format!(
                "{}, line {}: malformed \\uxxxx encoding; write four hexadecimal digits",
                path.display(),
                bad.line
            )],
        })?;
        Self::from_props(props, mode)
    }

    /// Checks worker properties.
    ///
    /// # Errors
    /// Class `Config`, naming key, value and remedy of every problem.
    pub fn from_props(props: ConfigMap, mode: WorkerMode) -> Result<Self, ControlPlaneError> {
        let definition = definition::definition(mode);
        let values = definition.validate(&props);
        let mut problems: Vec<String> = values.iter().flat_map(|value| value.errors.clone()).collect();
        let mut listeners = Vec::new();
        let given =
            values.iter().find(|value| value.name == "listeners").and_then(|value| value.value.clone());
        for text in lakeward_api::config::parse_list(&given.unwrap_or_default()) {
            match Listener::parse(&text) {
                Ok(listener) => listeners.push(listener),
                Err(problem) => {
                    problems.push(format!("Invalid value {text} for configuration listeners: {problem}"));
                }
            }
        }
        problems.extend(unsupported(&props));
        if !problems.is_empty() {
            return Err(ControlPlaneError::Config { problems });
        }
        let unknown: Vec<String> =
            props.keys().filter(|name| definition::is_unknown(&definition, name)).cloned().collect();
        for name in &unknown {
            tracing::warn!(key = name, "this worker setting is not known");
        }
        Ok(Self { props, values, unknown, mode, listeners })
    }

    /// The mode the file was read for.
    pub fn mode(&self) -> WorkerMode {
        self.mode
    }

    /// All properties as given, unknown ones included.
    pub fn props(&self) -> &ConfigMap {
        &self.props
    }

    /// Keys nobody reads.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Where REST listens.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// The value of a defined key in text form; `None` when it is null.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|value| value.name == name)?.value.as_deref()
    }

    pub(crate) fn required(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// `task.shutdown.graceful.timeout.ms`.
    pub fn task_shutdown_timeout(&self) -> Duration {
        let ms = self.number("task.shutdown.graceful.timeout.ms").unwrap_or_default();
        Duration::from_millis(ms.max(0).unsigned_abs())
    }

    /// Which client settings connectors may override.
    pub fn override_policy(&self) -> OverridePolicy {
        let text = self.required("connector.client.config.override.policy");
        match text.rsplit('.').next().unwrap_or_default() {
            simple if simple.starts_with("None") => OverridePolicy::None,
            simple if simple.starts_with("Principal") => OverridePolicy::Principal,
            _ => OverridePolicy::All,
        }
    }

    /// The settings a topic of `prefix` (`config.storage.` …) is created with, and the names that are
    /// ignored.
    pub(crate) fn topic_settings(&self, prefix: &str) -> ConfigMap {
        let not_settings = ["topic", "partitions", "replication.factor"];
        let mut settings = ConfigMap::new();
        for (name, value) in &self.props {
            let Some(setting) = name.strip_prefix(prefix) else { continue };
            if setting == "cleanup.policy" || (setting == "partitions" && prefix == "config.storage.") {
                tracing::warn!(key = name, "this setting of an internal topic is fixed and ignored");
            } else if !not_settings.contains(&setting) {
                settings.insert(setting.to_owned(), value.clone());
            }
        }
        settings
    }

    /// `host:port` under which this worker is known, given the port its first listener got.
    pub(crate) fn worker_id(&self, bound_port: u16) -> String {
        let host = match self.text("rest.advertised.host.name").filter(|host| !host.is_empty()) {
            Some(host) => host.to_owned(),
            None => match self.listeners.first().map(|first| first.host.as_str()) {
                None | Some("") => listeners::machine_name(),
                Some(host) => host.to_owned(),
            },
        };
        let port = self.number("rest.advertised.port").map_or(i64::from(bound_port), |port| port);
        format!("{host}:{port}")
    }
}

/// Settings that would change what users rely on and are not there yet: refused, never ignored.
fn unsupported(props: &ConfigMap) -> Vec<String> {
    let cases = [
        ("rest.extension.classes", "REST extensions are not supported yet; remove the setting"),
        ("admin.listeners", "separate admin listeners are not supported yet; remove the setting"),
        ("access.control.allow.origin", "cross-origin access is not supported yet; remove the setting"),
        ("response.http.headers.config", "extra response headers are not supported yet; remove the setting"),
        ("config.providers", "configuration providers are not supported yet; remove the setting"),
    ];
    let given = |name: &str| props.get(name).filter(|value| !value.trim().is_empty());
    let refusal = |name: &str, problem: &str| {
        let value = given(name)?;
        Some(format!("Invalid value {value} for configuration {name}: {problem}"))
    };
    let mut problems: Vec<String> =
        cases.iter().filter_map(|(name, problem)| refusal(name, problem)).collect();
    let name = "exactly.once.source.support";
    if given(name).is_some_and(|value| !value.trim().eq_ignore_ascii_case("disabled")) {
        problems.extend(refusal(name, "source connectors are not supported yet; use disabled"));
    }
    problems
}
