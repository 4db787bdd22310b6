//! A connector's own offsets topic with the worker's behind it.
//!
//! Source: `ConnectorOffsetBackingStore`, KIP-618, Kafka 4.1.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::offset_store::{OffsetEntry, OffsetStore, StoreFuture};

/// Two stores: the first wins where both know a key.
pub struct LayeredStore {
    primary: Arc<dyn OffsetStore>,
    secondary: Arc<dyn OffsetStore>,
}

impl LayeredStore {
    /// `primary` is the connector's own store.
    pub fn new(primary: Arc<dyn OffsetStore>, secondary: Arc<dyn OffsetStore>) -> Self {
        Self { primary, secondary }
    }
}

impl OffsetStore for LayeredStore {
    fn read_to_end(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            futures::try_join!(self.primary.read_to_end(), self.secondary.read_to_end())?;
            Ok(())
        })
    }

    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.primary.get(key).or_else(|| self.secondary.get(key))
    }

    fn entries(&self) -> Vec<(Bytes, Bytes)> {
        let mut all: HashMap<Bytes, Bytes> = self.secondary.entries().into_iter().collect();
        all.extend(self.primary.entries());
        all.into_iter().collect()
    }

    /// A tombstone must reach the secondary first: otherwise the old offset would show through again.
    fn write(&self, entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let (values, tombstones): (Vec<_>, Vec<_>) =
                entries.iter().cloned().partition(|entry| entry.value.is_some());
            if !tombstones.is_empty() {
                self.secondary.write(tombstones).await?;
            }
            self.primary.write(entries).await?;
            let secondary = Arc::clone(&self.secondary);
            tokio::spawn(async move {
                if let Err(err) = secondary.write(values).await {
                    tracing::warn!(error = %err, "offsets were not copied to the worker's offsets topic");
                }
            });
            Ok(())
        })
    }

    fn mirror(&self, entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
        self.secondary.write(entries)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use lakeward_api::ConnectError;

    use super::*;

    #[derive(Default)]
    struct Memory {
        entries: Mutex<HashMap<String, String>>,
        is_broken: bool,
    }

    impl OffsetStore for Memory {
        fn read_to_end(&self) -> StoreFuture<'_, ()> {
            Box::pin(std::future::ready(Ok(())))
        }

        fn get(&self, key: &[u8]) -> Option<Bytes> {
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.get(std::str::from_utf8(key).ok()?).map(|value| Bytes::from(value.clone()))
        }

        fn entries(&self) -> Vec<(Bytes, Bytes)> {
            let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.iter().map(|(key, value)| (key.clone().into(), value.clone().into())).collect()
        }

        fn write(&self, entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
            if self.is_broken {
                return Box::pin(std::future::ready(Err(ConnectError::retriable("broken"))));
            }
            let mut known = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            for OffsetEntry { key, value } in entries {
                match value {
                    Some(value) => known.insert(key, value),
                    None => known.remove(&key),
                };
            }
            Box::pin(std::future::ready(Ok(())))
        }
    }

    fn entry(key: &str, value: Option<&str>) -> OffsetEntry {
        OffsetEntry { key: key.to_owned(), value: value.map(str::to_owned) }
    }

    fn layered(own: &Arc<Memory>, worker: &Arc<Memory>) -> LayeredStore {
        LayeredStore::new(Arc::clone(own) as Arc<dyn OffsetStore>, Arc::clone(worker) as Arc<dyn OffsetStore>)
    }

    #[tokio::test]
    async fn the_connectors_own_topic_wins_and_tombstones_reach_both() {
        let (own, worker) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
        worker.write(vec![entry("a", Some("1")), entry("b", Some("2"))]).await.unwrap();
        let store = layered(&own, &worker);
        store.write(vec![entry("a", Some("3"))]).await.unwrap();
        assert_eq!((store.get(b"a").unwrap(), store.get(b"b").unwrap()), ("3".into(), "2".into()));
        store.write(vec![entry("b", None)]).await.unwrap();
        assert_eq!((store.get(b"b"), worker.get(b"b")), (None, None));
    }

    #[tokio::test]
    async fn a_tombstone_that_the_worker_topic_refuses_fails_the_write() {
        let worker = Arc::new(Memory { is_broken: true, ..Memory::default() });
        let own = Arc::new(Memory::default());
        let store = layered(&own, &worker);
        assert!(store.write(vec![entry("a", None), entry("b", Some("1"))]).await.is_err());
        assert_eq!(own.get(b"b"), None);
        store.write(vec![entry("b", Some("1"))]).await.unwrap();
        assert!(own.get(b"b").is_some());
    }
}
