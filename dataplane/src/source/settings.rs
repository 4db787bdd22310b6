//! What the configuration of a source task asks for: connector, producer, boundaries of transactions.
//!
//! Source: `Worker#baseProducerConfigs`, `Worker#exactlyOnceSourceTaskProducerConfigs`,
//! `SourceConnectorConfig`, Kafka 4.1.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::runtime::{TaskId, TaskSpec};
use lakeward_api::source::SourceConnector;
use lakeward_kafka::settings::{connector_admin, with_prefix};

use super::topics::TopicGroups;
use crate::runtime::Environment;

/// When a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    /// Where the task says.
    Connector,
    /// With the first batch after this time.
    Interval(Duration),
    /// With every batch.
    Poll,
}

/// How records are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarantee {
    AtLeastOnce,
    ExactlyOnce(Boundary),
}

/// Everything a source task is set up with.
pub(super) struct SourceSettings {
    pub(super) connector: Arc<dyn SourceConnector>,
    pub(super) producer: ConfigMap,
    pub(super) admin: ConfigMap,
    pub(super) admin_id: String,
    pub(super) guarantee: Guarantee,
    /// Topic that a task of exactly-once delivery writes its offsets to.
    pub(super) offsets_topic: String,
    pub(super) groups: Option<TopicGroups>,
    pub(super) flush_interval: Duration,
    pub(super) flush_timeout: Duration,
}

impl SourceSettings {
    pub(super) fn read(environment: &Environment, spec: &TaskSpec) -> Result<Self, ConnectError> {
        let (worker, config) = (&environment.worker_config, &spec.connector_config);
        let class = config.get("connector.class").map(String::as_str).unwrap_or_default();
        let connector = environment.plugins.source(class.trim()).map(Arc::clone).ok_or_else(|| {
            ConnectError::config(format!("connector.class {class} is not a source connector of this worker"))
        })?;
        let guarantee = guarantee(worker, config, environment.offset_flush_interval)?;
        let enabled = worker
            .get("topic.creation.enable")
            .is_none_or(|enabled| !enabled.trim().eq_ignore_ascii_case("false"));
        let groups = if enabled { TopicGroups::read(config)? } else { None };
        let own_topic = config.get("offsets.storage.topic").map(|topic| topic.trim());
        let offsets_topic = own_topic
            .filter(|topic| !topic.is_empty())
            .or_else(|| worker.get("offset.storage.topic").map(|topic| topic.trim()))
            .unwrap_or_default();
        Ok(Self {
            connector,
            producer: producer(worker, config, &spec.id, guarantee),
            admin: connector_admin(worker, config),
            admin_id: format!("connector-adminclient-{}", spec.id),
            guarantee,
            offsets_topic: offsets_topic.to_owned(),
            groups,
            flush_interval: environment.offset_flush_interval,
            flush_timeout: environment.offset_flush_timeout,
        })
    }

    pub(super) fn creates_topics(&self) -> bool {
        self.groups.is_some()
    }

    pub(super) fn is_exactly_once(&self) -> bool {
        matches!(self.guarantee, Guarantee::ExactlyOnce(_))
    }

    pub(super) fn defines_transactions(&self) -> bool {
        self.guarantee == Guarantee::ExactlyOnce(Boundary::Connector)
    }
}

fn guarantee(
    worker: &ConfigMap,
    config: &ConfigMap,
    flush_interval: Duration,
) -> Result<Guarantee, ConnectError> {
    let is_enabled = worker
        .get("exactly.once.source.support")
        .is_some_and(|support| support.trim().eq_ignore_ascii_case("enabled"));
    // A standalone worker has no group, and no exactly-once delivery.
    if !is_enabled || !worker.contains_key("group.id") {
        return Ok(Guarantee::AtLeastOnce);
    }
    let name = config.get("transaction.boundary").map_or("poll", |name| name.trim());
    let boundary = match name.to_ascii_lowercase().as_str() {
        "poll" => Boundary::Poll,
        "connector" => Boundary::Connector,
        "interval" => {
            let given = config.get("transaction.boundary.interval.ms").map(|text| text.trim());
            let interval = match given.filter(|text| !text.is_empty()) {
                None => flush_interval,
                Some(text) => Duration::from_millis(text.parse().map_err(|_| {
                    ConnectError::config(format!(
                        "Invalid value {text} for configuration transaction.boundary.interval.ms: Not a \
                         number of type LONG"
                    ))
                })?),
            };
            Boundary::Interval(interval)
        }
        _ => {
            return Err(ConnectError::config(format!(
                "Invalid value {name} for configuration transaction.boundary: String must be one of (case \
                 insensitive): INTERVAL, POLL, CONNECTOR"
            )));
        }
    };
    Ok(Guarantee::ExactlyOnce(boundary))
}

/// Fixed base, the worker's `producer.*`, the connector's `producer.override.*`; what exactly-once delivery
/// needs wins over all of them.
fn producer(worker: &ConfigMap, config: &ConfigMap, id: &TaskId, guarantee: Guarantee) -> ConfigMap {
    let bootstrap = worker.get("bootstrap.servers").map_or("localhost:9092", String::as_str);
    let client_id = format!("connector-producer-{id}");
    let base = [
        ("bootstrap.servers", bootstrap),
        ("acks", "all"),
        ("enable.idempotence", "false"),
        ("max.in.flight.requests.per.connection", "1"),
        ("delivery.timeout.ms", "2147483647"),
        ("client.id", client_id.as_str()),
    ];
    let mut props: ConfigMap =
        base.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    props.extend(with_prefix(worker, "producer."));
    props.extend(with_prefix(config, "producer.override."));
    match guarantee {
        Guarantee::AtLeastOnce => drop(props.remove("transactional.id")),
        Guarantee::ExactlyOnce(_) => {
            let group = worker.get("group.id").map_or("", |group| group.trim());
            props.insert("transactional.id".to_owned(), format!("{group}-{}-{}", id.connector, id.task));
            props.insert("enable.idempotence".to_owned(), "true".to_owned());
        }
    }
    props
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> ConfigMap {
        entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn id() -> TaskId {
        TaskId { connector: "c".into(), task: 2 }
    }

    #[test]
    fn the_connectors_settings_win_over_the_workers_and_those_over_the_base() {
        let worker = config(&[("producer.acks", "1"), ("producer.linger.ms", "7"), ("linger.ms", "9")]);
        let connector = config(&[("producer.override.linger.ms", "8")]);
        let props = producer(&worker, &connector, &id(), Guarantee::AtLeastOnce);
        assert_eq!((props["acks"].as_str(), props["linger.ms"].as_str()), ("1", "8"));
        assert_eq!(props["client.id"], "connector-producer-c-2");
        assert_eq!(props["enable.idempotence"], "false");
    }

    #[test]
    fn exactly_once_forces_its_producer_settings() {
        let worker = config(&[("group.id", "g"), ("exactly.once.source.support", "ENABLED")]);
        let connector = config(&[
            ("producer.override.transactional.id", "mine"),
            ("producer.override.enable.idempotence", "false"),
            ("transaction.boundary", "INTERVAL"),
        ]);
        let guarantee = guarantee(&worker, &connector, Duration::from_secs(3)).unwrap();
        assert_eq!(guarantee, Guarantee::ExactlyOnce(Boundary::Interval(Duration::from_secs(3))));
        let props = producer(&worker, &connector, &id(), guarantee);
        assert_eq!(props["transactional.id"], "g-c-2");
        assert_eq!(props["enable.idempotence"], "true");
    }
}
