//! Client settings that a connector overrides: `producer.override.*`, `consumer.override.*`,
//! `admin.override.*`.
//!
//! Owns the answers about them. Values are parsed and not checked further, as in Java; what the client
//! library here cannot honour is an error besides. `client_keys.json` holds the definitions of Java's
//! clients; its first line says of which release.
//!
//! Source: `AbstractHerder#validateClientOverrides`, `PrincipalConnectorClientConfigOverridePolicy`, and
//! `ProducerConfig`, `ConsumerConfig`, `AdminClientConfig`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lakeward_api::config::{ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance};
use lakeward_controlplane_core::Properties;
use lakeward_kafka::KafkaError;
use lakeward_kafka::settings::{ClientKind, translate};

use super::{ConfigInfo, Validator, classes, client_classes, shown};
use crate::herder::RequestError;
use crate::java_text;
use crate::worker_config::OverridePolicy;

/// What connectors may override under the policy `Principal`.
const PRINCIPAL: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];

type Keys = BTreeMap<String, ConfigKey>;

/// The generated file.
#[derive(serde::Deserialize)]
struct Table {
    producer: Vec<Vec<serde_json::Value>>,
    consumer: Vec<Vec<serde_json::Value>>,
    admin: Vec<Vec<serde_json::Value>>,
    documentation: Vec<String>,
}

struct ClientKeys {
    producer: Keys,
    consumer: Keys,
    admin: Keys,
}

static CLIENT_KEYS: LazyLock<ClientKeys> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(include_str!("client_keys.json"))
        .expect("a test reads the file that is compiled in");
    let keys = |rows: &[Vec<serde_json::Value>]| {
        let keys = rows.iter().filter_map(|row| client_key(row, &table.documentation));
        keys.map(|key| (key.name.clone(), key)).collect()
    };
    ClientKeys { producer: keys(&table.producer), consumer: keys(&table.consumer), admin: keys(&table.admin) }
});

/// A row: name, type, importance, index of the documentation, and the default unless the key is required.
fn client_key(row: &[serde_json::Value], documentation: &[String]) -> Option<ConfigKey> {
    let [name, kind, importance, documented, default @ ..] = row else { return None };
    let kinds = [
        ConfigType::Boolean,
        ConfigType::Class,
        ConfigType::Double,
        ConfigType::Int,
        ConfigType::List,
        ConfigType::Long,
        ConfigType::Password,
        ConfigType::Short,
        ConfigType::String,
    ];
    let kind = kinds.into_iter().find(|known| Some(known.as_str()) == kind.as_str())?;
    let importances = [Importance::High, Importance::Low, Importance::Medium];
    let importance = importances.into_iter().find(|known| Some(known.as_str()) == importance.as_str())?;
    let default = match default.first() {
        None => DefaultValue::Required,
        Some(value) => value.as_str().map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned())),
    };
    let documentation = documentation.get(usize::try_from(documented.as_u64()?).ok()?)?.clone();
    // Java defines its internal keys with empty texts, also as group.
    let group = documentation.is_empty().then(String::new);
    Some(ConfigKey { documentation, group, ..ConfigKey::new(name.as_str()?, kind, default, importance) })
}

fn prefix(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Producer => "producer.override.",
        ClientKind::Consumer => "consumer.override.",
        ClientKind::Admin => "admin.override.",
    }
}

fn keys(kind: ClientKind) -> &'static Keys {
    match kind {
        ClientKind::Producer => &CLIENT_KEYS.producer,
        ClientKind::Consumer => &CLIENT_KEYS.consumer,
        ClientKind::Admin => &CLIENT_KEYS.admin,
    }
}

