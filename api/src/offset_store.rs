//! Where source offsets are kept: the offsets topics of a cluster, or a file.
//!
//! Keys and values are the JSON text of the offsets topic; this module does not interpret them. A store is
//! shared by the tasks that write to it and by the control plane, which shows and changes offsets.
//!
//! Source: `OffsetBackingStore`, `ConnectorOffsetBackingStore`, KIP-618, Kafka 4.1.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::ConnectError;
use crate::config::ConfigMap;

/// A request to a store. Cancel safe: a write that was begun may still be stored.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ConnectError>> + Send + 'a>>;

/// One entry to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetEntry {
    /// `["connector",{partition}]`: the bytes are the identity.
    pub key: String,
    /// `{offset}`; `None` forgets the entry.
    pub value: Option<String>,
}

/// One store. Requests must be awaited on the bridge, not on a shard.
pub trait OffsetStore: Send + Sync {
    /// Makes everything visible that was stored when this was called.
    ///
    /// # Errors
    /// `Retriable` when the store does not answer in time; `Fatal` when it cannot be read any more.
    fn read_to_end(&self) -> StoreFuture<'_, ()>;

    /// The value last read for `key`. Does not wait.
    fn get(&self, key: &[u8]) -> Option<Bytes>;

    /// All entries that were read, also those with keys nobody understands, in no order. Memory: shares the
    /// bytes.
    fn entries(&self) -> Vec<(Bytes, Bytes)>;

    /// Stores all entries, or fails; resolves when they are stored for good. They are visible after the next
    /// [`OffsetStore::read_to_end`].
    ///
    /// # Errors
    /// `Retriable` when they, or some of them, may not be stored.
    fn write(&self, entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()>;

    /// Passes entries on to what is behind this store, if anything is: for those that a transaction writes
    /// to the store's topic itself.
    ///
    /// # Errors
    /// As [`OffsetStore::write`].
    fn mirror(&self, _entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The stores of a worker.
pub trait OffsetStores: Send + Sync {
    /// The worker's own store. Opened by the first call.
    ///
    /// # Errors
    /// As [`OffsetStores::connector`].
    fn worker(&self) -> StoreFuture<'_, Arc<dyn OffsetStore>>;

    /// The store that a connector with this resolved configuration uses: the worker's, or, with
    /// `offsets.storage.topic`, the connector's own topic with the worker's store behind it. Nothing was read
    /// yet: call [`OffsetStore::read_to_end`] first.
    ///
    /// # Errors
    /// `Retriable` when the topic cannot be reached, `Config` when it cannot be used.
    fn connector<'a>(
        &'a self,
        connector: &'a str,
        config: &'a ConfigMap,
    ) -> StoreFuture<'a, Arc<dyn OffsetStore>>;
}
