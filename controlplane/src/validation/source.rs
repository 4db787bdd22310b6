//! What only source connectors have: their keys, and the preflight checks of exactly-once delivery.
//!
//! Source: `SourceConnectorConfig`, `DistributedHerder#validateSourceConnectorExactlyOnceSupport`,
//! `#validateTransactionBoundaryDefinition`, Kafka 4.1.

use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, Importance, Validator as Check, Width,
    parse_list,
};
use lakeward_api::source::{ExactlyOnceSupport, SourceConnector};
use lakeward_controlplane_core::Properties;
use lakeward_kafka::settings::ClientKind;

use super::common_keys::{common, key, place};
use super::{ConfigInfo, Validator, entry};
use crate::herder::RequestError;
use crate::worker_config::WorkerMode;

const EXACTLY_ONCE: &str = "exactly.once.support";
const BOUNDARY: &str = "transaction.boundary";
const ONCE_GROUP: &str = "Exactly Once Support";

/// Common and source keys together, in Java's order.
pub(super) fn source_definition() -> ConfigDef {
    ConfigDef::new(common().into_iter().chain(source()).collect())
}

fn source() -> Vec<ConfigKey> {
    let checked = |key: ConfigKey, validator| ConfigKey { validator, ..key };
    let mut keys = vec![checked(
        key(
            "topic.creation.groups",
            ConfigType::List,
            Some(""),
            Importance::Low,
            place("Topic Creation", 1, Width::Long, "Topic Creation Groups"),
            "Groups of configurations for topics created by source connectors",
        ),
        Check::CustomWords(unique_groups),
    )];
    keys.extend(exactly_once());
    keys.push(checked(
        key(
            "offsets.storage.topic",
            ConfigType::String,
            None,
            Importance::Low,
            place("offsets.topic", 1, Width::Long, "Offsets topic"),
            "The name of a separate offsets topic to use for this connector. If empty or not specified, the \
             worker’s global offsets topic name will be used. If specified, the offsets topic will be \
             created if it does not already exist on the Kafka cluster targeted by this connector (which \
             may be different from the one used for the worker's global offsets topic if the \
             bootstrap.servers property of the connector's producer has been overridden from the worker's). \
             Only applicable in distributed mode; in standalone mode, setting this property \
             will have no effect.",
        ),
        Check::NonEmpty,
    ));
    keys
}

fn exactly_once() -> [ConfigKey; 3] {
    let checked = |key: ConfigKey, validator| ConfigKey { validator, ..key };
    [
        checked(
            key(
                EXACTLY_ONCE,
                ConfigType::String,
                Some("requested"),
                Importance::Medium,
                place(ONCE_GROUP, 2, Width::Short, "Exactly once support"),
                "Permitted values are requested, required. If set to \"required\", forces a preflight check \
                 for the connector to ensure that it can provide exactly-once semantics with the given \
                 configuration. Some connectors may be capable of providing exactly-once semantics but not \
                 signal to Connect that they support this; in that case, documentation for the connector \
                 should be consulted carefully before creating it, and the value for this property should be \
                 set to \"requested\". Additionally, if the value is set to \"required\" but the worker that \
                 performs preflight validation does not have exactly-once support enabled for source \
                 connectors, requests to create or validate the connector will fail.",
            ),
            Check::OneOfIgnoreCase(&["REQUIRED", "REQUESTED"]),
        ),
        checked(
            key(
                BOUNDARY,
                ConfigType::String,
                Some("poll"),
                Importance::Medium,
                place(ONCE_GROUP, 3, Width::Short, "Transaction Boundary"),
                "Permitted values are: poll, interval, connector. If set to 'poll', a new producer \
                 transaction will be started and committed for every batch of records that each task from \
                 this connector provides to Connect. If set to 'connector', relies on connector-defined \
                 transaction boundaries; note that not all connectors are capable of defining their own \
                 transaction boundaries, and in that case, attempts to instantiate a connector with this \
                 value will fail. Finally, if set to 'interval', commits transactions only after a \
                 user-defined time interval has passed.",
            ),
            Check::OneOfIgnoreCase(&["INTERVAL", "POLL", "CONNECTOR"]),
        ),
        checked(
            key(
                "transaction.boundary.interval.ms",
                ConfigType::Long,
                None,
                Importance::Low,
                place(ONCE_GROUP, 4, Width::Short, "Transaction boundary interval"),
                "If 'transaction.boundary' is set to 'interval', determines the interval for producer \
                 transaction commits by connector tasks. If unset, defaults to the value of the worker-level \
                 'offset.flush.interval.ms' property. It has no effect if a different transaction.boundary \
                 is specified.",
            ),
            Check::AtLeast(0),
        ),
    ]
}

fn unique_groups(name: &str, text: &str) -> Result<(), String> {
    let groups = parse_list(text);
    let is_repeated = (1..groups.len()).any(|at| groups[..at].contains(&groups[at]));
    if !is_repeated {
        return Ok(());
    }
    let groups = groups.join(", ");
    Err(format!("Invalid value [{groups}] for configuration {name}: Duplicate alias provided."))
}

