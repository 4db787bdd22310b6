//! Offsets of connectors, shown and changed over REST: those of sinks live in consumer groups, those of
//! sources in the offsets topic.
//!
//! Owns what is checked and what is said; the herder checks the connector's state before. Must not hold up
//! the herder: everything here waits for a broker.
//!
//! Source: `Worker#connectorOffsets`, `#modifyConnectorOffsets`, KIP-875, Kafka 4.1.

mod sink;
mod source;

use std::time::Duration;

use lakeward_api::config::ConfigMap;
use lakeward_api::source::OffsetsAltered;
use serde_json::{Map, Value, json};

use crate::herder::{RequestError, WorkerParts};

/// How long one request to a broker may take; the whole operation has 90 s.
const BROKER_LIMIT: Duration = Duration::from_secs(60);

/// A partition or an offset as it was sent.
pub(crate) type RawMap = Map<String, Value>;

/// One entry of a request to change offsets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OffsetItem {
    /// What the offset belongs to.
    pub(crate) partition: Option<RawMap>,
    /// The offset; `None` removes it.
    pub(crate) offset: Option<RawMap>,
}

/// What to do with the offsets of a stopped connector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OffsetChange {
    /// Change these.
    Alter(Vec<OffsetItem>),
    /// Forget all.
    Reset,
}

impl OffsetChange {
    /// Java's participle for messages.
    fn done(&self) -> &'static str {
        match self {
            Self::Alter(_) => "altered",
            Self::Reset => "reset",
        }
    }
}

/// A connector as these requests see it.
pub(crate) struct OffsetsOf<'a> {
    /// The worker.
    pub(crate) parts: &'a WorkerParts,
    /// Connector name.
    pub(crate) name: &'a str,
    /// Its configuration, variables replaced.
    pub(crate) config: &'a ConfigMap,
}

impl OffsetsOf<'_> {
    fn class(&self) -> &str {
        self.config.get("connector.class").map_or("", |class| class.trim())
    }

    fn unknown_class(&self) -> RequestError {
        RequestError::Internal(format!(
            "Failed to find any class that implements Connector and which name matches {}",
            self.class()
        ))
    }

    /// ConnectorOffsets.
    ///
    /// # Errors
    /// 500 when the class is unknown or a broker does not answer.
    pub(crate) async fn list(&self) -> Result<Value, RequestError> {
        let registry = &self.parts.registry;
        let offsets = if registry.sink(self.class()).is_some() {
            sink::list(self).await?
        } else if registry.source(self.class()).is_some() {
            source::list(self).await?
        } else {
            return Err(self.unknown_class());
        };
        Ok(json!({ "offsets": offsets }))
    }

    /// Changes offsets; the text is for the client.
    ///
    /// # Errors
    /// 400 for what a sink connector's offsets cannot be; 500 for what the connector or a broker refuses.
    pub(crate) async fn change(&self, change: OffsetChange) -> Result<String, RequestError> {
        let registry = &self.parts.registry;
        let done = change.done();
        let outcome = if let Some(sink) = registry.sink(self.class()) {
            sink::change(self, sink.as_ref(), change).await?
        } else if let Some(source) = registry.source(self.class()) {
            source::change(self, source.as_ref(), change).await?
        } else {
            return Err(self.unknown_class());
        };
        Ok(match outcome {
            OffsetsAltered::Done => format!("The offsets for this connector have been {done} successfully"),
            OffsetsAltered::NotSupported => format!(
                "The Connect framework-managed offsets for this connector have been {done} successfully. \
                 However, if this connector manages offsets externally, they will need to be manually \
                 {done} in the system that the connector uses."
            ),
        })
    }
}

/// Our side failed; the reason goes to the log, as in Java.
fn failed(message: String, reason: &dyn std::fmt::Display) -> RequestError {
    tracing::warn!(%reason, "{message}");
    RequestError::Internal(message)
}
