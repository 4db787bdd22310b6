//! A task over a store in memory, driven step by step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::config::ConfigMap;
use lakeward_api::cuts::{Cut, Decision, Opening};
use lakeward_api::header::HeaderRows;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::sink::{Now, Rejected, SinkTask as _, SinkTaskContext};
use lakeward_api::value::Value;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::runtime::Runtime;

use crate::aiven::{GCS_NAMES, S3_NAMES, config, design};
use crate::s3::store::Store;
use crate::s3::task::S3SinkTask;

pub(super) const FLUSH_MS: i64 = 60_000;

struct OnRuntime(tokio::runtime::Handle);

impl Bridge for OnRuntime {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

/// A task and everything around it.
pub(super) struct Rig {
    pub(super) task: S3SinkTask,
    pub(super) wall_ms: i64,
    pub(super) in_flight: Budget,
    store: Arc<InMemory>,
    runtime: Runtime,
}

pub(super) fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    let bucket = [("aws.s3.bucket.name", "lake"), ("file.compression.type", "none")];
    bucket.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Rig {
    pub(super) fn new(pairs: &[(&str, &str)]) -> Self {
        Self::over(Arc::default(), pairs, &[])
    }

    /// A task over `store` that repeats `cuts` from the offset 0 on.
    pub(super) fn over(store: Arc<InMemory>, pairs: &[(&str, &str)], cuts: &[Cut]) -> Self {
        Self::with_budget(store, pairs, cuts, 64 << 20)
    }

    pub(super) fn with_budget(
        store: Arc<InMemory>,
        pairs: &[(&str, &str)],
        cuts: &[Cut],
        in_flight_bytes: u64,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let props = props(pairs);
        let in_flight = Budget::new(in_flight_bytes);
        let context = SinkTaskContext {
            connector: "c".into(),
            task: 0,
            config: Arc::new(props.clone()),
            bridge: Arc::new(OnRuntime(runtime.handle().clone())),
            in_flight: in_flight.clone(),
            room: lakeward_api::sink::Room::default(),
            waker: Waker::new(|| {}),
            flush_interval: Duration::from_millis(FLUSH_MS.unsigned_abs()),
            can_reject: props.contains_key("errors.deadletterqueue.topic.name"),
            files: Arc::default(),
        };
        let store_over = Store::over(Arc::clone(&store) as Arc<dyn ObjectStore>);
        let task = match props.contains_key("gcs.bucket.name") {
            true => {
                let (config, machinery, _) = config::gcs::parse(&props).unwrap();
                design::task(context, &config, &machinery, &GCS_NAMES, store_over)
            }
            false => {
                let (config, s3) = config::s3::parse(&props).unwrap();
                design::task(context, &config, &s3.settings, &S3_NAMES, store_over)
            }
        };
        let task = task.unwrap();
        // 2023-11-14T22:13:20Z
        let mut rig = Self { task, wall_ms: 1_700_000_000_000, in_flight, store, runtime };
        rig.turn();
        let opening = |partition| Opening {
            partition: TopicPartition::new("logs", partition),
            committed: Some(0),
            cuts: if partition == 0 { cuts.to_vec() } else { Vec::new() },
        };
        rig.task.open_at(&[opening(0), opening(1)]).unwrap();
        rig
    }

    pub(super) fn store(&self) -> Arc<InMemory> {
        Arc::clone(&self.store)
    }

    pub(super) fn now(&self) -> Now {
        Now { monotonic: Instant::now(), wall_ms: self.wall_ms }
    }

    pub(super) fn put(&mut self, batch: SinkBatch) -> Result<(), ConnectError> {
        self.task.put(batch, self.now())
    }

    /// Lets the bridge run as far as it gets, then polls the task.
    pub(super) fn turn(&mut self) {
        self.runtime.block_on(async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        });
        self.task.poll(self.now()).unwrap();
    }

    /// The interval is over: files end, are decided and stored. What was decided.
    pub(super) fn flush(&mut self) -> Vec<Decision> {
        self.wall_ms += FLUSH_MS;
        self.turn();
        self.decide()
    }

    /// Acknowledges every decision.
    pub(super) fn decide(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        self.task.take_decisions(&mut decisions);
        for Decision { partition, cut, .. } in &decisions {
            self.task.decided(partition, cut.end).unwrap();
        }
        let partitions = [0, 1].map(|partition| TopicPartition::new("logs", partition));
        while !self.task.is_settled(&partitions) {
            self.turn();
        }
        decisions
    }

    pub(super) fn durable(&mut self) -> Vec<(i32, i64)> {
        let mut positions = Vec::new();
        self.task.take_durable(&mut positions);
        let pair = |Position { partition, next_offset }| (partition.partition, next_offset);
        let mut pairs: Vec<_> = positions.into_iter().map(pair).collect();
        pairs.sort_unstable();
        pairs
    }

    pub(super) fn rejected(&mut self) -> Vec<i64> {
        let mut rejected: Vec<Rejected> = Vec::new();
        self.task.take_rejected(&mut rejected);
        rejected.into_iter().map(|rejected| rejected.offset).collect()
    }

    /// Names and bytes of all objects.
    pub(super) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.runtime.block_on(async {
            let mut objects = BTreeMap::new();
            let mut list = self.store.list(None);
            while let Some(meta) = list.next().await {
                let name = meta.unwrap().location;
                let bytes = self.store.get(&name).await.unwrap().bytes().await.unwrap();
                objects.insert(name.to_string(), bytes.to_vec());
            }
            objects
        })
    }

    /// Names and texts of all objects, as `name=text`.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |(name, bytes)| format!("{name}={}", String::from_utf8(bytes).unwrap());
        self.objects().into_iter().map(text).collect()
    }
}

/// Records with STRING keys and BYTES values, `v<offset>`.
pub(super) fn keyed(partition: i32, first: i64, keys: &[Option<&str>]) -> SinkBatch {
    let rows = i64::try_from(keys.len()).unwrap();
    let offsets: Vec<i64> = (first..first + rows).collect();
    let value = |offset: &i64| Value::Bytes(format!("v{offset}").into_bytes().into());
    let key = |key: &Option<&str>| key.map_or(Value::Null, |key| Value::String(key.into()));
    let partition = TopicPartition::new("logs", partition);
    SinkBatch {
        topic: Arc::clone(&partition.topic),
        partition,
        timestamps_ms: offsets.iter().map(|_| Some(0)).collect(),
        keys: typed(Schema::optional(Kind::String), keys.iter().map(key)),
        values: typed(Schema::optional(Kind::Bytes), offsets.iter().map(value)),
        headers: HeaderRows::default(),
        offsets,
    }
}

/// Records without keys, each at an hour of 1970-01-01.
pub(super) fn hourly(first: i64, hours: &[i64]) -> SinkBatch {
    let mut batch = keyed(0, first, &vec![None; hours.len()]);
    batch.timestamps_ms = hours.iter().map(|hour| Some(hour * 3_600_000)).collect();
    batch
}

pub(super) fn typed(schema: Schema, rows: impl Iterator<Item = Value>) -> Values {
    let mut column = ColumnWriter::new(&schema);
    rows.for_each(|row| column.append(&row).unwrap());
    Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() }
}
