//! What the unit tests of tasks share: a bridge on threads of its own, stored offsets, and a loop that polls.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use lakeward_api::ConnectError;
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::config::ConfigMap;
use lakeward_api::rows::value_at;
use lakeward_api::sink::Now;
use lakeward_api::source::{
    Polled, SourceBatch, SourceConnector, SourceMap, SourceTask, SourceTaskContext, StoredOffsets,
};
use lakeward_api::value::Value;
use tokio::runtime::Runtime;

/// Until something happens in a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Offsets of earlier runs by partition.
#[derive(Clone, Default)]
pub(crate) struct Stored(pub(crate) Vec<(Value, SourceMap)>);

impl StoredOffsets for Stored {
    fn offset(&self, partition: &Value) -> Option<SourceMap> {
        self.0.iter().rev().find(|(known, _)| known == partition).map(|(_, offset)| Arc::clone(offset))
    }
}

struct Threads(Runtime);

impl Bridge for Threads {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

/// A task and the clock it sees.
pub(crate) struct Rig {
    pub(crate) task: Box<dyn SourceTask>,
    woken: Arc<(Mutex<bool>, Condvar)>,
    start: Instant,
    /// What the clock is ahead of the real one.
    pub(crate) ahead: Duration,
    /// Keeps the bridge alive.
    _bridge: Arc<dyn Bridge>,
}

/// A configuration.
pub(crate) fn props(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl Rig {
    /// Starts the first task that `connector` makes of `config`.
    pub(crate) fn start(connector: &dyn SourceConnector, config: &ConfigMap, stored: Stored) -> Self {
        Self::try_start(connector, config, stored).unwrap()
    }

    /// The same; a task that cannot be made is an error.
    pub(crate) fn try_start(
        connector: &dyn SourceConnector,
        config: &ConfigMap,
        stored: Stored,
    ) -> Result<Self, ConnectError> {
        let task = connector.task_configs(config, 1)?.remove(0);
        Self::try_start_task(connector, task, 0, stored)
    }

    /// Starts task number `task` with its configuration.
    #[cfg(feature = "source-s3")]
    pub(crate) fn start_task(
        connector: &dyn SourceConnector,
        config: &ConfigMap,
        task: u32,
        stored: Stored,
    ) -> Self {
        Self::try_start_task(connector, config.clone(), task, stored).unwrap()
    }

    fn try_start_task(
        connector: &dyn SourceConnector,
        config: ConfigMap,
        task: u32,
        stored: Stored,
    ) -> Result<Self, ConnectError> {
        let woken = Arc::new((Mutex::new(false), Condvar::new()));
        let bell = Arc::clone(&woken);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let bridge: Arc<dyn Bridge> = Arc::new(Threads(runtime.expect("a test may start threads")));
        let task = connector.new_task(SourceTaskContext {
            connector: "test".into(),
            task,
            config: Arc::new(config),
            offsets: Arc::new(stored),
            bridge: Arc::clone(&bridge),
            waker: Waker::new(move || {
                *bell.0.lock().expect("no test thread panics here") = true;
                bell.1.notify_all();
            }),
            defines_transactions: false,
        })?;
        Ok(Self { task, woken, start: Instant::now(), ahead: Duration::ZERO, _bridge: bridge })
    }

    /// The clock.
    pub(crate) fn now(&self) -> Now {
        let passed = self.start.elapsed() + self.ahead;
        let wall_ms = 1_700_000_000_000 + i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        Now { monotonic: self.start + passed, wall_ms }
    }

    /// One poll.
    pub(crate) fn poll(&mut self) -> Result<Polled, ConnectError> {
        let now = self.now();
        self.task.poll(now)
    }

    /// Polls until records come, or the task waits for a time: `None`.
    #[cfg(feature = "source-s3")]
    pub(crate) fn records_or_idle(&mut self) -> Result<Option<Vec<SourceBatch>>, ConnectError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.poll()? {
                Polled::Records(batches) => {
                    batches.iter().for_each(SourceBatch::assert_consistent);
                    return Ok(Some(batches));
                }
                Polled::Idle { until: Some(_) } => return Ok(None),
                Polled::Idle { until: None } => self.wait(deadline),
            }
        }
    }

    /// Polls until records come; the clock jumps to the time that the task waits for.
    pub(crate) fn records(&mut self) -> Result<Vec<SourceBatch>, ConnectError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.poll()? {
                Polled::Records(batches) => {
                    batches.iter().for_each(SourceBatch::assert_consistent);
                    return Ok(batches);
                }
                Polled::Idle { until: Some(until) } => {
                    self.ahead += until.saturating_duration_since(self.now().monotonic);
                }
                Polled::Idle { until: None } => self.wait(deadline),
            }
            assert!(Instant::now() < deadline, "no record came");
        }
    }

    /// Polls until the task waits for a time, and returns how long.
    pub(crate) fn idle(&mut self) -> Duration {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.poll().unwrap() {
                Polled::Records(batches) => panic!("{batches:?}"),
                Polled::Idle { until: Some(until) } => {
                    return until.saturating_duration_since(self.now().monotonic);
                }
                Polled::Idle { until: None } => self.wait(deadline),
            }
        }
    }

    fn wait(&self, deadline: Instant) {
        let mut woken = self.woken.0.lock().unwrap();
        while !*woken {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the task was not woken");
            woken = self.woken.1.wait_timeout(woken, left).unwrap().0;
        }
        *woken = false;
    }
}

/// The values of a batch.
pub(crate) fn values(batch: &SourceBatch) -> Vec<Value> {
    match &batch.values {
        lakeward_api::batch::Values::Typed { schema, array } => {
            (0..array.len()).map(|row| value_at(schema, array, row)).collect()
        }
        other => panic!("{other:?}"),
    }
}
