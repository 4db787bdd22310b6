//! The loop of one task: take, convert, put, learn what is durable, commit. It never blocks its shard.
//!
//! Source: `WorkerSinkTask`, Kafka 4.1, with one difference: positions are committed as soon as they are
//! durable (at most once a second) instead of once per `offset.flush.interval.ms`, so that a restart repeats
//! less.

mod backlog;
mod commits;
mod deliver;
mod leave;
mod opening;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::{Either, select};
use lakeward_api::ConnectError;
use lakeward_api::cuts::{Decision, Fingerprint};
use lakeward_api::pulse::Waiting;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::runtime::{TaskEvent, TaskId, TaskListener};
use lakeward_api::sink::{Now, Rejected, SinkTask};
use lakeward_dataplane_core::backoff::Backoff;
use lakeward_dataplane_core::ledger::PositionLedger;
use lakeward_dataplane_core::retry::{RetryPolicy, RetryTracker};
use lakeward_dataplane_core::tolerance::{Tolerance, unrecoverable};
use lakeward_kafka::consumer::{ConsumerEvent, FetchedBatch, SinkConsumer};

use super::handover::{Handover, Lot};
use super::held::Held;
use super::meter::SinkMeter;
use super::rebalance::Revocation;
use super::reporter::Reporter;
use super::settings::Converters;
use super::{Beat, TaskControl, TaskStart, TopicsUsed};
use crate::bridge::TokioBridge;
use crate::executor;
use backlog::{Blocked, Work};
use opening::Openings;

/// Messages per turn: enough for columns to pay off, few enough to bound a turn.
const TURN_MESSAGES_MAX: usize = 4096;
/// Records per put, so that a poll of the executor takes some 10 ms at most. With half as many, a record
/// costs 5 % more where it goes to one of a hundred files.
const PUT_RECORDS_MAX: usize = 4096;
/// Bytes of them, unless one record is larger: while a sink takes a put, its rows are there three times, as
/// they were converted, as columns of the sink and by file.
const PUT_BYTES_MAX: u64 = 2 << 20;
/// Timers of sinks need a turn at least this often.
pub(super) const TURN_INTERVAL: Duration = Duration::from_secs(1);
/// A sink that takes nothing for this long gets its partitions paused, so that the group sees a live member.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
const COMMIT_INTERVAL_MAX: Duration = Duration::from_secs(1);
/// Java's consumers give up on a cluster they never reached after `default.api.timeout.ms`.
const FIRST_CONTACT_TIMEOUT: Duration = Duration::from_secs(60);

/// How a pipeline ended without an error.
pub(super) enum Ended {
    /// The drain took too long.
    Abandoned,
    /// Everything durable is committed and the group was left.
    Drained,
}

/// The state of a running task.
pub(super) struct Pipeline {
    id: TaskId,
    task: Box<dyn SinkTask>,
    /// Of a sink that repeats decided cuts.
    fingerprint: Option<Fingerprint>,
    openings: Openings,
    decisions: Vec<Decision>,
    consumer: SinkConsumer,
    bridge: Arc<TokioBridge>,
    converters: Converters,
    control: Arc<TaskControl>,
    beat: Beat,
    wakes: flume::Receiver<()>,
    listener: TaskListener,
    ledger: PositionLedger,
    meter: SinkMeter,
    revocations: Vec<Revocation>,
    revoke_wait: Duration,
    lot: Arc<Lot>,
    /// Of a sink that hands over what it has open.
    handover: Option<Handover>,
    tolerance: Tolerance,
    retries: RetryTracker,
    reporter: Reporter,
    rejected: Vec<Rejected>,
    backlog: VecDeque<Work>,
    blocked: Option<Blocked>,
    /// When a sink that refused a batch gets it again.
    put_due: Option<Instant>,
    held: Held,
    topics_used: TopicsUsed,
    current: Option<TopicPartition>,
    /// Whether the sink was given records: from then on its failures are those of a put.
    has_put: bool,
    durable: Vec<Position>,
    /// What the status says; `None` before the first report.
    is_paused: Option<bool>,
    is_fetch_paused: bool,
    saturated_since: Option<Instant>,
    started: Instant,
    was_assigned: bool,
}

