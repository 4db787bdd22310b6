//! One task on its shard: what it is made of, how it is paused and stopped, what happens when it fails.

mod beat;
mod convert;
mod dead_letters;
pub(crate) mod handover;
mod held;
mod meter;
mod pipeline;
mod rebalance;
mod reporter;
mod settings;
mod topics_used;

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::plugin::Network;
use lakeward_api::pulse::Waiting;
use lakeward_api::runtime::{TaskEvent, TaskId, TaskListener, TaskSpec, TaskTarget};
use lakeward_api::sink::{Room, SinkTask, SinkTaskContext};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_dataplane_core::backoff::Backoff;
use lakeward_dataplane_core::error_counters::ErrorCounters;
use lakeward_kafka::consumer::SinkConsumer;
use tracing::{Instrument, Span};

use crate::executor;
use crate::runtime::Environment;
use crate::spill::{Disk, DiskSettings};
pub(crate) use beat::Beat;
use held::Held;
use pipeline::{Ended, Pipeline};
pub(crate) use pipeline::{read_clocks, wake_or_timeout};
pub(crate) use reporter::LogLines;
use reporter::Reporter;
pub(crate) use settings::{Converters, converters};
pub(crate) use topics_used::TopicsUsed;

const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Between looks of a task that is paused from the beginning; there may be thousands of them.
const WANTED_INTERVAL: Duration = Duration::from_secs(30);
/// What a failed task still has to report is on its way for this long.
const DEAD_LETTERS_WAIT: Duration = Duration::from_secs(30);

/// How other threads steer a task.
pub(crate) struct TaskControl {
    paused: AtomicBool,
    stopping: AtomicBool,
    abandoned: AtomicBool,
    wake: flume::Sender<()>,
    /// What went wrong so far.
    pub(crate) errors: Arc<ErrorCounters>,
}

impl TaskControl {
    /// A control for a task that starts towards `target`, and the pipeline's end of its wake-ups.
    pub(crate) fn new(target: TaskTarget, errors: Arc<ErrorCounters>) -> (Arc<Self>, flume::Receiver<()>) {
        // One pending wake says everything: the pipeline looks at all its inputs when it wakes.
        let (wake, wakes) = flume::bounded(1);
        let control = Self {
            paused: AtomicBool::new(target == TaskTarget::Paused),
            stopping: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            wake,
            errors,
        };
        (Arc::new(control), wakes)
    }

    /// Makes the pipeline take another turn.
    pub(crate) fn wake(&self) {
        // A full channel means that a wake is pending already; a closed one that the task is gone.
        match self.wake.try_send(()) {
            Ok(()) | Err(_) => {}
        }
    }

    /// Pauses or resumes.
    pub(crate) fn set_target(&self, target: TaskTarget) {
        self.paused.store(target == TaskTarget::Paused, Ordering::Release);
        self.wake();
    }

    /// Starts draining.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    /// The drain took too long: drop everything that is not durable.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        self.stop();
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }
}

/// A task as it crosses to its shard.
pub(crate) struct TaskStart {
    pub(crate) spec: TaskSpec,
    pub(crate) listener: TaskListener,
    pub(crate) control: Arc<TaskControl>,
    pub(crate) wakes: flume::Receiver<()>,
    pub(crate) environment: Arc<Environment>,
}

/// Runs a task to its end: restarts it from the committed positions after failures that may heal, reports the
/// others.
pub(crate) async fn run(start: TaskStart) {
    let mut reporter = None;
    run_to_end(&start, &mut reporter).await;
    let Some(producer) = reporter.and_then(Reporter::into_producer) else { return };
    // What a drained task did not see acknowledged was not committed either.
    let wait = if start.control.is_stopping() { Duration::ZERO } else { DEAD_LETTERS_WAIT };
    // Destroying the client joins its threads: not on a shard.
    start.environment.bridge.spawn_blocking(move || producer.close(wait));
}

/// `reporter` holds what tells about failed records; it serves all runs.
async fn run_to_end(start: &TaskStart, reporter: &mut Option<Reporter>) {
    let again = "task restarts from its committed positions";
    supervise(start, again, async |backoff| run_once(start, reporter, backoff).await).await;
}

/// Repeats `attempt` with back-off while its failures may heal, saying `again` in the log; reports the
/// others. Sink and source tasks end in the same ways.
pub(crate) async fn supervise(
    start: &TaskStart,
    again: &str,
    mut attempt: impl AsyncFnMut(&mut Backoff) -> Result<(), ConnectError>,
) {
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MAX);
    let id = start.spec.id.clone();
    let (pulse, secrets) = (Arc::clone(&start.spec.pulse), start.spec.secrets.clone());
    loop {
        Beat::new(Arc::clone(&pulse)).begin();
        let outcome = AssertUnwindSafe(attempt(&mut backoff)).catch_unwind().await;
        let error = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            // The panic's own text went to the log through the panic hook.
            Err(_) => ConnectError::fatal("Task panicked: this is a bug in Lakeward; its log has the place"),
        };
        if start.control.is_stopping() {
            let error = error.to_string();
            let error = secrets.hide(&error);
            tracing::info!(task = %id, %error, "task ended with an error while it was stopping");
            return;
        }
        let trace = error.trace();
        let shown = secrets.hide(trace.trim_end());
        if matches!(error.class(), ErrorClass::Retriable | ErrorClass::Ambiguous) {
            let wait = backoff.next_wait(jitter(&id.connector, id.task));
            tracing::warn!(task = %id, error = %shown, wait_ms = wait.as_millis(), "{again}");
            pulse.wait_for(Waiting::Retry);
            wait_or_stop(start, wait).await;
            continue;
        }
        tracing::error!(task = %id, error = %shown, "task failed");
        (start.listener)(TaskEvent::Failed { id, trace });
        return;
    }
}

