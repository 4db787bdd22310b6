//! Internal topics as Java Connect creates and checks them.
//!
//! Owns creation, the partition wait and the cleanup policy check. Must not retry for ever: limits are
//! arguments.
//!
//! Source: `TopicAdmin`, `KafkaTopicBasedBackingStore`, Kafka 4.1.

mod told;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::config::ConfigMap;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::KafkaError;
use crate::client_metrics::{self, ClientStatistics, Kind};
use crate::settings::{ClientKind, translate};
use told::AdminContext;

/// An internal topic as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    /// Topic name.
    pub name: String,
    /// The worker setting that names it, for messages.
    pub setting: &'static str,
    /// What it holds, for messages: `source connector offsets`, …
    pub purpose: &'static str,
    /// Partitions when created; -1 is the broker's default.
    pub partitions: i32,
    /// Replication factor when created; -1 is the broker's default.
    pub replication_factor: i32,
    /// Further topic settings when created, without `cleanup.policy`.
    pub settings: ConfigMap,
}

/// What is known about a topic after [`Admin::ensure_topic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicOutcome {
    /// It was made now.
    Created,
    /// It was there.
    Existed,
}

/// The admin client. Blocking calls run on the blocking threads of the tokio runtime. Clones share it.
#[derive(Clone)]
pub struct Admin {
    pub(crate) inner: Arc<AdminClient<AdminContext>>,
}

impl Admin {
    /// Creates the client from Java settings. Connects in the background.
    ///
    /// # Errors
    /// Class `Config` for settings that cannot be honoured, `Retriable` when the client cannot be created.
    pub fn new(props: &ConfigMap, client_id: &str) -> Result<Self, KafkaError> {
        let mut settings = translate(ClientKind::Admin, props)?;
        settings.set("client.id", client_id);
        for (name, value) in client_metrics::event_interval().into_iter().flatten() {
            settings.set(name, value);
        }
        let context = AdminContext {
            client_id: client_id.to_owned(),
            statistics: ClientStatistics::register(Kind::Admin, client_id),
        };
        let inner: AdminClient<AdminContext> =
            settings.to_rdkafka().create_with_context(context).map_err(|source| KafkaError::Client {
                action: format!("creating the admin client {client_id}"),
                source,
            })?;
        let inner = Arc::new(inner);
        settings.log_in(&inner);
        told::watch(&inner);
        Ok(Self { inner })
    }

    /// The cluster id.
    ///
    /// # Errors
    /// `Retriable` when no broker answers within `limit`.
    pub async fn cluster_id(&self, limit: Duration) -> Result<String, KafkaError> {
        let inner = Arc::clone(&self.inner);
        let id = blocking(move || inner.inner().fetch_cluster_id(limit)).await?;
        id.ok_or_else(|| timeout_error("looking up the Kafka cluster id", limit))
    }

    /// Number of partitions of `topic`; `None` when it does not exist.
    ///
    /// # Errors
    /// `Retriable` when no broker answers within `limit`.
    pub async fn partition_count(&self, topic: &str, limit: Duration) -> Result<Option<usize>, KafkaError> {
        let inner = Arc::clone(&self.inner);
        let name = topic.to_owned();
        let metadata = blocking(move || inner.inner().fetch_metadata(Some(&name), limit)).await?;
        let metadata =
            metadata.map_err(|source| client_error(format!("looking up topic {topic}"), source))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        Ok(found.filter(|found| found.error().is_none()).map(|found| found.partitions().len()))
            .map(|count| count.filter(|count| *count > 0))
    }