impl Pipeline {
    pub(super) fn new(
        start: &TaskStart,
        task: Box<dyn SinkTask>,
        consumer: SinkConsumer,
        converters: Converters,
        reporter: Reporter,
        held: Held,
    ) -> Self {
        let environment = &start.environment;
        if let Some(sink) = &start.spec.metrics.sink {
            // The same configuration says the same again.
            task.delivery().map(|delivery| sink.delivery.set(delivery));
            task.store_conditions().map(|conditions| sink.conditions.set(conditions));
        }
        let fingerprint = task.fingerprint();
        let recorded = fingerprint.as_ref().map(Fingerprint::text).unwrap_or_default();
        let commit_interval = environment.offset_flush_interval.min(COMMIT_INTERVAL_MAX);
        let (lot, id) = (&environment.lot, &start.spec.id);
        let handover = task
            .hands_over()
            .map(|wait| Handover::new(lot, &id.connector, &start.spec.connector_config, wait));
        Self {
            id: id.clone(),
            task,
            fingerprint,
            openings: Openings::default(),
            decisions: Vec::new(),
            consumer,
            bridge: Arc::clone(&environment.bridge),
            converters,
            control: Arc::clone(&start.control),
            beat: Beat::new(Arc::clone(&start.spec.pulse)),
            wakes: start.wakes.clone(),
            listener: Arc::clone(&start.listener),
            ledger: PositionLedger::new(commit_interval).with_fingerprint(recorded),
            meter: SinkMeter::new(&start.spec.metrics),
            revocations: Vec::new(),
            revoke_wait: environment.graceful_timeout,
            lot: Arc::clone(lot),
            handover,
            tolerance: Tolerance::from_config(&start.spec.connector_config),
            retries: RetryTracker::new(RetryPolicy::from_config(&start.spec.connector_config)),
            reporter,
            rejected: Vec::new(),
            backlog: VecDeque::new(),
            blocked: None,
            put_due: None,
            held,
            topics_used: TopicsUsed::new(&start.spec.topic_resets),
            current: None,
            has_put: false,
            durable: Vec::new(),
            is_paused: None,
            is_fetch_paused: false,
            saturated_since: None,
            started: Instant::now(),
            was_assigned: false,
        }
    }

    /// What must be closed when the pipeline is over.
    pub(super) fn into_parts(self) -> (Box<dyn SinkTask>, SinkConsumer, Reporter) {
        (self.task, self.consumer, self.reporter)
    }

    /// Runs until the task is stopped or fails. Progress resets `backoff`.
    pub(super) async fn run(&mut self, backoff: &mut Backoff) -> Result<Ended, ConnectError> {
        loop {
            self.beat.begin();
            let now = read_clocks();
            if self.control.is_abandoned() {
                return Ok(Ended::Abandoned);
            }
            if self.control.is_stopping() {
                self.consumer.begin_close()?;
            }
            self.follow_target(now.monotonic)?;
            self.lot.relieve();
            let had_started = self.task.has_started();
            let batch = self.take();
            let events = self.consumer.events(&batch);
            let has_taken = !batch.is_empty();
            let is_idle = !has_taken && self.blocked.is_none();
            // In the backlog before the events: what leaves now leaves this batch, too.
            if has_taken {
                self.backlog.push_back(Work::new(batch));
            }
            for event in events {
                self.react(event, now.monotonic)?;
            }
            if self.control.is_stopping() {
                // What the sink does not have yet is read again.
                self.backlog.clear();
                self.give_openings_back()?;
            }
            self.advance_openings(now.monotonic)?;
            self.blocked = self.deliver().await?;
            if self.backlog.is_empty() {
                self.held.delivered();
            }
            let now = read_clocks();
            self.poll(now)?;
            self.held.give_freed_back(now.monotonic);
            self.take_decisions()?;
            self.reporter.turn(&mut self.ledger, now.monotonic);
            let has_stored = self.collect_durable(now.monotonic);
            if has_stored {
                backoff.reset();
            }
            self.commit_due(now.monotonic)?;
            self.advance_revocations(now.monotonic)?;
            if self.control.is_stopping() && self.consumer.is_closed() {
                return Ok(Ended::Drained);
            }
            self.show_turn(has_taken || has_stored);
            let starts_now = !had_started && self.task.has_started();
            if (is_idle || self.blocked.is_some()) && !starts_now {
                wake_or_timeout(&self.wakes, self.idle_wait(now.monotonic)).await;
            } else {
                executor::yield_now().await;
            }
        }
    }

