//! A task with its bridge: a runtime of one thread that makes progress only inside [`Fixture::settle`] and
//! [`Fixture::turn`], so every test decides what happens first.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int64Array, StringArray, StructArray};
use futures::StreamExt as _;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::config::ConfigMap;
use lakeward_api::header::HeaderRows;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::{Now, Room, SinkTask, SinkTaskContext};
use lakeward_api::value::Value;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::s3::config::S3Config;
use crate::s3::settings::Settings;
use crate::s3::store::Store;
use crate::s3::task::S3SinkTask;

/// The runtime that futures of the bridge are spawned on.
struct TestBridge(tokio::runtime::Handle);

impl Bridge for TestBridge {
    fn spawn(&self, future: BridgeFuture) {
        self.0.spawn(future);
    }
}

/// A task under test.
pub(super) struct Fixture {
    pub(super) task: S3SinkTask,
    pub(super) in_flight: Budget,
    pub(super) store: Arc<dyn ObjectStore>,
    runtime: tokio::runtime::Runtime,
    woken: Arc<tokio::sync::Notify>,
}

/// The partition that most tests use.
pub(super) fn orders() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

/// A valid configuration with `extra` keys on top.
pub(super) fn config(extra: &[(&str, &str)]) -> ConfigMap {
    let base = [
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
        ("flush.size", "3"),
        ("s3.bucket.name", "bucket"),
        ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
    ];
    base.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Fixture {
    /// A task over `store` with an in-flight budget of 32 MiB.
    pub(super) fn over(store: Arc<dyn ObjectStore>, extra: &[(&str, &str)]) -> Self {
        Self::in_room(store, extra, Room::default())
    }

    /// The same with little room.
    pub(super) fn in_room(store: Arc<dyn ObjectStore>, extra: &[(&str, &str)], room: Room) -> Self {
        let client = Arc::clone(&store);
        Self::build(store, extra, |mut context, config| {
            context.room = room;
            S3SinkTask::with_store(context, config, Store::over(client)).unwrap()
        })
    }

    fn build(
        store: Arc<dyn ObjectStore>,
        extra: &[(&str, &str)],
        new: impl FnOnce(SinkTaskContext, &Settings) -> S3SinkTask,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let woken = Arc::new(tokio::sync::Notify::new());
        let notify = Arc::clone(&woken);
        let in_flight = Budget::new(32 << 20);
        let props = config(extra);
        let parsed = S3Config::parse(&props).unwrap().settings;
        let context = SinkTaskContext {
            connector: "c".into(),
            task: 0,
            config: Arc::new(props),
            bridge: Arc::new(TestBridge(runtime.handle().clone())),
            in_flight: in_flight.clone(),
            room: Room::default(),
            waker: Waker::new(move || notify.notify_one()),
            flush_interval: std::time::Duration::from_mins(1),
            can_reject: false,
            files: Arc::default(),
        };
        Self { task: new(context, &parsed), in_flight, store, runtime, woken }
    }

    /// Waits for the check of the bucket and opens `orders-0`.
    pub(super) fn opened(mut self) -> Self {
        self.turn().unwrap();
        self.task.open(&[orders()]).unwrap();
        self
    }

    /// Lets the bridge run until it wakes the task, then polls the task.
    pub(super) fn turn(&mut self) -> Result<(), ConnectError> {
        self.runtime.block_on(self.woken.notified());
        self.task.poll(now(0))
    }

    /// Turns until nothing of `orders-0` is in flight.
    pub(super) fn settle(&mut self) -> Result<(), ConnectError> {
        while !self.task.is_settled(&[orders()]) {
            self.turn()?;
        }
        Ok(())
    }

    /// Lets the bridge run until `future` is done.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Positions that became durable.
    pub(super) fn durable(&mut self) -> Vec<i64> {
        let mut positions = Vec::new();
        self.task.take_durable(&mut positions);
        positions.into_iter().map(|Position { next_offset, .. }| next_offset).collect()
    }

    /// Names of all objects, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let list = self.store.list(None).map(|meta| meta.unwrap().location.to_string());
        let mut names: Vec<String> = self.run(list.collect());
        names.sort();
        names
    }

    /// Bytes of an object.
    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        let path = object_store::path::Path::from(name);
        self.run(async { self.store.get(&path).await.unwrap().bytes().await.unwrap() }).to_vec()
    }

    /// Text of an object.
    pub(super) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// Puts JSON-like rows `{"n": offset}`, schemaless.
    pub(super) fn put(&mut self, offsets: std::ops::Range<i64>) {
        let values = offsets.clone().map(row).collect();
        self.task.put(batch(offsets.collect(), Values::Dynamic(values)), now(0)).unwrap();
    }
}

/// A map of one number.
fn row(number: i64) -> Value {
    Value::Map(vec![(Value::String("n".into()), Value::Int64(number))])
}

/// A batch of `orders-0`; record times are the offsets in seconds.
pub(super) fn batch(offsets: Vec<i64>, values: Values) -> SinkBatch {
    let rows = offsets.len();
    let timestamps_ms = offsets.iter().map(|offset| Some(offset * 1000)).collect();
    SinkBatch {
        partition: orders(),
        topic: orders().topic,
        offsets,
        timestamps_ms,
        keys: Values::Null { rows },
        values,
        headers: HeaderRows::default(),
    }
}

/// STRUCTs of an id and a text.
pub(super) fn structs(ids: &[i64], texts: &[&str]) -> Values {
    let field = |name: &str, kind| Field { name: name.into(), schema: Arc::new(Schema::new(kind)) };
    let schema = Schema::new(Kind::Struct(vec![field("id", Kind::Int64), field("text", Kind::String)]));
    let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let array = Arc::new(StructArray::new(schema.arrow_fields(), vec![ids, texts], None));
    Values::Typed { schema: Arc::new(schema), array }
}

/// Both clocks at `wall_ms`.
pub(super) fn now(wall_ms: i64) -> Now {
    Now { monotonic: Instant::now(), wall_ms }
}
