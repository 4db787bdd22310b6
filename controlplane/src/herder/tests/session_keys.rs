//! Who makes session keys, and when.

use lakeward_controlplane_core::config_log::{SessionKey, records};

use super::*;
use crate::herder::now_ms;

fn bench(role: Role, settings: &[(&str, &str)]) -> Bench {
    Bench::with(role, &[], &[], settings, Arc::new(NoTasks))
}

impl Bench {
    fn session_key(&self) -> Option<SessionKey> {
        self.store.view().config(|state| state.session_key().cloned())
    }

    /// The key after everything that the herder does at once.
    async fn settled_key(&self) -> Option<SessionKey> {
        self.request(Command::Ping).await.unwrap();
        self.session_key()
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_leader_that_signs_makes_a_key() {
    let key = bench(LEADER, &[]).settled_key().await.unwrap();
    assert_eq!((key.algorithm.as_str(), key.key.len()), ("HmacSHA256", 44));
    let other = bench(LEADER, &[]).settled_key().await.unwrap();
    assert_ne!(key.key, other.key);
    assert_eq!(bench(Role::Follower, &[]).settled_key().await, None);
    assert_eq!(bench(LEADER, &[("connect.protocol", "compatible")]).settled_key().await, None);
    let sized = [("inter.worker.key.size", "41"), ("inter.worker.key.generation.algorithm", "HmacSHA512")];
    let key = bench(LEADER, &sized).settled_key().await.unwrap();
    assert_eq!((key.algorithm.as_str(), key.key.len()), ("HmacSHA512", 8));
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_keeps_a_key_until_it_expires() {
    let bench = bench(Role::Follower, &[("inter.worker.key.ttl.ms", "60000")]);
    let mut key = SessionKey {
        key: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".to_owned(),
        algorithm: "HmacSHA256".to_owned(),
        created_ms: now_ms() - 1_000,
    };
    bench.store.write_config(vec![records::session_key(&key)], Barrier::ReadBack).await.unwrap();
    bench.role.send_replace(LEADER);
    bench.within(Duration::from_secs(1)).await;
    assert_eq!(bench.settled_key().await, Some(key.clone()));
    key.created_ms = now_ms() - 60_000;
    bench.store.write_config(vec![records::session_key(&key)], Barrier::ReadBack).await.unwrap();
    bench.within(Duration::from_secs(1)).await;
    assert_ne!(bench.settled_key().await.unwrap().key, key.key);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_not_written_is_written_later_and_keeps_nobody_from_leading() {
    let store = ScriptedStore {
        key_writes: Mutex::new([Fate::Refused, Fate::Refused].into()),
        ..ScriptedStore::default()
    };
    let fence: FenceProducers = Arc::new(|_, _| Box::pin(std::future::ready(Ok(()))));
    let bench = Bench::of(LEADER, &[], Arc::new(NoTasks), fence, Arc::new(store));
    bench.create().await.unwrap();
    assert_eq!(bench.session_key(), None);
    bench.within(Duration::from_secs(1)).await;
    assert!(bench.session_key().is_some());
}
