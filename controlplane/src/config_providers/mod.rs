//! Configuration providers: where the values of `${provider:path:key}` come from.
//!
//! Owns the providers of this worker and the replacement of variables. Must not remember values (every use
//! asks again, so that a rotated secret counts at the next start) and must not run on async threads: files
//! may be slow. Every provider has an allow-list that the worker file must give: a connector configuration
//! comes from whoever reaches REST, and may not read any file of the machine.
//!
//! The providers of this binary give no time to live, so `config.action.reload` never has anything to do.
//!
//! Source: `ConfigTransformer`, `WorkerConfigTransformer`, `AbstractConfig#resolveConfigVariables`, Kafka
//! 4.1.

mod environment;
mod files;
mod resolved;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigMap, parse_list};
use lakeward_controlplane_core::Properties;

use environment::EnvVarConfigProvider;
use files::{AllowedPaths, DirectoryConfigProvider, FileConfigProvider};
pub(crate) use resolved::Resolved;
use variables::variables;

/// Values by key.
type Found = BTreeMap<String, String>;

/// Answers variables of one alias.
trait ConfigProvider: Send + Sync {
    /// The values of those `keys` that `path` (empty when the variable has none) holds. May block.
    ///
    /// # Errors
    /// Class `Config` when the source of the values cannot be read.
    fn get(&self, path: &str, keys: &[&str]) -> Result<Found, ConnectError>;
}

const PACKAGE: &str = "org.apache.kafka.common.config.provider.";

/// The providers of a worker, by alias.
#[derive(Default)]
pub(crate) struct Providers(BTreeMap<String, Box<dyn ConfigProvider>>);

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Providers {
    /// Makes the providers that `config.providers` of a worker file names. Their definitions are literal.
    ///
    /// # Errors
    /// Every problem, naming key and remedy.
    pub(crate) fn from_worker(props: &ConfigMap) -> Result<Self, Vec<String>> {
        let aliases = parse_list(props.get("config.providers").map_or("", String::as_str));
        let mut providers = BTreeMap::new();
        let mut problems = Vec::new();
        for alias in aliases.into_iter().filter(|alias| !alias.is_empty()) {
            match provider(&alias, props) {
                Ok(provider) => {
                    providers.insert(alias, provider);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self(providers)) } else { Err(problems) }
    }

    /// Replaces the variables of a worker file: all keys but the plugin path and the definitions of the
    /// providers. May block.
    ///
    /// # Errors
    /// As [`Providers::resolve`].
    pub(crate) fn resolve_worker(&self, props: &ConfigMap) -> Result<Resolved, ConnectError> {
        let is_literal = |name: &str| {
            matches!(name, "plugin.path" | "config.providers") || name.starts_with("config.providers.")
        };
        self.replace(&Properties::from(props.clone()), |name| !is_literal(name))
    }

    /// Replaces the variables of a connector or task configuration. Unknown providers and unknown keys leave
    /// their text. May block.
    ///
    /// # Errors
    /// Class `Config` when a provider cannot read its source.
    pub(crate) fn resolve(&self, raw: &Properties) -> Result<Resolved, ConnectError> {
        self.replace(raw, |_| true)
    }

    /// False when nothing in `raw` can be replaced, so that no provider has to be asked.
    pub(crate) fn concern(&self, raw: &Properties) -> bool {
        let known = |text: &str| variables(text).any(|variable| self.0.contains_key(variable.provider));
        !self.0.is_empty() && raw.iter().any(|(_, value)| value.is_some_and(known))
    }

    fn replace(
        &self,
        raw: &Properties,
        may_replace: impl Fn(&str) -> bool,
    ) -> Result<Resolved, ConnectError> {
        let texts = || raw.iter().filter(|(name, _)| may_replace(name)).filter_map(|(_, value)| value);
        // One look-up per provider and path, as in Java.
        let mut wanted: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for variable in texts().flat_map(variables) {
            wanted.entry((variable.provider, variable.path)).or_default().insert(variable.key);
        }
        let mut found: BTreeMap<(&str, &str), Found> = BTreeMap::new();
        for ((alias, path), keys) in wanted {
            if let Some(provider) = self.0.get(alias) {
                found.insert((alias, path), provider.get(path, &keys.into_iter().collect::<Vec<_>>())?);
            }
        }
        let value_of = |variable: &variables::Variable<'_>| {
            found.get(&(variable.provider, variable.path))?.get(variable.key).cloned()
        };
        Ok(Resolved::new(raw, may_replace, value_of))
    }
}

fn provider(alias: &str, props: &ConfigMap) -> Result<Box<dyn ConfigProvider>, String> {
    let class_key = format!("config.providers.{alias}.class");
    let class = props.get(&class_key).map(|class| class.trim()).ok_or_else(|| {
        format!(
            "Missing required configuration \"{class_key}\" which has no default value: config.providers \
             names {alias}"
        )
    })?;
    let allowed = |parameter: &str, everything: &str| allow_list(alias, props, parameter, everything);
    let refused = |parameter: &str, given: &str, problem: String| {
        format!(
            "Invalid value {given} for configuration config.providers.{alias}.param.{parameter}: {problem}"
        )
    };
    let paths = || {
        let given = allowed("allowed.paths", "/")?;
        AllowedPaths::parse(given).map_err(|problem| refused("allowed.paths", given, problem))
    };
    match class.strip_prefix(PACKAGE) {
        Some("DirectoryConfigProvider") => Ok(Box::new(DirectoryConfigProvider { allowed: paths()? })),
        Some("EnvVarConfigProvider") => {
            let given = allowed("allowlist.pattern", ".*")?;
            let made = EnvVarConfigProvider::new(given);
            Ok(Box::new(made.map_err(|problem| refused("allowlist.pattern", given, problem))?))
        }
        Some("FileConfigProvider") => Ok(Box::new(FileConfigProvider { allowed: paths()? })),
        _ => Err(format!(
            "Invalid value {class} for configuration {class_key}: this worker has \
             {PACKAGE}DirectoryConfigProvider, {PACKAGE}EnvVarConfigProvider and {PACKAGE}FileConfigProvider"
        )),
    }
}

/// The allow-list of a provider, which Java leaves optional.
fn allow_list<'a>(
    alias: &str,
    props: &'a ConfigMap,
    parameter: &str,
    everything: &str,
) -> Result<&'a str, String> {
    let key = format!("config.providers.{alias}.param.{parameter}");
    match props.get(&key).map(String::as_str) {
        Some(given) if !given.trim().is_empty() => Ok(given),
        _ => Err(format!(
            "Missing required configuration \"{key}\" which has no default value: say what connector \
             configurations may read through {alias} ({everything} allows everything this worker can read)"
        )),
    }
}
