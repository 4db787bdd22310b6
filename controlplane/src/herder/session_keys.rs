//! The key with which workers sign requests to each other: the leader makes it and puts it into the config
//! topic, from which every worker reads it.
//!
//! Source: KIP-507, `DistributedHerder#tick`, Kafka 4.1.

use std::time::Duration;

use lakeward_controlplane_core::config_log::records;
use tokio::time::Instant;

use super::actor::{Actor, Retry};
use super::now_ms;
use crate::store::StoreError;

/// A key from the topic may say that it was made in a thousand years.
const LOOK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Actor {
    /// When the leader makes the next key.
    pub(super) fn session_key_due(&self) -> Option<Instant> {
        if !self.leads() || !self.signing.is_required {
            return None;
        }
        if let Some(retry) = self.session_key_retry {
            return Some(retry.due);
        }
        let due_ms = self.view().config(|state| self.signing.keys.due_ms(state.session_key()))?;
        let wait_ms = due_ms.saturating_sub(now_ms()).max(0).unsigned_abs();
        Some(Instant::now() + Duration::from_millis(wait_ms).min(LOOK_AGAIN))
    }

    /// Makes a key if one is due. A failure is no reason not to lead: it is tried again.
    pub(super) async fn renew_session_key(&mut self) {
        if self.session_key_due().is_none_or(|due| due > Instant::now()) {
            return;
        }
        let written = match self.signing.make_key(now_ms()) {
            Ok(key) => self.write(vec![records::session_key(&key)]).await,
            Err(_) => Err(StoreError { message: "the system has no random numbers".to_owned() }),
        };
        self.session_key_retry = match written {
            Ok(()) => {
                tracing::debug!("a new session key was written");
                None
            }
            Err(err) => {
                let retry = Retry::after(self.session_key_retry);
                let pause_ms = retry.pause.as_millis() as u64;
                tracing::warn!(error = %err, pause_ms, "no new session key was written; trying again");
                Some(retry)
            }
        };
    }
}