/// Spreads retries of different tasks; deterministic per task.
fn jitter(connector: &str, task: u32) -> u8 {
    connector.bytes().fold(task.to_le_bytes()[0], |hash, byte| hash.wrapping_mul(31).wrapping_add(byte))
}

async fn wait_or_stop(start: &TaskStart, wait: Duration) {
    let deadline = std::time::Instant::now() + wait;
    while !start.control.is_stopping() {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return;
        }
        pipeline::wake_or_timeout(&start.wakes, left).await;
    }
}

/// A task that is paused from the beginning is not made yet. False when it is to stop.
pub(crate) async fn wait_until_wanted(start: &TaskStart) -> bool {
    if start.control.is_paused() && !start.control.is_stopping() {
        (start.listener)(TaskEvent::Paused { id: start.spec.id.clone() });
        start.spec.pulse.wait_for(Waiting::Nothing);
    }
    while start.control.is_paused() && !start.control.is_stopping() {
        // Whoever steers the task wakes it; the time bounds what a lost wake would cost.
        wake_or_timeout(&start.wakes, WANTED_INTERVAL).await;
    }
    !start.control.is_stopping()
}

async fn run_once(
    start: &TaskStart,
    told: &mut Option<Reporter>,
    backoff: &mut Backoff,
) -> Result<(), ConnectError> {
    if !wait_until_wanted(start).await {
        return Ok(());
    }
    // Apart, as thousands of paused tasks need no room for what only a running one holds.
    Box::pin(run_wanted(start, told, backoff)).await
}

async fn run_wanted(
    start: &TaskStart,
    told: &mut Option<Reporter>,
    backoff: &mut Backoff,
) -> Result<(), ConnectError> {
    let (environment, spec) = (&start.environment, &start.spec);
    let memory = &environment.memory;
    let in_flight = Budget::within(memory.clone(), environment.in_flight_bytes_max);
    let control = Arc::clone(&start.control);
    let network = Network {
        bridge: Arc::clone(&environment.bridge) as Arc<dyn Bridge>,
        waker: Waker::new(move || control.wake()),
    };
    let mut converters = settings::converters(environment, spec, &network)?;
    let mut reporter = match told.take() {
        Some(reporter) => reporter,
        None => Reporter::open(start).await?,
    };
    reporter.start_over();
    let can_reject = reporter.is_active();
    // Kept there until the task runs: its client must not be destroyed on a shard.
    *told = Some(reporter);
    let disk = Disk::new(DiskSettings {
        directory: environment.spill_directory.clone(),
        bridge: Arc::clone(&environment.bridge),
        memory: memory.clone(),
        waker: network.waker.clone(),
    });
    let context = SinkTaskContext {
        connector: Arc::clone(&spec.id.connector),
        task: spec.id.task,
        config: Arc::clone(&spec.task_config),
        bridge: Arc::clone(&network.bridge),
        in_flight: in_flight.clone(),
        room: Room { memory: memory.clone(), disk: Some(Rc::new(disk)) },
        waker: network.waker.clone(),
        flush_interval: environment.offset_flush_interval,
        can_reject,
        files: spec.metrics.sink.as_ref().map_or_else(Arc::default, |sink| Arc::clone(&sink.files)),
    };
    let sink = settings::sink(environment, spec)?;
    if sink.uses_headers(&spec.task_config) {
        converters.for_sink = settings::ForSink::Headers;
    }
    let task = sink.new_task(context)?;
    let client = settings::consumer(environment, spec)?;
    for name in client.ignored() {
        tracing::warn!(task = %spec.id, setting = %name, "consumer setting has no effect here");
    }
    let control = Arc::clone(&start.control);
    let topics = settings::topics(&spec.connector_config);
    let consumer = SinkConsumer::join(&client, &topics, move || control.wake())?;
    let reporter = told.take().expect("the reporter was just put there");
    let held = Held::new(memory, in_flight, client.fetch_bytes_max());
    let mut pipeline = Pipeline::new(start, task, consumer, converters, reporter, held);
    let ended = pipeline.run(backoff).await;
    if ended.is_err() {
        pipeline.leave().await;
    }
    let (task, consumer, reporter) = pipeline.into_parts();
    *told = Some(reporter);
    close(environment, task, consumer);
    match ended? {
        Ended::Abandoned => {
            tracing::warn!(task = %spec.id, "task did not stop in time; what is not durable is read again");
        }
        Ended::Drained => tracing::info!(task = %spec.id, "task drained"),
    }
    Ok(())
}

fn close(environment: &Environment, mut task: Box<dyn SinkTask>, consumer: SinkConsumer) {
    task.stop();
    // Destroying the client joins its threads: not on a shard.
    environment.bridge.spawn_blocking(move || drop(consumer));
}

/// The task that log lines are about; at the highest level, so that no filter of lines takes it away.
pub(crate) fn span(id: &TaskId) -> Span {
    tracing::error_span!("task", connector = %id.connector, task = id.task)
}

/// Starts [`run`] on this shard and tells `done` when it is over.
pub(crate) fn spawn(start: TaskStart, done: impl FnOnce() + 'static) {
    let span = span(&start.spec.id);
    let task = async move {
        run(start).await;
        done();
    };
    executor::spawn_local(task.instrument(span));
}
