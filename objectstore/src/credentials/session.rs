//! Credentials that end: kept while they live, and fetched again before they end.
//!
//! When that fails they are used to their end.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use object_store::aws::AwsCredential;
use tokio::sync::Mutex;

/// Credentials in use.
#[derive(Debug)]
pub(super) struct Session {
    credential: Arc<AwsCredential>,
    /// `None`: they do not end.
    life: Option<Life>,
}

#[derive(Clone, Copy, Debug)]
struct Life {
    ends: Instant,
    /// When new ones are fetched.
    renews: Instant,
}

impl Session {
    /// Credentials that end at `expiration` (RFC 3339), when that is given.
    ///
    /// # Errors
    /// When that is no time, or over.
    pub(super) fn until(credential: AwsCredential, expiration: Option<&str>) -> object_store::Result<Self> {
        let life = match expiration {
            Some(expiration) => Some(Life::until(expiration, Utc::now(), Instant::now())?),
            None => None,
        };
        Ok(Self { credential: Arc::new(credential), life })
    }

    fn is_fresh(&self, now: Instant) -> bool {
        self.life.is_none_or(|life| now < life.renews)
    }
}

impl Life {
    fn until(expiration: &str, now_utc: DateTime<Utc>, now: Instant) -> object_store::Result<Self> {
        let ends = DateTime::parse_from_rfc3339(expiration).map_err(|err| failed(Box::new(err)))?;
        let rest = (ends.to_utc() - now_utc)
            .to_std()
            .map_err(|_| failed("the credentials that were given are over".into()))?;
        Ok(Self { ends: now + rest, renews: now + rest.saturating_sub(RENEW_BEFORE.min(rest / 4)) })
    }
}

/// The credentials of one source.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Option<Session>>);

impl Sessions {
    /// The credentials at hand, or those of `fetch` when they are about to end.
    ///
    /// # Errors
    /// Those of `fetch`, when there are no others.
    pub(super) async fn get(
        &self,
        source: &str,
        fetch: impl Future<Output = object_store::Result<Session>>,
    ) -> object_store::Result<Arc<AwsCredential>> {
        let mut session = self.0.lock().await;
        if let Some(known) = session.as_ref().filter(|known| known.is_fresh(Instant::now())) {
            return Ok(Arc::clone(&known.credential));
        }
        let fetched = fetch.await;
        let now = Instant::now();
        let life = session.as_mut().and_then(|known| known.life.as_mut()).filter(|life| now < life.ends);
        match (fetched, life) {
            (Ok(new), _) => {
                tracing::debug!(source, "credentials fetched");
                Ok(Arc::clone(&session.insert(new).credential))
            }
            (Err(err), Some(life)) => {
                tracing::warn!(source, error = %err, "no new credentials; the old ones serve to their end");
                life.renews = now + RENEW_PAUSE;
                Ok(Arc::clone(&session.as_ref().expect("it has a life").credential))
            }
            (Err(err), None) => Err(err),
        }
    }
}

/// An error that is no answer of a store.
pub(super) fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "credentials", source }
}

/// How long before their end credentials are renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// After a renewal that failed.
const RENEW_PAUSE: Duration = Duration::from_secs(15);