impl Validator<'_> {
    /// One entry per override of a client that the sink uses. The producer and the admin client of a sink
    /// serve its dead letter queue only.
    ///
    /// # Errors
    /// 500 for a value that cannot be parsed.
    pub(super) fn sink_overrides(&self, props: &Properties) -> Result<Vec<ConfigInfo>, RequestError> {
        let dead_letters = props.get("errors.deadletterqueue.topic.name").unwrap_or_default();
        let kinds: &[ClientKind] = match dead_letters.trim() {
            "" => &[ClientKind::Consumer],
            _ => &[ClientKind::Producer, ClientKind::Consumer, ClientKind::Admin],
        };
        let mut infos = Vec::new();
        for kind in kinds {
            infos.extend(self.client_overrides(*kind, props)?);
        }
        Ok(infos)
    }

    pub(super) fn client_overrides(
        &self,
        kind: ClientKind,
        props: &Properties,
    ) -> Result<Vec<ConfigInfo>, RequestError> {
        let prefix = prefix(kind);
        let mut all: Vec<(&str, Option<&str>)> = props.iter().collect();
        java_text::copy_order(&mut all, |(name, _)| name);
        let own = all.into_iter().filter_map(|(name, given)| Some((name.strip_prefix(prefix)?, given)));
        let mut own: Vec<_> = own.filter(|(name, _)| !name.is_empty()).collect();
        java_text::hash_order(&mut own, |(name, _)| name);
        let refused = refused(kind, &own);
        let mut infos = Vec::with_capacity(own.len());
        for (name, given) in own {
            let key = keys(kind).get(name);
            let value = given.map(|given| parsed(key, given)).transpose()?;
            let full_name = format!("{prefix}{name}");
            let mut value = shown(&full_name, value.as_deref());
            value.errors.extend(self.policy_problem(name));
            if let Some((_, problem)) = refused.as_ref().filter(|(refused, _)| refused == name) {
                let given = value.value.as_deref().unwrap_or("null");
                value.errors.push(format!("Invalid value {given} for configuration {full_name}: {problem}"));
            }
            let definition = key.map(|key| ConfigKey { name: full_name, ..key.clone() });
            infos.push(ConfigInfo { definition, value });
        }
        Ok(infos)
    }

    fn policy_problem(&self, name: &str) -> Option<String> {
        let policy = match self.worker.override_policy() {
            OverridePolicy::All => return None,
            OverridePolicy::Principal if PRINCIPAL.contains(&name) => return None,
            OverridePolicy::Principal => "Principal",
            OverridePolicy::None => "None",
        };
        Some(format!(
            "The '{policy}' policy does not allow '{name}' to be overridden in the connector configuration."
        ))
    }
}

/// The value in Java's text form.
fn parsed(key: Option<&ConfigKey>, given: &str) -> Result<String, RequestError> {
    let Some(key) = key else { return Ok(given.to_owned()) };
    if key.kind == ConfigType::Class && !client_classes::is_known(given) {
        return Err(RequestError::Config(classes::not_found(given, &key.name)));
    }
    let mut outcome = key.validate(Some(given));
    if let Some(problem) = outcome.errors.pop() {
        return Err(RequestError::Config(problem));
    }
    let value = outcome.value.unwrap_or_default();
    Ok(match key.kind {
        ConfigType::Double => value.parse().map(java_text::double).unwrap_or(value),
        _ => value,
    })
}

/// The setting that the client library cannot honour, and why.
fn refused(kind: ClientKind, own: &[(&str, Option<&str>)]) -> Option<(String, String)> {
    let given: ConfigMap =
        own.iter().filter_map(|(name, given)| Some(((*name).to_owned(), (*given)?.to_owned()))).collect();
    match translate(kind, &given) {
        Err(KafkaError::Setting { key, problem }) => Some((key, problem)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_generated_file_is_a_key() {
        let table: Table = serde_json::from_str(include_str!("client_keys.json")).unwrap();
        for (rows, kind) in [
            (&table.producer, ClientKind::Producer),
            (&table.consumer, ClientKind::Consumer),
            (&table.admin, ClientKind::Admin),
        ] {
            assert_eq!(keys(kind).len(), rows.len(), "{kind:?}");
            assert!(rows.len() > 80, "{kind:?}");
        }
        let linger = &keys(ClientKind::Producer)["linger.ms"];
        assert_eq!((linger.kind, &linger.default), (ConfigType::Long, &DefaultValue::Text("5".to_owned())));
        assert_eq!(keys(ClientKind::Consumer)["key.deserializer"].default, DefaultValue::Required);
    }

    #[test]
    fn a_class_that_is_not_there_cannot_be_read() {
        let key = keys(ClientKind::Producer).get("partitioner.class");
        let own = "org.apache.kafka.clients.producer.RoundRobinPartitioner";
        assert_eq!(parsed(key, &format!(" {own} ")).unwrap(), own);
        let problem = parsed(key, " no.Such ").unwrap_err().to_string();
        let expected = "Invalid value  no.Such  for configuration partitioner.class: Class  no.Such  could \
                        not be found.";
        assert_eq!(problem, expected);
        assert!(parsed(key, "").is_err());
    }

    /// Java creates the connector, and its task fails.
    #[test]
    fn what_java_itself_refuses_is_left_to_the_task() {
        for own in [("auto.offset.reset", Some("now")), ("max.poll.records", Some("0"))] {
            assert!(refused(ClientKind::Consumer, &[own]).is_none(), "{own:?}");
        }
    }

    #[test]
    fn what_the_client_library_cannot_honour_is_named() {
        let sticky = "org.apache.kafka.clients.consumer.StickyAssignor";
        let given = ("partition.assignment.strategy", Some(sticky));
        let (key, _) = refused(ClientKind::Consumer, &[given]).unwrap();
        assert_eq!(key, "partition.assignment.strategy");
        assert!(refused(ClientKind::Consumer, &[("auto.offset.reset", Some("by_duration:P1D"))]).is_none());
        assert!(refused(ClientKind::Consumer, &[("fetch.min.bytes", Some("7"))]).is_none());
    }
}
