//! The offsets topics as stores: the worker's, and those of connectors with `offsets.storage.topic`.
//!
//! Owns the topics, their readers and the rules of two stores in a row. Must not interpret keys or values.
//!
//! Source: `KafkaOffsetBackingStore`, `ConnectorOffsetBackingStore`, KIP-618, Kafka 4.1.

mod layered;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::failpoint;
use lakeward_api::offset_store::{OffsetEntry, OffsetStore, OffsetStores, StoreFuture};
use tokio::sync::OnceCell;

use crate::KafkaError;
use crate::admin::{Admin, InternalTopic};
use crate::log::{CompactedLog, Isolation, LogSettings};
use crate::producer::AckProducer;
use crate::settings::{connector_admin, with_prefix};

pub use layered::LayeredStore;

const API_LIMIT: Duration = Duration::from_secs(60);
const PARTITION_LIMIT: Duration = Duration::from_secs(30);
/// Java lets a connector wait for its offsets as long as it takes; a task that waits longer than this fails
/// with the reason instead.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// What the stores of a worker need to know.
#[derive(Clone, Debug)]
pub struct OffsetTopicSettings {
    /// The worker's configuration, Java names, variables resolved.
    pub worker: Arc<ConfigMap>,
    /// Whether only committed records count (`exactly.once.source.support=enabled`).
    pub isolation: Isolation,
}

/// The stores of a distributed worker.
pub struct KafkaOffsetStores {
    settings: OffsetTopicSettings,
    worker: OnceCell<Arc<KafkaOffsetStore>>,
}

/// One offsets topic, read by a thread of its own from the first call on.
pub struct KafkaOffsetStore {
    log: CompactedLog,
    known: Arc<Mutex<HashMap<Bytes, Bytes>>>,
}

impl KafkaOffsetStores {
    /// Stores that are opened when they are asked for.
    pub fn new(settings: OffsetTopicSettings) -> Self {
        Self { settings, worker: OnceCell::new() }
    }

    fn worker_value(&self, key: &str, default: &str) -> String {
        self.settings.worker.get(key).map_or(default, |value| value.trim()).to_owned()
    }

    /// `{group.id}-[{client.id}-]offsets`.
    fn client_id(&self) -> String {
        let group = self.worker_value("group.id", "connect");
        match self.worker_value("client.id", "").as_str() {
            "" => format!("{group}-offsets"),
            id => format!("{group}-{id}-offsets"),
        }
    }

    async fn open_worker(&self) -> Result<Arc<KafkaOffsetStore>, ConnectError> {
        let open = || async {
            let topic = self.worker_value("offset.storage.topic", "");
            let (settings, client_id) = (&self.settings.worker, self.client_id());
            self.open(&topic, settings, settings, &client_id).await.map(Arc::new)
        };
        Ok(Arc::clone(self.worker.get_or_try_init(open).await?))
    }

    /// Makes sure of the topic, then starts to read it.
    async fn open(
        &self,
        topic: &str,
        admin: &ConfigMap,
        clients: &ConfigMap,
        client_id: &str,
    ) -> Result<KafkaOffsetStore, KafkaError> {
        let admin = Admin::new(admin, &format!("{client_id}-admin"))?;
        let wanted = self.topic(topic);
        admin.ensure_topic(&wanted, API_LIMIT).await?;
        let partition_count = admin.wait_for_partitions(topic, PARTITION_LIMIT).await?;
        // Closing a client waits for its threads.
        drop(tokio::task::spawn_blocking(move || drop(admin)));
        let producer = AckProducer::new(clients, client_id)?;
        KafkaOffsetStore::start(
            LogSettings {
                props: clients,
                client_id: client_id.to_owned(),
                topic: topic.to_owned(),
                partition_count,
                isolation: self.settings.isolation,
            },
            producer,
        )
    }

    /// The topic as Java creates it: with the worker's `offset.storage.*`, also for a connector's own.
    fn topic(&self, name: &str) -> InternalTopic {
        let number = |key: &str, default: i32| self.worker_value(key, "").parse().unwrap_or(default);
        let fixed = ["topic", "partitions", "replication.factor", "cleanup.policy"];
        let extra = self.settings.worker.iter().filter_map(|(key, value)| {
            let key = key.strip_prefix("offset.storage.")?;
            (!fixed.contains(&key)).then(|| (key.to_owned(), value.clone()))
        });
        InternalTopic {
            name: name.to_owned(),
            setting: "offset.storage.topic",
            purpose: "source connector offsets",
            partitions: number("offset.storage.partitions", 25),
            replication_factor: number("offset.storage.replication.factor", 3),
            settings: extra.collect(),
        }
    }

