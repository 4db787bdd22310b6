//! Failures of the Kafka client code and the class each belongs to.

use lakeward_api::{ConnectError, ErrorClass};

/// Failures of the Kafka client code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// The broker or the client library refused a request.
    #[error("{action} failed")]
    Client {
        /// What was attempted, with the names involved.
        action: String,
        /// The library's reason.
        #[source]
        source: rdkafka::error::KafkaError,
    },
    /// A response did not come in time.
    #[error("{action} did not finish within {timeout_ms} ms; check that bootstrap.servers is reachable")]
    Timeout {
        /// What was attempted.
        action: String,
        /// The limit, in ms.
        timeout_ms: u64,
    },
    /// Java's client refuses its settings, in its words.
    #[error("{message}")]
    Config {
        /// Java's text. Never holds a secret.
        message: String,
    },
    /// Java's client refuses to be made.
    #[error("Failed to construct kafka {client}")]
    Construct {
        /// `producer` or `consumer`.
        client: &'static str,
        /// What Java raises inside (full class name).
        java_class: &'static str,
        /// Why, in Java's words where it has some. Never holds a secret.
        problem: String,
    },
    /// A setting cannot be used.
    #[error("Invalid value for configuration {key}: {problem}")]
    Setting {
        /// The Java name of the setting.
        key: String,
        /// What is wrong and what to do. Never holds a secret.
        problem: String,
    },
    /// The client library reported a failure that ends the client.
    #[error("the Kafka client stopped: {reason}")]
    Stopped {
        /// The library's text.
        reason: String,
    },
}

impl KafkaError {
    /// A client that is not made because of its configuration.
    pub(crate) fn construct(client: &'static str, problem: impl Into<String>) -> Self {
        let java_class = "org.apache.kafka.common.config.ConfigException";
        Self::Construct { client, java_class, problem: problem.into() }
    }

    /// What the runtime should do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Client { .. } | Self::Timeout { .. } => ErrorClass::Retriable,
            Self::Config { .. } | Self::Construct { .. } | Self::Setting { .. } => ErrorClass::Config,
            Self::Stopped { .. } => ErrorClass::Fatal,
        }
    }
}

impl KafkaError {
    /// What Java's clients raise for it (full class name).
    pub fn client_exception(&self) -> &'static str {
        use rdkafka::types::RDKafkaErrorCode as Code;
        let code = match self {
            Self::Client { source: rdkafka::error::KafkaError::AdminOp(code), .. } => Some(*code),
            Self::Client { source, .. } => source.rdkafka_error_code(),
            Self::Timeout { .. } => return "org.apache.kafka.common.errors.TimeoutException",
            Self::Config { .. } | Self::Setting { .. } => {
                return "org.apache.kafka.common.config.ConfigException";
            }
            Self::Construct { .. } => return "org.apache.kafka.common.KafkaException",
            Self::Stopped { .. } => None,
        };
        match code {
            Some(Code::ClusterAuthorizationFailed) => {
                "org.apache.kafka.common.errors.ClusterAuthorizationException"
            }
            Some(Code::InvalidReplicationFactor) => {
                "org.apache.kafka.common.errors.InvalidReplicationFactorException"
            }
            Some(Code::InvalidTopic) => "org.apache.kafka.common.errors.InvalidTopicException",
            Some(
                Code::BrokerTransportFailure
                | Code::MessageTimedOut
                | Code::OperationTimedOut
                | Code::RequestTimedOut,
            ) => "org.apache.kafka.common.errors.TimeoutException",
            Some(Code::PolicyViolation) => "org.apache.kafka.common.errors.PolicyViolationException",
            Some(Code::TopicAuthorizationFailed) => {
                "org.apache.kafka.common.errors.TopicAuthorizationException"
            }
            _ => "org.apache.kafka.common.KafkaException",
        }
    }
}

impl From<KafkaError> for ConnectError {
    fn from(err: KafkaError) -> Self {
        if let KafkaError::Construct { java_class, problem, .. } = &err {
            let cause = Self::new(ErrorClass::Config, java_class, problem.as_str());
            let java_class = err.client_exception();
            return Self::new(ErrorClass::Config, java_class, err.to_string()).with_source(cause);
        }
        if let KafkaError::Config { message } = err {
            return Self::config(message);
        }
        let java_class = match err.class() {
            ErrorClass::Config => "org.apache.kafka.common.config.ConfigException",
            ErrorClass::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            _ => "org.apache.kafka.connect.errors.ConnectException",
        };
        let message = err.to_string();
        ConnectError::new(err.class(), java_class, message).with_source(err)
    }
}
