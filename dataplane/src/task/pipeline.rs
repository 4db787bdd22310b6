//! The loop of one task: take, convert, put, learn what is durable, commit. It never blocks its shard.
//!
//! Source: `WorkerSinkTask`, Kafka 4.1, with one difference: positions are committed as soon as they are
//! durable (at most once a second) instead of once per `offset.flush.interval.ms`, so that a restart repeats
//! less.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::{Either, select};
use lakeward_api::ConnectError;
use lakeward_api::budget::Budget;
use lakeward_api::record::{Position, RawRecord, TopicPartition};
use lakeward_api::runtime::{TaskEvent, TaskId, TaskListener};
use lakeward_api::sink::{Now, SinkTask};
use lakeward_dataplane_core::backoff::Backoff;
use lakeward_dataplane_core::ledger::PositionLedger;
use lakeward_dataplane_core::tolerance::{Tolerance, Verdict};
use lakeward_kafka::consumer::{ConsumerEvent, FetchedBatch, SinkConsumer};

use super::convert::{self, BadRecord, RawRun};
use super::rebalance::Revocation;
use super::settings::Converters;
use super::{TaskControl, TaskStart};
use crate::executor;

/// Messages per turn: enough for columns to pay off, few enough to bound a turn.
const TURN_MESSAGES_MAX: usize = 4096;
/// Records per put, so that no poll of the executor takes longer than a few milliseconds.
const PUT_RECORDS_MAX: usize = 2048;
/// Timers of sinks need a turn at least this often.
const TURN_INTERVAL: Duration = Duration::from_secs(1);
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
    consumer: SinkConsumer,
    converters: Converters,
    control: Arc<TaskControl>,
    wakes: flume::Receiver<()>,
    listener: TaskListener,
    ledger: PositionLedger,
    revocations: Vec<Revocation>,
    revoke_wait: Duration,
    tolerance: Tolerance,
    in_flight: Budget,
    topics_used: HashSet<Arc<str>>,
    current: Option<TopicPartition>,
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
        in_flight: Budget,
    ) -> Self {
        let environment = &start.environment;
        Self {
            id: start.spec.id.clone(),
            task,
            consumer,
            converters,
            control: Arc::clone(&start.control),
            wakes: start.wakes.clone(),
            listener: Arc::clone(&start.listener),
            ledger: PositionLedger::new(environment.offset_flush_interval.min(COMMIT_INTERVAL_MAX)),
            revocations: Vec::new(),
            revoke_wait: environment.graceful_timeout,
            tolerance: Tolerance::from_config(&start.spec.connector_config),
            in_flight,
            topics_used: HashSet::new(),
            current: None,
            durable: Vec::new(),
            is_paused: None,
            is_fetch_paused: false,
            saturated_since: None,
            started: Instant::now(),
            was_assigned: false,
        }
    }

    /// What must be closed when the pipeline is over.
    pub(super) fn into_parts(self) -> (Box<dyn SinkTask>, SinkConsumer) {
        (self.task, self.consumer)
    }

    /// Runs until the task is stopped or fails. Progress resets `backoff`.
    pub(super) async fn run(&mut self, backoff: &mut Backoff) -> Result<Ended, ConnectError> {
        loop {
            let now = read_clocks();
            if self.control.is_abandoned() {
                return Ok(Ended::Abandoned);
            }
            if self.control.is_stopping() {
                self.consumer.begin_close()?;
            }
            self.follow_target(now.monotonic)?;
            let batch = self.take();
            let is_idle = batch.is_empty();
            for event in self.consumer.events(&batch) {
                self.react(event, now.monotonic)?;
            }
            self.deliver(&batch).await?;
            drop(batch);
            let now = read_clocks();
            self.task.poll(now)?;
            if self.collect_durable(now.monotonic) {
                backoff.reset();
            }
            self.commit_due(now.monotonic)?;
            self.advance_revocations(now.monotonic)?;
            if self.control.is_stopping() && self.consumer.is_closed() {
                return Ok(Ended::Drained);
            }
            if is_idle {
                wake_or_timeout(&self.wakes, self.idle_wait(now.monotonic)).await;
            } else {
                executor::yield_now().await;
            }
        }
    }

    /// Pauses or resumes as the control plane asks, and under back-pressure.
    fn follow_target(&mut self, now: Instant) -> Result<(), ConnectError> {
        let is_paused = self.control.is_paused();
        if self.is_paused != Some(is_paused) {
            self.is_paused = Some(is_paused);
            let id = self.id.clone();
            (self.listener)(if is_paused { TaskEvent::Paused { id } } else { TaskEvent::Running { id } });
        }
        if self.in_flight.is_exhausted() {
            self.saturated_since.get_or_insert(now);
        } else {
            self.saturated_since = None;
        }
        let is_stuck = self.saturated_since.is_some_and(|since| now.duration_since(since) >= PAUSE_AFTER);
        let pause = is_paused || is_stuck;
        if pause != self.is_fetch_paused {
            if is_stuck && !is_paused {
                tracing::info!(task = %self.id, "the store does not keep up; partitions are paused");
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

    /// Takes messages unless the sink is saturated; a paused consumer is still served.
    fn take(&mut self) -> FetchedBatch {
        let may_take = self.saturated_since.is_none() || self.is_fetch_paused || self.control.is_stopping();
        self.consumer.take(if may_take { TURN_MESSAGES_MAX } else { 0 })
    }

    fn react(&mut self, event: ConsumerEvent, now: Instant) -> Result<(), ConnectError> {
        match event {
            ConsumerEvent::Assigned(partitions) => self.assigned(&partitions),
            ConsumerEvent::Committed { positions, failure } => {
                for position in &positions {
                    self.ledger.committed(position);
                }
                if let Some(reason) = failure {
                    tracing::warn!(task = %self.id, %reason, "commit of offsets failed; it is repeated");
                    self.ledger.commit_failed(now);
                }
                Ok(())
            }
            ConsumerEvent::Disconnected { reason } => self.disconnected(&reason, now),
            ConsumerEvent::Lost(partitions) => {
                let count = partitions.len();
                tracing::warn!(task = %self.id, count, "partitions lost; their work is dropped");
                self.task.close(&partitions);
                self.ledger.close(&partitions);
                self.revocations
                    .retain(|revocation| !partitions.iter().any(|lost| revocation.includes(lost)));
                Ok(self.consumer.confirm_revoked(&partitions)?)
            }
            ConsumerEvent::Revoked(partitions) => {
                let revocation = Revocation::begin(partitions, &mut *self.task, now, self.revoke_wait);
                self.revocations.push(revocation);
                Ok(())
            }
            ConsumerEvent::Stopped { reason } => Err(ConnectError::fatal(format!(
                "The consumer cannot go on: {reason}. Check consumer.override.* and the worker's \
                 consumer.* settings"
            ))),
        }
    }

    fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.was_assigned = true;
        if !partitions.is_empty() {
            self.ledger.open(partitions);
            self.task.open(partitions)?;
        }
        self.consumer.confirm_assigned(partitions)?;
        if self.is_fetch_paused && !partitions.is_empty() {
            self.consumer.pause(partitions)?;
        }
        Ok(())
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

    /// Converts and puts what was taken, a run of one topic-partition at a time.
    async fn deliver(&mut self, batch: &FetchedBatch) -> Result<(), ConnectError> {
        for run in batch.runs() {
            let Some(partition) = self.open_partition(run.topic, run.partition) else { continue };
            let records: Vec<RawRecord<'_>> = run.records().collect();
            // Looking for headers costs an allocation per message in the Kafka library.
            let headers = if self.converters.look_for_headers() { run.headers() } else { Vec::new() };
            for (index, records) in records.chunks(PUT_RECORDS_MAX).enumerate() {
                let headers = headers.chunks(PUT_RECORDS_MAX).nth(index).unwrap_or_default();
                let run = RawRun { records, headers };
                self.wait_for_converters(&partition, &run).await?;
                let converted = convert::convert(&mut self.converters, &partition, &run)?;
                for bad in converted.bad {
                    self.tolerate(&partition, bad)?;
                }
                for batch in converted.batches {
                    self.task.put(batch, read_clocks())?;
                }
                executor::yield_now().await;
            }
        }
        Ok(())
    }

    /// Waits until the converters can decode without a network. An error ends the task's run: what was taken
    /// but not put is read again, so no record is left out.
    async fn wait_for_converters(
        &mut self,
        partition: &TopicPartition,
        run: &RawRun<'_>,
    ) -> Result<(), ConnectError> {
        while convert::poll_ready(&mut self.converters, partition, run)?.is_pending() {
            if self.control.is_stopping() {
                return Err(ConnectError::retriable("stopped while waiting for the schema registry"));
            }
            wake_or_timeout(&self.wakes, TURN_INTERVAL).await;
        }
        Ok(())
    }

    /// The partition if it is assigned and stays. Names are shared between turns.
    fn open_partition(&mut self, topic: &str, partition: i32) -> Option<TopicPartition> {
        let current = match self.current.take() {
            Some(current) if current.partition == partition && &*current.topic == topic => current,
            _ => TopicPartition::new(self.shared_name(topic), partition),
        };
        self.current = Some(current.clone());
        let is_leaving = self.revocations.iter().any(|revocation| revocation.includes(&current));
        (!is_leaving && self.ledger.is_assigned(&current)).then_some(current)
    }

    fn shared_name(&mut self, topic: &str) -> Arc<str> {
        if let Some(name) = self.topics_used.get(topic) {
            return Arc::clone(name);
        }
        let name: Arc<str> = topic.into();
        self.topics_used.insert(Arc::clone(&name));
        (self.listener)(TaskEvent::TopicUsed { id: self.id.clone(), topic: Arc::clone(&name) });
        name
    }

    fn tolerate(&self, partition: &TopicPartition, bad: BadRecord) -> Result<(), ConnectError> {
        match self.tolerance.judge(bad.error) {
            Verdict::Fail(error) => {
                tracing::error!(
                    task = %self.id, stage = bad.stage.as_str(), %partition, offset = bad.offset,
                    "record cannot be processed"
                );
                Err(error)
            }
            Verdict::Skip { log } => {
                if log {
                    tracing::error!(
                        task = %self.id, stage = bad.stage.as_str(), %partition, offset = bad.offset,
                        "record skipped"
                    );
                }
                Ok(())
            }
        }
    }

    fn collect_durable(&mut self, now: Instant) -> bool {
        self.task.take_durable(&mut self.durable);
        for position in &self.durable {
            self.ledger.durable(position, now);
        }
        let has_progress = !self.durable.is_empty();
        self.durable.clear();
        has_progress
    }

    fn commit_due(&mut self, now: Instant) -> Result<(), ConnectError> {
        let positions = self.ledger.take_due(now);
        if positions.is_empty() {
            return Ok(());
        }
        Ok(self.consumer.commit(&positions)?)
    }

    fn advance_revocations(&mut self, now: Instant) -> Result<(), ConnectError> {
        let mut index = 0;
        while index < self.revocations.len() {
            let revocation = &mut self.revocations[index];
            if revocation.advance(&*self.task, &mut self.ledger, &self.consumer, now)? {
                self.revocations.swap_remove(index);
            } else {
                index += 1;
            }
        }
        Ok(())
    }

    /// How long an idle pipeline may sleep.
    fn idle_wait(&self, now: Instant) -> Duration {
        let due = self.ledger.commit_due().map(|due| due.saturating_duration_since(now));
        due.unwrap_or(TURN_INTERVAL).clamp(Duration::from_millis(1), TURN_INTERVAL)
    }
}

/// Waits for a wake, at most `timeout`.
pub(super) async fn wake_or_timeout(wakes: &flume::Receiver<()>, timeout: Duration) {
    let wake = wakes.recv_async();
    let sleep = std::pin::pin!(executor::sleep(timeout));
    match select(wake, sleep).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}

fn read_clocks() -> Now {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
    Now { monotonic: Instant::now(), wall_ms }
}
