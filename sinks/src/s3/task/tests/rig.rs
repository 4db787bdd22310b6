//! A task over a store in memory that fails or waits on command, and a bridge whose turns the test decides.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arrow_array::{Int64Array, StringArray, StructArray};
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::config::ConfigMap;
use lakeward_api::cuts::Decision;
use lakeward_api::header::HeaderRows;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::{Now, SinkTask as _, SinkTaskContext};
use lakeward_api::value::Value;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
    UploadPart,
};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore};

use crate::s3::config::S3Config;
use crate::s3::store::Store;
use crate::s3::task::S3SinkTask;

/// What the store does besides storing.
#[derive(Clone, Debug, Default)]
pub(super) enum Mood {
    /// Every write and list answers this kind of error.
    Failing(Failure),
    /// Writes of objects whose name contains the text wait until the semaphore has a permit.
    Holding(&'static str, Arc<Semaphore>),
    #[default]
    Well,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    Busy,
    Denied,
    NoBucket,
    WrongKey,
}

/// A store in memory with a [`Mood`]; counts aborted multipart uploads.
#[derive(Debug, Default)]
pub(super) struct MoodyStore {
    pub(super) objects: InMemory,
    pub(super) mood: Mutex<Mood>,
    pub(super) aborted_count: Arc<Mutex<usize>>,
}

impl MoodyStore {
    async fn face(&self, name: &Path) -> StoreResult<()> {
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Well => Ok(()),
            Mood::Holding(text, gate) => {
                if name.as_ref().contains(text) {
                    gate.acquire().await.unwrap().forget();
                }
                Ok(())
            }
            Mood::Failing(failure) => Err(failure.error(name)),
        }
    }
}

impl Failure {
    fn error(self, name: &Path) -> object_store::Error {
        let path = name.to_string();
        match self {
            Self::Busy => object_store::Error::Generic {
                store: "S3",
                source: "Server returned non-2xx status code: 503 Service Unavailable: SlowDown".into(),
            },
            Self::Denied => object_store::Error::PermissionDenied { path, source: "AccessDenied".into() },
            Self::NoBucket => object_store::Error::NotFound { path, source: "NoSuchBucket".into() },
            Self::WrongKey => {
                object_store::Error::PermissionDenied { path, source: "InvalidAccessKeyId".into() }
            }
        }
    }
}

impl fmt::Display for MoodyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MoodyStore")
    }
}

