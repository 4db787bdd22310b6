//! What a member of the worker group can say about it: who leads, and which generation it is.
//!
//! Owns asking seldom: a page that is scraped every second asks the broker every [`KNOWN_FOR`] only.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::{Metrics, lock};

/// How long an answer counts.
const KNOWN_FOR: Duration = Duration::from_secs(15);

/// How long a page waits for an answer.
const LIMIT: Duration = Duration::from_secs(2);

/// Asks for the leader's address.
type FindLeader = Arc<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;
/// Asks for the generation; `None` outside the group.
type Generation = Box<dyn Fn() -> Option<i64> + Send + Sync>;

/// The group of this worker, from the moment in which it joins.
#[derive(Default)]
pub(super) struct Group {
    asked: OnceLock<(FindLeader, Generation)>,
    leader: Mutex<Option<(Instant, Option<String>)>>,
}

impl Group {
    /// The leader's address that was found last; empty for none.
    pub(super) fn leader(&self) -> String {
        let known = lock(&self.leader);
        known.as_ref().and_then(|(_, url)| url.clone()).unwrap_or_default()
    }

    /// The generation. May wait a moment: not on an async thread.
    pub(super) fn generation(&self) -> Option<i64> {
        self.asked.get().and_then(|(_, generation)| generation())
    }
}

impl Metrics {
    /// This worker became a member.
    pub(crate) fn joined(
        &self,
        leader: FindLeader,
        generation: impl Fn() -> Option<i64> + Send + Sync + 'static,
    ) {
        // A worker joins once.
        self.group.asked.set((leader, Box::new(generation))).ok();
    }

    /// Makes sure that a page can name the leader.
    pub(crate) async fn look_for_leader(&self) {
        if lock(&self.rebalances).leads {
            return;
        }
        let is_known =
            |known: &Option<(Instant, _)>| known.as_ref().is_some_and(|(at, _)| at.elapsed() < KNOWN_FOR);
        let Some((find, _)) = self.group.asked.get().filter(|_| !is_known(&lock(&self.group.leader))) else {
            return;
        };
        let found = tokio::time::timeout(LIMIT, find()).await;
        let mut known = lock(&self.group.leader);
        // Without an answer the leader is who it was.
        let url = found.unwrap_or_else(|_| known.take().and_then(|(_, url)| url));
        *known = Some((Instant::now(), url));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use lakeward_api::metrics::Window;
    use lakeward_kafka::membership::Role;

    use super::*;

    #[tokio::test]
    async fn a_follower_asks_who_leads_and_not_for_every_page() {
        let metrics = Metrics::over(Window::default());
        metrics.look_for_leader().await;
        assert_eq!(metrics.group.leader(), "");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let find: FindLeader = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Box::pin(std::future::ready(Some("http://a:8083/".to_owned())))
        });
        metrics.joined(find, || Some(7));
        metrics.role(Role::Follower);
        metrics.look_for_leader().await;
        metrics.look_for_leader().await;
        assert_eq!((metrics.group.leader().as_str(), asked.load(Ordering::SeqCst)), ("http://a:8083/", 1));
        assert_eq!(metrics.group.generation(), Some(7));
        metrics.role(Role::Leader { generation: 8 });
        *lock(&metrics.group.leader) = None;
        metrics.look_for_leader().await;
        assert_eq!(asked.load(Ordering::SeqCst), 1, "a leader knows who leads");
    }
}
