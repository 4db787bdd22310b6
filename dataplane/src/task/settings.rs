//! What a task's configuration asks for: sink, converters, topics, and the consumer's client settings.
//!
//! Source: `Worker#baseConsumerConfigs`, `SinkConnectorConfig`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigMap, parse_list};
use lakeward_api::converter::{Converter, HeaderConverter};
use lakeward_api::plugin::{ConverterContext, ConverterRole, Network, SinkConnector};
use lakeward_api::runtime::TaskSpec;
use lakeward_kafka::settings::{ClientKind, ClientSettings, translate};
use lakeward_transforms::Chain;

use crate::runtime::Environment;

const SIMPLE_HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/// What turns raw records into what the sink gets.
pub(crate) struct Converters {
    pub(crate) key: Box<dyn Converter>,
    pub(crate) value: Box<dyn Converter>,
    pub(crate) header: Box<dyn HeaderConverter>,
    pub(crate) chain: Chain,
    pub(crate) classes: ConverterClasses,
    /// Whether the sink looks at headers.
    pub(crate) for_sink: ForSink,
}

/// What the sink looks at beside keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ForSink {
    /// Headers.
    Headers,
    /// Nothing.
    #[default]
    Nothing,
}

/// The Java class names of the converters, as reports of failed records name them.
#[derive(Clone, Copy, Default)]
pub(crate) struct ConverterClasses {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    pub(crate) header: &'static str,
}

impl Converters {
    /// Whether the headers of records have to be looked for.
    pub(super) fn look_for_headers(&self) -> bool {
        let by_payloads = self.key.payload_header().or(self.value.payload_header());
        by_payloads.is_some() || self.use_headers()
    }

    /// Whether anything looks at converted headers: a transform, the sink, or a converter that may refuse
    /// them.
    pub(super) fn use_headers(&self) -> bool {
        !self.chain.is_empty() || self.for_sink == ForSink::Headers || self.header.can_fail()
    }
}

/// The sink connector of a task.
pub(super) fn sink(
    environment: &Environment,
    spec: &TaskSpec,
) -> Result<Arc<dyn SinkConnector>, ConnectError> {
    let class = spec.connector_config.get("connector.class").map(String::as_str).unwrap_or_default();
    let sink = environment.plugins.sink(class.trim()).map(Arc::clone);
    sink.ok_or_else(|| {
        ConnectError::config(format!("connector.class {class} is not a sink connector of this worker"))
    })
}

/// The converters (the connector's own with its settings, else the worker's with the worker's) and the
/// transforms.
pub(crate) fn converters(
    environment: &Environment,
    spec: &TaskSpec,
    network: &Network,
) -> Result<Converters, ConnectError> {
    let new = |role, key| converter(environment, spec, network, role, key);
    let (key_class, key) = new(ConverterRole::Key, "key.converter")?;
    let (value_class, value) = new(ConverterRole::Value, "value.converter")?;
    let (header_class, header) = header_converter(environment, spec, network)?;
    let chain = Chain::from_config(&spec.connector_config, &environment.plugins)?;
    let classes = ConverterClasses { key: key_class, value: value_class, header: header_class };
    Ok(Converters { key, value, header, chain, classes, for_sink: ForSink::Nothing })
}

fn converter(
    environment: &Environment,
    spec: &TaskSpec,
    network: &Network,
    role: ConverterRole,
    key: &str,
) -> Result<(&'static str, Box<dyn Converter>), ConnectError> {
    let connector = &spec.connector_config;
    let source: &ConfigMap = if connector.contains_key(key) { connector } else { &environment.worker_config };
    let class = source.get(key).map(String::as_str).unwrap_or_default().trim();
    let plugin = environment
        .plugins
        .converter(class)
        .ok_or_else(|| ConnectError::config(format!("{key} {class} is not a converter of this worker")))?;
    let settings = with_prefix(source, &format!("{key}."));
    let context = ConverterContext { role, settings: &settings, connector, network: Some(network) };
    Ok((plugin.class(), plugin.new_converter(&context)?))
}

fn header_converter(
    environment: &Environment,
    spec: &TaskSpec,
    network: &Network,
) -> Result<(&'static str, Box<dyn HeaderConverter>), ConnectError> {
    let connector = &spec.connector_config;
    let key = "header.converter";
    let source: &ConfigMap = if connector.contains_key(key) { connector } else { &environment.worker_config };
    let class = source.get(key).map_or(SIMPLE_HEADER_CONVERTER, |class| class.trim());
    let plugin = environment.plugins.header_converter(class).ok_or_else(|| {
        ConnectError::config(format!("{key} {class} is not a header converter of this worker"))
    })?;
    let settings = with_prefix(source, "header.converter.");
    let role = ConverterRole::Header;
    let context = ConverterContext { role, settings: &settings, connector, network: Some(network) };
    Ok((plugin.class(), plugin.new_converter(&context)?))
}

