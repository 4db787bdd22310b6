//! What the unit tests of small sinks share: a bridge on threads of its own, batches, and a loop that polls.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, DefaultValue};
use lakeward_api::header::HeaderRows;
use lakeward_api::plugin::SinkConnector;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{Now, SinkTask, SinkTaskContext};
use lakeward_api::value::Value;
use tokio::runtime::Runtime;

/// Until something happens in a test.
const PATIENCE: Duration = Duration::from_secs(20);

struct Threads(Runtime);

impl Bridge for Threads {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

/// A task and what it runs on.
pub(crate) struct Rig {
    pub(crate) task: Box<dyn SinkTask>,
    pub(crate) in_flight: Budget,
    woken: Arc<(Mutex<bool>, Condvar)>,
    start: Instant,
    /// What the clock is ahead of the real one.
    pub(crate) ahead: Duration,
}

/// A configuration.
pub(crate) fn props(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Partition 0 of the test topic.
pub(crate) fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

/// Schemaless values from `offset` on.
pub(crate) fn batch(offset: i64, values: Vec<Value>) -> SinkBatch {
    let rows = values.len();
    SinkBatch {
        partition: partition(),
        topic: "t".into(),
        offsets: (offset..).take(rows).collect(),
        timestamps_ms: vec![None; rows],
        keys: Values::Null { rows },
        values: Values::Dynamic(values),
        headers: HeaderRows::default(),
    }
}

impl Rig {
    /// The first task that `connector` makes of `config`, on `bridge` threads of its own.
    pub(crate) fn start(connector: &dyn SinkConnector, config: &ConfigMap) -> Result<Self, ConnectError> {
        let woken = Arc::new((Mutex::new(false), Condvar::new()));
        let bell = Arc::clone(&woken);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        let in_flight = Budget::new(1024);
        let task = connector.task_configs(config, 1)?.remove(0);
        let task = connector.new_task(SinkTaskContext {
            connector: "test".into(),
            task: 0,
            config: Arc::new(task),
            bridge: Arc::new(Threads(runtime.expect("a test may start threads"))),
            in_flight: in_flight.clone(),
            room: lakeward_api::sink::Room::default(),
            waker: Waker::new(move || {
                *bell.0.lock().expect("no test thread panics here") = true;
                bell.1.notify_all();
            }),
            flush_interval: std::time::Duration::from_mins(1),
            can_reject: false,
            files: Arc::default(),
        })?;
        Ok(Self { task, in_flight, woken, start: Instant::now(), ahead: Duration::ZERO })
    }

    /// The clock.
    pub(crate) fn now(&self) -> Now {
        let passed = self.start.elapsed() + self.ahead;
        Now { monotonic: self.start + passed, wall_ms: 1_700_000_000_000 }
    }

    /// Gives a batch.
    pub(crate) fn put(&mut self, batch: SinkBatch) -> Result<(), ConnectError> {
        let now = self.now();
        self.task.put(batch, now)
    }

    /// One turn.
    pub(crate) fn poll(&mut self) -> Result<(), ConnectError> {
        let now = self.now();
        self.task.poll(now)
    }

    /// Turns until a position becomes durable.
    pub(crate) fn durable(&mut self) -> Result<Vec<Position>, ConnectError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.poll()?;
            let mut durable = Vec::new();
            self.task.take_durable(&mut durable);
            if !durable.is_empty() {
                return Ok(durable);
            }
            let mut woken = self.woken.0.lock().unwrap();
            while !*woken {
                let left = deadline.saturating_duration_since(Instant::now());
                assert!(!left.is_zero(), "nothing became durable");
                woken = self.woken.1.wait_timeout(woken, left).unwrap().0;
            }
            *woken = false;
        }
    }
}

/// `name|group|type|default|importance` of each key that a Java connector has, in order.
pub(crate) fn key_rows(def: &ConfigDef) -> Vec<String> {
    let row = |key: &ConfigKey| {
        let default = match &key.default {
            DefaultValue::Required => "required",
            _ if key.kind.as_str() == "PASSWORD" => "[hidden]",
            DefaultValue::Null => "null",
            DefaultValue::Text(text) if text.is_empty() => "(empty)",
            DefaultValue::Text(text) => text,
        };
        let group = key.group.as_deref().unwrap_or_default();
        format!("{}|{group}|{}|{default}|{}", key.name, key.kind.as_str(), key.importance.as_str())
    };
    def.keys().iter().filter(|key| !key.name.starts_with("lakeward.")).map(row).collect()
}