    /// Creates `topic` when it is missing; checks the cleanup policy when it exists. Creation is tried again
    /// for `limit` while the broker cannot place the replicas yet.
    ///
    /// # Errors
    /// `Config` for an existing topic whose policy would delete records, `Retriable` for everything that may
    /// heal.
    pub async fn ensure_topic(
        &self,
        topic: &InternalTopic,
        limit: Duration,
    ) -> Result<TopicOutcome, KafkaError> {
        let deadline = Instant::now() + limit;
        // Creation comes first, as in Java: asking for the metadata of a missing topic could auto-create it
        // with the broker's own number of partitions.
        let mut pause = Duration::from_millis(100);
        loop {
            match self.create(topic).await? {
                Ok(()) => return Ok(TopicOutcome::Created),
                Err(Code::TopicAlreadyExists) => {
                    self.check_cleanup_policy(topic, limit).await?;
                    return Ok(TopicOutcome::Existed);
                }
                // Not ours to create, or an old broker: it may appear by auto-creation.
                Err(
                    Code::TopicAuthorizationFailed
                    | Code::ClusterAuthorizationFailed
                    | Code::UnsupportedVersion,
                ) => return Ok(TopicOutcome::Existed),
                Err(Code::InvalidReplicationFactor | Code::RequestTimedOut | Code::OperationTimedOut)
                    if Instant::now() + pause < deadline =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(code) => return Err(creation_error(topic, code)),
            }
        }
    }

    /// Creates the topic `name` when the cluster does not have it; `true` when it was created here. Another
    /// worker may do so at the same time. Unlike a question for one topic, this never makes the broker create
    /// it with its own settings.
    ///
    /// # Errors
    /// `Retriable` when no broker answers within `limit`, or the broker refuses: the library's code says why.
    pub async fn create_if_missing(
        &self,
        name: &str,
        partitions: i32,
        replication_factor: i32,
        limit: Duration,
    ) -> Result<bool, KafkaError> {
        let inner = Arc::clone(&self.inner);
        let metadata = blocking(move || inner.inner().fetch_metadata(None, limit)).await?;
        let metadata = metadata.map_err(|source| client_error("listing the topics".to_owned(), source))?;
        if metadata.topics().iter().any(|found| found.name() == name) {
            return Ok(false);
        }
        let new = NewTopic::new(name, partitions, TopicReplication::Fixed(replication_factor));
        let options = AdminOptions::new().operation_timeout(Some(limit)).request_timeout(Some(limit));
        let action = || format!("creating topic {name}");
        let results = self.inner.create_topics([&new], &options).await;
        let results = results.map_err(|source| client_error(action(), source))?;
        match results.into_iter().next() {
            Some(Err((_, Code::TopicAlreadyExists))) => Ok(false),
            Some(Err((_, code))) => Err(client_error(action(), rdkafka::error::KafkaError::AdminOp(code))),
            Some(Ok(_)) | None => Ok(true),
        }
    }

