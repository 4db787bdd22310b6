//! Failures of the control plane, the class of each, and the exit code a worker ends with.

use lakeward_api::ErrorClass;
use lakeward_kafka::KafkaError;

/// Failures of the control plane.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlPlaneError {
    /// A listener cannot be opened.
    #[error("cannot listen on {address} (worker setting listeners)")]
    Bind {
        /// Host and port.
        address: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The worker file has problems.
    #[error("the worker configuration is invalid:\n{}", problems.join("\n"))]
    Config {
        /// One text per problem, naming key, value and remedy.
        problems: Vec<String>,
    },
    /// A connector file given on the command line cannot be used.
    #[error("cannot create the connector of {path}: {problem}")]
    ConnectorFile {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The Kafka cluster refuses something or cannot be reached.
    #[error("{action} (bootstrap.servers={bootstrap_servers})")]
    Kafka {
        /// What was attempted.
        action: String,
        /// Where.
        bootstrap_servers: String,
        /// The client's reason.
        #[source]
        source: Box<KafkaError>,
    },
    /// A part of the control plane ended without being asked to.
    #[error("the control plane stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

impl ControlPlaneError {
    /// What the caller should do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Bind { .. } | Self::Config { .. } | Self::ConnectorFile { .. } | Self::File { .. } => {
                ErrorClass::Config
            }
            Self::Kafka { source, .. } => source.class(),
            Self::Stopped { .. } => ErrorClass::Fatal,
        }
    }

    /// Java's exit codes: 3 for connectors that cannot be started, 2 for every other start-up error, 1 later.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ConnectorFile { .. } => 3,
            Self::Bind { .. } | Self::Config { .. } | Self::File { .. } | Self::Kafka { .. } => 2,
            Self::Stopped { .. } => 1,
        }
    }

    /// The message with every cause on a line of its own.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(err) = cause {
            text.push_str(&format!("\nCaused by: {err}"));
            cause = err.source();
        }
        text
    }
}
