//! The worker file: read, checked, typed.
//!
//! Owns what a worker is told by its file. Unknown keys are kept and warned about, as Java does. Variables
//! (`${…}`) are replaced here, once; texts about the file show the variables.
//!
//! Source: `DistributedConfig`, `StandaloneConfig`, Kafka 4.1.

mod definition;
pub(crate) mod healing;
mod listeners;
pub(crate) mod properties;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::config::{ConfigMap, ConfigValue};

pub use listeners::{Listener, Scheme};

/// The REST extension that asks for user and password.
pub(crate) const BASIC_AUTH_EXTENSION: &str =
    "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";

use crate::config_providers::{Providers, Resolved};
use crate::error::ControlPlaneError;
use crate::signing;

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
    admin_listeners: Option<Vec<Listener>>,
    providers: Arc<Providers>,
    /// The file with its variables, and what must not be shown.
    resolved: Resolved,
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

    /// Replaces the variables of worker properties and checks them. Reads what the variables name.
    ///
    /// # Errors
    /// Class `Config`, naming key, value and remedy of every problem.
    pub fn from_props(raw: ConfigMap, mode: WorkerMode) -> Result<Self, ControlPlaneError> {
        let providers =
            Providers::from_worker(&raw).map_err(|problems| ControlPlaneError::Config { problems })?;
        let resolved = providers.resolve_worker(&raw).map_err(|err| ControlPlaneError::Config {
            problems: vec![format!("{}: correct the variable or the provider", err.trace().trim_end())],
        })?;
        let props = resolved.properties().to_config_map();
        let definition = definition::definition(mode);
        let values = definition.validate(&props);
        let mut problems: Vec<String> = values.iter().flat_map(|value| value.errors.clone()).collect();
        let listeners = listeners::list(&values, "listeners", &mut problems).unwrap_or_default();
        let admin_listeners = listeners::list(&values, "admin.listeners", &mut problems);
        problems.extend(unsupported(&props));
        problems.extend(signing::problem(&values));
        if !problems.is_empty() {
            let problems = problems.iter().map(|problem| resolved.hide(problem)).collect();
            return Err(ControlPlaneError::Config { problems });
        }
        let unknown: Vec<String> =
            props.keys().filter(|name| definition::is_unknown(&definition, name)).cloned().collect();
        for name in &unknown {
            tracing::warn!(key = name, "this worker setting is not known");
        }
        let providers = Arc::new(providers);
        Ok(Self { props, values, unknown, mode, listeners, admin_listeners, providers, resolved })
    }

    /// The mode the file was read for.
    pub fn mode(&self) -> WorkerMode {
        self.mode
    }

    /// All properties with their variables replaced, unknown ones included. Values may be secrets.
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

    /// Where `/admin` is served: with everything else when `None`, nowhere when empty.
    pub(crate) fn admin_listeners(&self) -> Option<&[Listener]> {
        self.admin_listeners.as_deref()
    }

    /// The value of a defined key in text form; `None` when it is null.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|value| value.name == name)?.value.as_deref()
    }

    pub(crate) fn required(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// The value of a defined key as texts may show it: variables are not replaced.
    pub(crate) fn shown(&self, name: &str) -> &str {
        self.resolved.raw(name).unwrap_or_else(|| self.required(name))
    }

    /// `text` with values that came from a configuration provider replaced by their variables.
    pub fn hide(&self, text: &str) -> String {
        self.resolved.hide(text)
    }

    /// Where variables of connector configurations get their values.
    pub(crate) fn providers(&self) -> &Arc<Providers> {
        &self.providers
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

    /// `lakeward.watchdog.stuck.after.ms`.
    pub(crate) fn stuck_after_ms(&self) -> u64 {
        self.number(healing::STUCK_AFTER).and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default()
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

    /// Which of the listeners other workers and clients are told.
    pub(crate) fn advertised_listener(&self) -> usize {
        let scheme = self.advertised_scheme();
        self.listeners.iter().position(|listener| listener.scheme == scheme).unwrap_or(0)
    }

    fn advertised_scheme(&self) -> Scheme {
        match self.text("rest.advertised.listener").map(str::to_ascii_lowercase).as_deref() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ if self.listeners.iter().any(|listener| listener.scheme == Scheme::Http) => Scheme::Http,
            _ => Scheme::Https,
        }
    }

    /// Where other workers reach this one, given the port its advertised listener got.
    pub(crate) fn advertised_url(&self, bound_port: u16) -> String {
        format!("{}://{}/", self.advertised_scheme().as_str(), self.worker_id(bound_port))
    }

    /// `host:port` under which this worker is known, given the port its first listener got.
    pub(crate) fn worker_id(&self, bound_port: u16) -> String {
        let host = match self.text("rest.advertised.host.name").filter(|host| !host.is_empty()) {
            Some(host) => host.to_owned(),
            None => match self.listeners.get(self.advertised_listener()).map(|first| first.host.as_str()) {
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
    let given = |name: &str| props.get(name).filter(|value| !value.trim().is_empty());
    let refusal = |name: &str, problem: &str| {
        let value = given(name)?;
        Some(format!("Invalid value {value} for configuration {name}: {problem}"))
    };
    let mut problems = Vec::new();
    let name = "rest.extension.classes";
    if given(name).is_some_and(|value| value.trim() != BASIC_AUTH_EXTENSION) {
        let problem = format!("only {BASIC_AUTH_EXTENSION} is part of this worker; remove the others");
        problems.extend(refusal(name, &problem));
    }
    problems
}