    /// The connector's own topic, on the cluster its client settings name.
    async fn open_own(
        &self,
        connector: &str,
        config: &ConfigMap,
        topic: &str,
    ) -> Result<KafkaOffsetStore, ConnectError> {
        let merged = |prefix: &str| {
            let mut props = ConfigMap::new();
            props.insert(
                "bootstrap.servers".to_owned(),
                self.worker_value("bootstrap.servers", "localhost:9092"),
            );
            props.extend(with_prefix(&self.settings.worker, &format!("{prefix}.")));
            props.extend(with_prefix(config, &format!("{prefix}.override.")));
            props
        };
        let admin = connector_admin(&self.settings.worker, config);
        let client_id = format!("connector-offsets-{connector}");
        let mut clients = merged("consumer");
        // Reader and writer share the settings of both: each takes what it knows.
        for (key, value) in merged("producer") {
            clients.entry(key).or_insert(value);
        }
        // Named because the library wants a name; partitions are assigned by hand and no group is joined.
        clients.insert("group.id".to_owned(), self.worker_value("group.id", "connect"));
        clients.remove("transactional.id");
        Ok(self.open(topic, &admin, &clients, &client_id).await?)
    }
}

impl OffsetStores for KafkaOffsetStores {
    fn worker(&self) -> StoreFuture<'_, Arc<dyn OffsetStore>> {
        Box::pin(async move { Ok(self.open_worker().await? as Arc<dyn OffsetStore>) })
    }

    fn connector<'a>(
        &'a self,
        connector: &'a str,
        config: &'a ConfigMap,
    ) -> StoreFuture<'a, Arc<dyn OffsetStore>> {
        Box::pin(async move {
            let worker = self.open_worker().await?;
            let own = config.get("offsets.storage.topic").map(|topic| topic.trim().to_owned());
            let own = own.filter(|topic| !topic.is_empty());
            let Some(own) = own else { return Ok(worker as Arc<dyn OffsetStore>) };
            let servers = config.get("producer.override.bootstrap.servers");
            let bootstrap = self.worker_value("bootstrap.servers", "localhost:9092");
            let is_same_cluster = servers.is_none_or(|servers| servers.trim() == bootstrap);
            if is_same_cluster && own == self.worker_value("offset.storage.topic", "") {
                return Ok(worker as Arc<dyn OffsetStore>);
            }
            let primary = self.open_own(connector, config, &own).await?;
            Ok(Arc::new(LayeredStore::new(Arc::new(primary), worker)) as Arc<dyn OffsetStore>)
        })
    }
}

impl KafkaOffsetStore {
    fn start(settings: LogSettings<'_>, producer: AckProducer) -> Result<Self, KafkaError> {
        let known: Arc<Mutex<HashMap<Bytes, Bytes>>> = Arc::default();
        let target = Arc::clone(&known);
        let log = CompactedLog::start(settings, producer, move |_, record| {
            let Some(key) = record.key else { return };
            let mut known = target.lock().unwrap_or_else(PoisonError::into_inner);
            match record.value {
                Some(value) => drop(known.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))),
                None => drop(known.remove(key)),
            }
        })?;
        Ok(Self { log, known })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Bytes, Bytes>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OffsetStore for KafkaOffsetStore {
    fn read_to_end(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move { Ok(self.log.read_to_end(READ_LIMIT).await?) })
    }

    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.known().get(key).cloned()
    }

    fn entries(&self) -> Vec<(Bytes, Bytes)> {
        self.known().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn write(&self, entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
        failpoint!("source.offsets.before_write");
        // Queued in order before the first wait.
        let acks: Vec<_> =
            entries.iter().map(|entry| self.log.append(&entry.key, entry.value.as_deref())).collect();
        Box::pin(async move {
            try_join_all(acks).await?;
            failpoint!("source.offsets.after_write");
            Ok(())
        })
    }
}