#[async_trait]
impl ObjectStore for MoodyStore {
    async fn put_opts(
        &self,
        name: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.face(name).await?;
        self.objects.put_opts(name, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        name: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.face(name).await?;
        let upload = self.objects.put_multipart_opts(name, options).await?;
        Ok(Box::new(CountingUpload { upload, aborted_count: Arc::clone(&self.aborted_count) }))
    }

    async fn get_opts(&self, name: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.objects.get_opts(name, options).await
    }

    fn delete_stream(
        &self,
        names: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.objects.delete_stream(names)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        match &*self.mood.lock().unwrap() {
            Mood::Failing(failure) => {
                let answer = Err(failure.error(&Path::default()));
                futures::stream::once(async { answer }).boxed()
            }
            _ => self.objects.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct CountingUpload {
    upload: Box<dyn MultipartUpload>,
    aborted_count: Arc<Mutex<usize>>,
}

#[async_trait]
impl MultipartUpload for CountingUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        self.upload.complete().await
    }

    async fn abort(&mut self) -> StoreResult<()> {
        *self.aborted_count.lock().unwrap() += 1;
        self.upload.abort().await
    }
}

struct RuntimeBridge(tokio::runtime::Handle);

impl Bridge for RuntimeBridge {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

/// A task and everything around it. The runtime only turns inside [`Rig::turn`] and [`Rig::settle`].
pub(super) struct Rig {
    pub(super) task: S3SinkTask,
    pub(super) store: Arc<MoodyStore>,
    pub(super) in_flight: Budget,
    pub(super) now: Now,
    runtime: Runtime,
    woken: Arc<Notify>,
}

impl Rig {
    pub(super) fn new(pairs: &[(&str, &str)]) -> Self {
        Self::with_budget(pairs, 64 << 20)
    }

    pub(super) fn with_budget(pairs: &[(&str, &str)], in_flight_bytes: u64) -> Self {
        let store = Arc::new(MoodyStore::default());
        let client: Arc<dyn ObjectStore> = Arc::clone(&store) as Arc<dyn ObjectStore>;
        Self::build(pairs, in_flight_bytes, store, Some(Store::over(client)))
    }

    /// Another task over the same store, as after a crash of the one before or beside it.
    pub(super) fn beside(&self, pairs: &[(&str, &str)]) -> Self {
        let client: Arc<dyn ObjectStore> = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
        let mut rig = Self::build(pairs, 64 << 20, Arc::clone(&self.store), Some(Store::over(client)));
        rig.now = self.now;
        rig
    }

    /// A task whose store is what the configuration says.
    pub(super) fn with_configured_store(pairs: &[(&str, &str)]) -> Self {
        Self::build(pairs, 64 << 20, Arc::new(MoodyStore::default()), None)
    }

    fn build(pairs: &[(&str, &str)], limit: u64, store: Arc<MoodyStore>, client: Option<Store>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let woken = Arc::new(Notify::new());
        let wake = Arc::clone(&woken);
        let in_flight = Budget::new(limit);
        let base = [
            ("format.class", "JsonFormat"),
            ("flush.size", "3"),
            ("s3.bucket.name", "bucket"),
            ("storage.class", "S3Storage"),
        ];
        let props: ConfigMap =
            base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let context = SinkTaskContext {
            connector: "c".into(),
            task: 0,
            config: Arc::new(props.clone()),
            bridge: Arc::new(RuntimeBridge(runtime.handle().clone())),
            in_flight: in_flight.clone(),
            room: lakeward_api::sink::Room::default(),
            waker: Waker::new(move || wake.notify_one()),
            flush_interval: std::time::Duration::from_mins(1),
            can_reject: props.contains_key("errors.deadletterqueue.topic.name"),
            files: Arc::default(),
        };
        let task = match client {
            Some(client) => {
                S3SinkTask::with_store(context, &S3Config::parse(&props).unwrap().settings, client).unwrap()
            }
            None => S3SinkTask::new(context).unwrap(),
        };
        let now = Now { monotonic: Instant::now(), wall_ms: 0 };
        Self { task, store, in_flight, now, runtime, woken }
    }

    pub(super) fn open(&mut self, partitions: &[i32]) {
        self.task.open(&topic_partitions(partitions)).unwrap();
    }

    /// Puts rows `offsets`, each with its offset as text.
    pub(super) fn put(&mut self, partition: i32, offsets: impl IntoIterator<Item = i64>) {
        let batch = texts(partition, offsets);
        self.task.put(batch, self.now).unwrap();
    }

    /// Puts one row with its offset as text, and a STRING key.
    pub(super) fn put_keyed(&mut self, offset: i64, key: &str) {
        let schema = Arc::new(Schema::optional(Kind::String));
        let keys = Values::Typed { schema, array: Arc::new(StringArray::from(vec![key])) };
        self.task.put(SinkBatch { keys, ..texts(0, [offset]) }, self.now).unwrap();
    }

    /// What a coordinator that answers at once does: acknowledges every decision.
    pub(super) fn acknowledge(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        self.task.take_decisions(&mut decisions);
        for decision in &decisions {
            self.task.decided(&decision.partition, decision.cut.end).unwrap();
        }
        decisions
    }

    /// Acknowledges decisions, lets everything that needs no waiting run, then polls.
    pub(super) fn turn(&mut self) -> Result<(), ConnectError> {
        self.acknowledge();
        self.work()
    }

    /// Lets everything that needs no waiting run, then polls.
    pub(super) fn work(&mut self) -> Result<(), ConnectError> {
        self.run_bridge();
        self.task.poll(self.now)
    }

    /// Lets everything on the bridge run that needs no waiting.
    pub(super) fn run_bridge(&self) {
        self.runtime.block_on(async {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Runs `work` with everything on the bridge.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Waits for wakes until nothing of `partitions` is in flight.
    pub(super) fn settle(&mut self, partitions: &[i32]) {
        while !self.task.is_settled(&topic_partitions(partitions)) {
            self.runtime.block_on(self.woken.notified());
            self.task.poll(self.now).unwrap();
        }
    }

    pub(super) fn durable(&mut self) -> Vec<(i32, i64)> {
        let mut out: Vec<Position> = Vec::new();
        self.task.take_durable(&mut out);
        out.iter().map(|position| (position.partition.partition, position.next_offset)).collect()
    }

    /// Offsets and messages of what was rejected since the last call.
    pub(super) fn rejected(&mut self) -> Vec<(i64, String)> {
        let mut out = Vec::new();
        self.task.take_rejected(&mut out);
        out.iter().map(|rejected| (rejected.offset, rejected.error.to_string())).collect()
    }

    /// Names and contents of all objects, by name.
    pub(super) fn objects(&self) -> Vec<(String, String)> {
        self.runtime.block_on(async {
            let mut objects = Vec::new();
            let mut names: Vec<ObjectMeta> =
                self.store.objects.list(None).map(Result::unwrap).collect().await;
            names.sort_by(|one, other| one.location.cmp(&other.location));
            for meta in names {
                let bytes = self.store.objects.get(&meta.location).await.unwrap().bytes().await.unwrap();
                objects.push((meta.location.to_string(), String::from_utf8_lossy(&bytes).into_owned()));
            }
            objects
        })
    }

    pub(super) fn set_mood(&self, mood: Mood) {
        *self.store.mood.lock().unwrap() = mood;
    }
}

pub(super) fn topic_partitions(partitions: &[i32]) -> Vec<TopicPartition> {
    partitions.iter().map(|partition| TopicPartition::new("t", *partition)).collect()
}

/// Schemaless rows that hold their offset as text.
pub(super) fn texts(partition: i32, offsets: impl IntoIterator<Item = i64>) -> SinkBatch {
    let offsets: Vec<i64> = offsets.into_iter().collect();
    let values = offsets.iter().map(|offset| Value::String(offset.to_string().into())).collect();
    dynamic(partition, offsets, values)
}

pub(super) fn dynamic(partition: i32, offsets: Vec<i64>, values: Vec<Value>) -> SinkBatch {
    let rows = offsets.len();
    SinkBatch {
        partition: TopicPartition::new("t", partition),
        topic: "t".into(),
        timestamps_ms: offsets.iter().map(|offset| Some(offset * 1000)).collect(),
        offsets,
        keys: Values::Null { rows },
        values: Values::Dynamic(values),
        headers: HeaderRows::default(),
    }
}

/// Rows `{city, n}` from offset 0, `n` being the offset.
pub(super) fn cities(cities: &[&str]) -> SinkBatch {
    let field = |name: &str, kind| Field { name: name.into(), schema: Arc::new(Schema::new(kind)) };
    let schema = Schema::new(Kind::Struct(vec![field("city", Kind::String), field("n", Kind::Int64)]));
    let offsets: Vec<i64> = (0..cities.len() as i64).collect();
    let array = StructArray::new(
        schema.arrow_fields(),
        vec![Arc::new(StringArray::from(cities.to_vec())), Arc::new(Int64Array::from(offsets.clone()))],
        None,
    );
    SinkBatch {
        values: Values::Typed { schema: Arc::new(schema), array: Arc::new(array) },
        ..dynamic(0, offsets, Vec::new())
    }
}