/// What the start of a source connector has against its `topic.creation.*` settings; validation does not
/// look at them, as Java's does not.
pub(crate) fn topic_creation_problem(config: &ConfigMap) -> Option<String> {
    const PREFIX: &str = "topic.creation.";
    if !config.keys().any(|name| name.starts_with(PREFIX)) {
        return None;
    }
    let groups = config.get("topic.creation.groups").map(|text| parse_list(text)).unwrap_or_default();
    let groups = groups.iter().map(String::as_str).filter(|group| *group != "default");
    for group in std::iter::once("default").chain(groups) {
        for (key, kind) in [("replication.factor", "SHORT"), ("partitions", "INT")] {
            let name = format!("{PREFIX}{group}.{key}");
            let Some(text) = config.get(&name).map(|text| text.trim()) else {
                if group == "default" {
                    return Some(format!(
                        "Missing required configuration \"{name}\" which has no default value."
                    ));
                }
                continue;
            };
            let number = match kind {
                "SHORT" => text.parse::<i16>().map(i32::from),
                _ => text.parse::<i32>(),
            };
            let Ok(number) = number else {
                return Some(format!(
                    "Invalid value {text} for configuration {name}: Not a number of type {kind}"
                ));
            };
            if number < 1 && number != -1 {
                let what = if kind == "SHORT" { "Replication factor" } else { "Number of partitions" };
                return Some(format!(
                    "Invalid value {number} for configuration {name}: {what} must be positive and not larger \
                     than the number of brokers in the Kafka cluster, or -1 to use the broker's default"
                ));
            }
        }
    }
    None
}

impl Validator<'_> {
    fn is_exactly_once(&self) -> bool {
        let support = self.worker.text("exactly.once.source.support").unwrap_or_default();
        self.worker.mode() == WorkerMode::Distributed && support.trim().eq_ignore_ascii_case("enabled")
    }

    /// The preflight checks; a standalone worker has none.
    pub(super) fn check_exactly_once(
        &self,
        source: &dyn SourceConnector,
        map: &ConfigMap,
        values: &mut [ConfigValue],
    ) {
        let is = |name: &str, wanted: &str| {
            map.get(name).is_some_and(|text| text.trim().eq_ignore_ascii_case(wanted))
        };
        if self.worker.mode() == WorkerMode::Standalone {
            return;
        }
        if is(EXACTLY_ONCE, "required") {
            let errors = &mut entry(values, EXACTLY_ONCE).errors;
            if !self.is_exactly_once() {
                errors.push("This worker does not have exactly-once source support enabled.".to_owned());
            }
            match source.exactly_once_support(map) {
                ExactlyOnceSupport::Supported => {}
                ExactlyOnceSupport::Unsupported => errors.push(
                    "The connector does not support exactly-once semantics with the provided configuration."
                        .to_owned(),
                ),
                ExactlyOnceSupport::Unknown => errors.push(
                    "The connector does not implement the API required for preflight validation of \
                     exactly-once source support. Please consult the documentation for the connector to \
                     determine whether it supports exactly-once semantics, and then consider reconfiguring \
                     the connector to use the value \"requested\" for this property (which will disable \
                     this preflight check and allow the connector to be created)."
                        .to_owned(),
                ),
            }
        }
        if is(BOUNDARY, "connector") && !source.can_define_transactions(map) {
            entry(values, BOUNDARY).errors.push(
                "The connector does not support connector-defined transaction boundaries with the given \
                 configuration. Please reconfigure it to use a different transaction boundary definition."
                    .to_owned(),
            );
        }
    }

    /// One entry per override of a client that the source uses: its producer, the admin client that creates
    /// topics, and the consumer that reads an offsets topic of its own.
    ///
    /// # Errors
    /// 500 for a value that cannot be parsed.
    pub(super) fn source_overrides(&self, props: &Properties) -> Result<Vec<ConfigInfo>, RequestError> {
        let own_topic = props.get("offsets.storage.topic").is_some_and(|topic| !topic.trim().is_empty());
        let own_clients =
            self.worker.mode() == WorkerMode::Distributed && (own_topic || self.is_exactly_once());
        let creates_topics = props.iter().any(|(name, _)| name.starts_with("topic.creation."));
        let mut infos = self.client_overrides(ClientKind::Producer, props)?;
        if own_clients {
            infos.extend(self.client_overrides(ClientKind::Consumer, props)?);
        }
        if own_clients || creates_topics {
            infos.extend(self.client_overrides(ClientKind::Admin, props)?);
        }
        Ok(infos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(entries: &[(&str, &str)]) -> Option<String> {
        let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        topic_creation_problem(&entries.collect())
    }

    #[test]
    fn topic_creation_needs_its_default_group() {
        assert_eq!(problem(&[("transforms", "")]), None);
        let text = problem(&[("topic.creation.default.partitions", "1")]).unwrap();
        assert!(text.contains("\"topic.creation.default.replication.factor\""), "{text}");
        let whole = [
            ("topic.creation.groups", "a"),
            ("topic.creation.default.partitions", "-1"),
            ("topic.creation.default.replication.factor", "1"),
        ];
        assert_eq!(problem(&whole), None);
        let text = problem(&[&whole[..], &[("topic.creation.a.partitions", "0")]].concat()).unwrap();
        assert!(text.contains("topic.creation.a.partitions"), "{text}");
    }

    #[test]
    fn groups_are_named_once() {
        assert!(unique_groups("topic.creation.groups", "a,b").is_ok());
        assert!(unique_groups("topic.creation.groups", "a,b,a").unwrap_err().contains("[a, b, a]"));
    }
}