    async fn create(&self, topic: &InternalTopic) -> Result<Result<(), Code>, KafkaError> {
        let mut new =
            NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(topic.replication_factor));
        for (name, value) in &topic.settings {
            new = new.set(name, value);
        }
        new = new.set("cleanup.policy", "compact");
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let action = || format!("creating topic {}", topic.name);
        let results = self.inner.create_topics([&new], &options).await;
        let results = results.map_err(|source| client_error(action(), source))?;
        Ok(match results.into_iter().next() {
            Some(Err((_, code))) => Err(code),
            Some(Ok(_)) | None => Ok(()),
        })
    }

    /// Refuses an existing topic that would lose records. A broker that does not tell its settings is
    /// trusted.
    async fn check_cleanup_policy(&self, topic: &InternalTopic, limit: Duration) -> Result<(), KafkaError> {
        let options = AdminOptions::new().request_timeout(Some(limit));
        let answer = self.inner.describe_configs([&ResourceSpecifier::Topic(&topic.name)], &options).await;
        let policy = match answer.map(|mut results| results.pop()) {
            Ok(Some(Ok(resource))) => resource.get("cleanup.policy").and_then(|entry| entry.value.clone()),
            Ok(Some(Err(code))) => {
                tracing::warn!(topic = topic.name, %code, "cannot read the topic's cleanup policy");
                None
            }
            Ok(None) => None,
            Err(err) => {
                tracing::warn!(topic = topic.name, error = %err, "cannot read the topic's cleanup policy");
                None
            }
        };
        match policy {
            Some(policy) if policy.trim() != "compact" => Err(policy_error(topic, &policy)),
            Some(_) | None => Ok(()),
        }
    }

    /// Waits until the partitions of `topic` are known.
    ///
    /// # Errors
    /// `Retriable` when they are not within `limit`.
    pub async fn wait_for_partitions(&self, topic: &str, limit: Duration) -> Result<usize, KafkaError> {
        let deadline = Instant::now() + limit;
        let mut pause = Duration::from_millis(10);
        loop {
            if let Some(count) = self.partition_count(topic, limit).await? {
                return Ok(count);
            }
            if Instant::now() + pause > deadline {
                return Err(timeout_error(&format!("waiting for the partitions of topic {topic}"), limit));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// Runs a blocking client call away from the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, KafkaError> {
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|err| KafkaError::Stopped { reason: format!("a client call was aborted: {err}") })
}

pub(crate) fn client_error(action: String, source: rdkafka::error::KafkaError) -> KafkaError {
    KafkaError::Client { action, source }
}

pub(crate) fn timeout_error(action: &str, limit: Duration) -> KafkaError {
    KafkaError::Timeout { action: action.to_owned(), timeout_ms: limit.as_millis() as u64 }
}

fn creation_error(topic: &InternalTopic, code: Code) -> KafkaError {
    let source = rdkafka::error::KafkaError::AdminOp(code);
    match code {
        Code::InvalidReplicationFactor => KafkaError::Setting {
            key: topic.setting.replace(".topic", ".replication.factor"),
            problem: format!(
                "topic '{}' cannot be created with {} replicas: there are fewer brokers; lower the setting",
                topic.name, topic.replication_factor
            ),
        },
        Code::InvalidConfig | Code::InvalidTopic | Code::PolicyViolation | Code::InvalidPartitions => {
            KafkaError::Setting {
                key: topic.setting.to_owned(),
                problem: format!("the broker refuses to create topic '{}': {source}", topic.name),
            }
        }
        _ => client_error(format!("creating topic {}", topic.name), source),
    }
}

/// Java's message, plus the command that repairs the topic.
fn policy_error(topic: &InternalTopic, policy: &str) -> KafkaError {
    KafkaError::Setting {
        key: topic.setting.to_owned(),
        problem: format!(
            "Topic '{name}' supplied via the '{setting}' property is required to have \
             'cleanup.policy=compact' to guarantee consistency and durability of {purpose}, but found the \
             topic currently has 'cleanup.policy={policy}'. Continuing would likely result in eventually \
             losing {purpose} and problems restarting this Connect cluster in the future. Change the \
             '{setting}' property in the Connect worker configurations to use a topic with \
             'cleanup.policy=compact', or run: kafka-configs.sh --bootstrap-server <brokers> --alter \
             --topic {name} --add-config cleanup.policy=compact",
            name = topic.name,
            setting = topic.setting,
            purpose = topic.purpose,
        ),
    }
}

#[cfg(test)]
mod tests {
    use lakeward_api::ErrorClass;

    use super::*;

    fn topic() -> InternalTopic {
        InternalTopic {
            name: "connect-configs".into(),
            setting: "config.storage.topic",
            purpose: "connector configurations",
            partitions: 1,
            replication_factor: 3,
            settings: ConfigMap::new(),
        }
    }

    #[test]
    fn a_policy_that_deletes_is_refused_with_setting_and_remedy() {
        let err = policy_error(&topic(), "delete");
        let text = err.to_string();
        assert_eq!(err.class(), ErrorClass::Config);
        for part in ["'config.storage.topic'", "cleanup.policy=delete", "kafka-configs.sh", "connect-configs"]
        {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }

    #[test]
    fn too_many_replicas_name_the_replication_setting() {
        let text = creation_error(&topic(), Code::InvalidReplicationFactor).to_string();
        assert!(text.contains("config.storage.replication.factor") && text.contains("3 replicas"), "{text}");
    }
}
