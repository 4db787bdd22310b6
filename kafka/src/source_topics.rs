//! Topics of source connectors: made on the first record, with the settings of their group.
//!
//! Source: `AbstractWorkerSourceTask#maybeCreateTopic`, `TopicAdmin#createOrFindTopics`, Kafka 4.1.

use std::fmt;
use std::time::Duration;

use lakeward_api::{ConnectError, ErrorClass};
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::KafkaError;
use crate::admin::{Admin, TopicOutcome, client_error};

const CREATE_LIMIT: Duration = Duration::from_secs(30);

/// A topic as a creation group describes it. `Display` is Java's text for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTopic {
    /// Topic name.
    pub name: String,
    /// Partitions; -1 is the broker's default.
    pub partitions: i32,
    /// Replication factor; -1 is the broker's default.
    pub replication_factor: i32,
    /// Further topic settings.
    pub settings: Vec<(String, String)>,
}

impl fmt::Display for SourceTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: i32| if number < 0 { "default".to_owned() } else { number.to_string() };
        let settings: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        write!(
            f,
            "(name={}, numPartitions={}, replicationFactor={}, replicasAssignments=null, configs={{{}}})",
            self.name,
            number(self.partitions),
            number(self.replication_factor),
            settings.join(", ")
        )
    }
}

impl Admin {
    /// Makes sure that `topic` exists; an existing one is left as it is.
    ///
    /// One request instead of Java's two: creation is asked for first, and a topic that is already there is
    /// as good as one that was found.
    ///
    /// # Errors
    /// `Fatal` when the broker refuses, with Java's text; `Retriable` when it does not answer.
    pub async fn find_or_create(&self, topic: &SourceTopic) -> Result<TopicOutcome, ConnectError> {
        let mut new =
            NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(topic.replication_factor));
        for (name, value) in &topic.settings {
            new = new.set(name, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(CREATE_LIMIT));
        let results = self.inner.create_topics([&new], &options).await;
        let results =
            results.map_err(|source| client_error(format!("creating topic {}", topic.name), source))?;
        match results.into_iter().next() {
            Some(Ok(_)) | None => Ok(TopicOutcome::Created),
            Some(Err((_, Code::TopicAlreadyExists))) => Ok(TopicOutcome::Existed),
            Some(Err((
                _,
                code @ (Code::TopicAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::UnsupportedVersion),
            ))) => self.find(topic, code).await,
            Some(Err((_, Code::RequestTimedOut | Code::OperationTimedOut))) => Err(KafkaError::Timeout {
                action: format!("creating topic {}", topic.name),
                timeout_ms: CREATE_LIMIT.as_millis() as u64,
            }
            .into()),
            Some(Err((_, code))) => Err(refused(topic, code)),
        }
    }

    async fn find(&self, topic: &SourceTopic, code: Code) -> Result<TopicOutcome, ConnectError> {
        match self.partition_count(&topic.name, CREATE_LIMIT).await? {
            Some(_) => Ok(TopicOutcome::Existed),
            None => Err(ConnectError::fatal(format!(
                "Task failed to create new topic {topic}. Ensure that the task is authorized to create \
                 topics or that the topic exists and restart the task"
            ))
            .with_source(rdkafka::error::KafkaError::AdminOp(code))),
        }
    }
}

fn refused(topic: &SourceTopic, code: Code) -> ConnectError {
    let java = match code {
        Code::InvalidConfig => "org.apache.kafka.common.errors.InvalidConfigurationException",
        Code::InvalidPartitions => "org.apache.kafka.common.errors.InvalidPartitionsException",
        Code::InvalidReplicationFactor => "org.apache.kafka.common.errors.InvalidReplicationFactorException",
        Code::InvalidTopic => "org.apache.kafka.common.errors.InvalidTopicException",
        Code::PolicyViolation => "org.apache.kafka.common.errors.PolicyViolationException",
        _ => "org.apache.kafka.common.KafkaException",
    };
    let cause = ConnectError::new(ErrorClass::Fatal, java, code.to_string());
    ConnectError::fatal(format!("Error while attempting to create/find topic(s) '{}'", topic.name))
        .with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_shown_as_java_shows_them() {
        let topic = SourceTopic {
            name: "t".into(),
            partitions: 3,
            replication_factor: -1,
            settings: vec![("cleanup.policy".into(), "compact".into())],
        };
        assert_eq!(
            topic.to_string(),
            "(name=t, numPartitions=3, replicationFactor=default, replicasAssignments=null, \
             configs={cleanup.policy=compact})"
        );
    }
}
