//! What the worker is doing, for health answers and time-outs.
//!
//! Source: `TemporaryStage`, `HealthCheck`, Kafka 4.1.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::calendar::iso_instant;

/// Where the worker is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Requests are answered.
    Ready,
    /// Not yet; the text completes "the worker is currently …".
    Starting {
        /// What it does.
        doing: &'static str,
        /// Since when, ms since the epoch.
        since_ms: i64,
    },
    /// It is shutting down.
    Stopping,
    /// Started, but it waits for others; the text completes "the worker is currently …".
    Waiting {
        /// What it does.
        doing: &'static str,
        /// Since when, ms since the epoch.
        since_ms: i64,
    },
}

impl Stage {
    /// A start-up stage that begins now.
    pub(crate) fn starting(doing: &'static str) -> Self {
        Self::Starting { doing, since_ms: now_ms() }
    }

    /// A started worker that waits for its group, from now on.
    pub(crate) fn outside_its_group() -> Self {
        Self::Waiting { doing: "ensuring membership in the cluster", since_ms: now_ms() }
    }

    /// The sentence about what goes on; empty when ready.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Ready => String::new(),
            Self::Starting { doing, since_ms } | Self::Waiting { doing, since_ms } => {
                format!("The worker is currently {doing}, which began at {}.", iso_instant(*since_ms))
            }
            Self::Stopping => "The worker is currently shutting down.".to_owned(),
        }
    }
}

/// Wall clock, ms since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