    /// What this turn did and what the next one needs, for whoever watches the task.
    fn show_turn(&mut self, has_moved: bool) {
        let in_flight = self.held.in_flight.used_bytes();
        let waiting = match self.blocked {
            Some(blocked) => blocked.waiting(),
            None if in_flight > 0 || !self.task.has_started() => Waiting::Store,
            None => Waiting::Nothing,
        };
        let next = self.backlog.front().map_or(0, |work| work.next as u64 + 1);
        self.beat.end(waiting, has_moved, [in_flight, next]);
    }

    /// Pauses or resumes as the control plane asks, and under back-pressure.
    fn follow_target(&mut self, now: Instant) -> Result<(), ConnectError> {
        let is_paused = self.control.is_paused();
        // A start that fails was never a run.
        let is_known = is_paused || self.task.has_started();
        if is_known && self.is_paused != Some(is_paused) {
            self.is_paused = Some(is_paused);
            let id = self.id.clone();
            (self.listener)(if is_paused { TaskEvent::Paused { id } } else { TaskEvent::Running { id } });
        }
        let is_full = self.held.is_full(&*self.task);
        if is_full || self.blocked.is_some() || self.task.no_room().is_some() {
            self.saturated_since.get_or_insert(now);
        } else {
            self.saturated_since = None;
        }
        let is_refused = matches!(self.blocked, Some(Blocked::Sink(_)));
        let is_stuck =
            is_refused || self.saturated_since.is_some_and(|since| now.duration_since(since) >= PAUSE_AFTER);
        let pause = is_paused || is_stuck;
        if pause != self.is_fetch_paused {
            if is_stuck && !is_paused {
                let cause = self.blocked.map_or(self.held.cause(), Blocked::as_str);
                tracing::info!(task = %self.id, "{cause}; partitions are paused");
            }
            let partitions = self.ledger.assigned();
            if !partitions.is_empty() && pause {
                self.consumer.pause(&partitions)?;
            } else if !partitions.is_empty() {
                self.consumer.resume(&partitions)?;
            }
            self.is_fetch_paused = pause;
        }
        Ok(())
    }

    /// Takes messages unless the sink is saturated or not there yet; a paused consumer is still served.
    fn take(&mut self) -> FetchedBatch {
        let has_room = self.saturated_since.is_none() || self.is_fetch_paused;
        let may_take = (has_room && self.task.has_started()) || self.control.is_stopping();
        if !may_take {
            self.held.left();
            return self.consumer.take(0);
        }
        let batch = self.consumer.take(TURN_MESSAGES_MAX);
        self.held.taken(&batch, TURN_MESSAGES_MAX);
        batch
    }