/// Entries whose name starts with `prefix`, without it.
fn with_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    let own = config.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    own.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// The subscription: names, or the connector's pattern anchored at both ends.
pub(super) fn topics(connector: &ConfigMap) -> Vec<String> {
    match connector.get("topics.regex").map(|regex| regex.trim()).filter(|regex| !regex.is_empty()) {
        Some(regex) => vec![format!("^({regex})$")],
        None => parse_list(connector.get("topics").map(String::as_str).unwrap_or_default()),
    }
}

/// The consumer's settings: fixed base, then the worker's `consumer.*`, then the connector's
/// `consumer.override.*`.
pub(super) fn consumer(environment: &Environment, spec: &TaskSpec) -> Result<ClientSettings, ConnectError> {
    let id = &spec.id;
    let mut props = ConfigMap::new();
    props.insert("bootstrap.servers".into(), bootstrap(environment));
    props.insert("auto.offset.reset".into(), "earliest".into());
    props.insert("group.id".into(), format!("connect-{}", id.connector));
    props.insert("client.id".into(), format!("connector-consumer-{}-{}", id.connector, id.task));
    props.extend(with_prefix(&environment.worker_config, "consumer."));
    props.extend(with_prefix(&spec.connector_config, "consumer.override."));
    // Offsets are committed when data is durable, never by the client.
    props.remove("enable.auto.commit");
    Ok(translate(ClientKind::Consumer, &props)?)
}

/// The producer of the dead letter queue: fixed base, then the worker's `producer.*`, then the connector's
/// `producer.override.*`.
pub(super) fn dead_letter_producer(environment: &Environment, spec: &TaskSpec) -> ConfigMap {
    let id = &spec.id;
    let mut props = ConfigMap::new();
    for (name, value) in [
        ("acks", "all"),
        ("delivery.timeout.ms", "2147483647"),
        ("enable.idempotence", "false"),
        ("max.in.flight.requests.per.connection", "1"),
        // Java's default; what does not fit waits in the task.
        ("buffer.memory", "33554432"),
    ] {
        props.insert(name.into(), value.into());
    }
    props.insert("bootstrap.servers".into(), bootstrap(environment));
    props.insert("client.id".into(), format!("connector-dlq-producer-{}-{}", id.connector, id.task));
    props.extend(with_prefix(&environment.worker_config, "producer."));
    props.extend(with_prefix(&spec.connector_config, "producer.override."));
    props
}

/// The admin client that creates the dead letter queue: the worker's own settings, then its `admin.*`, then
/// the connector's `admin.override.*`. Answers the client's name, too.
pub(super) fn dead_letter_admin(environment: &Environment, spec: &TaskSpec) -> (ConfigMap, String) {
    let worker = &environment.worker_config;
    let clients = ["admin.", "producer.", "consumer."];
    let own = worker.iter().filter(|(name, _)| !clients.iter().any(|client| name.starts_with(client)));
    let mut props: ConfigMap = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let name = format!("connector-dlq-adminclient-{}-{}", spec.id.connector, spec.id.task);
    props.insert("bootstrap.servers".into(), bootstrap(environment));
    props.insert("client.id".into(), name.clone());
    props.extend(with_prefix(worker, "admin."));
    props.extend(with_prefix(&spec.connector_config, "admin.override."));
    let name = props.get("client.id").cloned().unwrap_or(name);
    (props, name)
}

fn bootstrap(environment: &Environment) -> String {
    let servers = environment.worker_config.get("bootstrap.servers").cloned();
    servers.unwrap_or_else(|| "localhost:9092".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(entries: &[(&str, &str)]) -> ConfigMap {
        entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn topics_are_names_or_one_anchored_pattern() {
        assert_eq!(topics(&config(&[("topics", "a, b")])), ["a", "b"]);
        assert_eq!(topics(&config(&[("topics.regex", "a.*|b")])), ["^(a.*|b)$"]);
    }

    #[test]
    fn prefixes_are_cut() {
        let own = with_prefix(&config(&[("consumer.x", "1"), ("consumer", "2"), ("y", "3")]), "consumer.");
        assert_eq!(own, config(&[("x", "1")]));
    }
}
