//! A task runtime for tests: remembers what it was asked to start and reports what a test tells it to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lakeward_api::runtime::{
    RuntimeFuture, TaskEvent, TaskId, TaskListener, TaskRuntime, TaskSpec, TaskTarget,
};
use tokio::time::Instant;

/// Reports RUNNING at each start, then the next scripted failure, if there is one.
#[derive(Default)]
pub(super) struct Recorder {
    failures: Mutex<VecDeque<&'static str>>,
    starts: Mutex<Vec<(Instant, TaskSpec)>>,
}

impl Recorder {
    /// The first starts fail with these traces.
    pub(super) fn failing(traces: &[&'static str]) -> Arc<Self> {
        let failures = Mutex::new(traces.iter().copied().collect());
        Arc::new(Self { failures, ..Self::default() })
    }

    /// The specs of all starts.
    pub(super) fn specs(&self) -> Vec<TaskSpec> {
        self.starts.lock().unwrap().iter().map(|(_, spec)| spec.clone()).collect()
    }

    /// The pauses between starts.
    pub(super) fn pauses(&self) -> Vec<Duration> {
        let starts = self.starts.lock().unwrap();
        starts.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
    }
}

impl TaskRuntime for Recorder {
    fn start(&self, spec: TaskSpec, listener: TaskListener) {
        let id = spec.id.clone();
        self.starts.lock().unwrap().push((Instant::now(), spec));
        listener(TaskEvent::Running { id: id.clone() });
        if let Some(trace) = self.failures.lock().unwrap().pop_front() {
            listener(TaskEvent::Failed { id, trace: trace.to_owned() });
        }
    }

    fn set_target(&self, _: &TaskId, _: TaskTarget) {}

    fn stop<'a>(&'a self, _: &'a TaskId) -> RuntimeFuture<'a> {
        Box::pin(std::future::ready(()))
    }

    fn stop_all(&self) -> RuntimeFuture<'_> {
        Box::pin(std::future::ready(()))
    }
}