    fn react(&mut self, event: ConsumerEvent, now: Instant) -> Result<(), ConnectError> {
        match event {
            ConsumerEvent::Assigned(partitions) => self.assigned(partitions),
            ConsumerEvent::Committed { accepted, failure } => self.commit_answered(&accepted, failure, now),
            ConsumerEvent::Disconnected { reason } => self.disconnected(&reason, now),
            ConsumerEvent::Lost(partitions) => {
                let count = partitions.len();
                tracing::warn!(task = %self.id, count, "partitions lost; their work is dropped");
                self.openings.forget(&partitions);
                self.task.close(&partitions);
                self.ledger.close(&partitions);
                self.meter.assigned(&self.ledger, now);
                self.reporter.forget(&partitions);
                self.let_go(&partitions);
                self.revocations
                    .retain(|revocation| !partitions.iter().any(|lost| revocation.includes(lost)));
                Ok(self.consumer.confirm_revoked(&partitions)?)
            }
            ConsumerEvent::Revoked(partitions) => {
                self.openings.forget(&partitions);
                self.let_go(&partitions);
                self.ledger.withdraw(&partitions);
                let (task, deadline) = (&mut *self.task, now + self.revoke_wait);
                self.revocations.push(match self.handover.as_ref().filter(|handover| handover.is_open()) {
                    Some(handover) => {
                        Revocation::begin_handover(partitions, task, &mut self.ledger, handover, deadline)
                    }
                    None => Revocation::begin(partitions, task, deadline),
                });
                Ok(())
            }
            // The task starts again, and with it where its partitions begin is looked up again.
            ConsumerEvent::OutOfRange { reason } => Err(ConnectError::retriable(reason)),
            ConsumerEvent::Stopped { reason } => Err(ConnectError::fatal(format!(
                "The consumer cannot go on: {reason}. Check consumer.override.* and the worker's \
                 consumer.* settings"
            ))),
        }
    }

    /// Nothing taken before now is given to the sink for these partitions.
    fn let_go(&mut self, partitions: &[TopicPartition]) {
        for work in &mut self.backlog {
            work.gone.extend_from_slice(partitions);
        }
    }

    fn disconnected(&self, reason: &str, now: Instant) -> Result<(), ConnectError> {
        tracing::warn!(task = %self.id, %reason, "no broker can be reached");
        if self.was_assigned || now.duration_since(self.started) < FIRST_CONTACT_TIMEOUT {
            return Ok(());
        }
        Err(ConnectError::fatal(format!(
            "No broker could be reached within {} s ({reason}). Check bootstrap.servers of the worker, \
             consumer.override.bootstrap.servers of the connector, and security.protocol",
            FIRST_CONTACT_TIMEOUT.as_secs()
        )))
    }

    /// A failure before the first put is one of the sink's start and is shown as it is, as Java does; a later
    /// one is the late outcome of a put.
    fn poll(&mut self, now: Now) -> Result<(), ConnectError> {
        let outcome = self.task.poll(now);
        if self.has_put { outcome.map_err(unrecoverable) } else { outcome }
    }

    fn advance_revocations(&mut self, now: Instant) -> Result<(), ConnectError> {
        let mut index = 0;
        while index < self.revocations.len() {
            let revocation = &mut self.revocations[index];
            let (task, handover) = (Some(&*self.task), self.handover.as_ref());
            if revocation.advance(task, &mut self.ledger, &self.consumer, handover, now)? {
                self.revocations.swap_remove(index);
                self.meter.assigned(&self.ledger, now);
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// How long an idle pipeline may sleep.
    fn idle_wait(&self, now: Instant) -> Duration {
        let due = self.ledger.commit_due().map(|due| due.saturating_duration_since(now));
        let wait = due.unwrap_or(TURN_INTERVAL);
        let wait = self.blocked.map_or(wait, |blocked| blocked.wait(wait, now));
        let wait = if self.saturated_since.is_some() { wait.min(self.held.wait()) } else { wait };
        wait.clamp(Duration::from_millis(1), TURN_INTERVAL)
    }
}

/// Waits for a wake, at most `timeout`.
pub(crate) async fn wake_or_timeout(wakes: &flume::Receiver<()>, timeout: Duration) {
    let wake = wakes.recv_async();
    let sleep = std::pin::pin!(executor::sleep(timeout));
    match select(wake, sleep).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}

pub(crate) fn read_clocks() -> Now {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
    Now { monotonic: Instant::now(), wall_ms }
}
