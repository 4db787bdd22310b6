//! The loop of one source task: poll, transform, convert, send, learn what was acknowledged, commit. It never
//! blocks its shard.
//!
//! Source: `AbstractWorkerSourceTask#execute`, Kafka 4.1.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::metrics::TaskMetrics;
use lakeward_api::offset_store::OffsetStore;
use lakeward_api::pulse::Waiting;
use lakeward_api::runtime::{TaskEvent, TaskId, TaskListener};
use lakeward_api::source::{Polled, SourceTask};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_kafka::admin::Admin;
use lakeward_kafka::source_producer::{Report, SourceProducer};

use super::TURN_INTERVAL;
use super::bridged::Bridged;
use super::commit::Commits;
use super::judge::{Judge, unrecoverable_report};
use super::offsets::Offsets;
use super::outbox::Outbox;
use super::send::Sent;
use super::settings::{Guarantee, SourceSettings};
use super::topics::Topics;
use super::transaction::Transaction;
use crate::executor;
use crate::task::{Beat, Converters, TaskControl, TaskStart, TopicsUsed, read_clocks, wake_or_timeout};

/// How long a task that said "later" is left alone when it names no time itself.
const POLL_AGAIN: Duration = Duration::from_millis(100);

/// How a pipeline ended without an error.
pub(super) enum Ended {
    /// The drain took too long.
    Abandoned,
    /// What was acknowledged is stored.
    Drained,
}

/// How offsets are stored.
pub(super) enum Delivery {
    AtLeastOnce(Commits),
    ExactlyOnce(Transaction),
}

/// The state of a running source task.
pub(super) struct Pipeline {
    pub(super) id: TaskId,
    pub(super) name: String,
    pub(super) task: Box<dyn SourceTask>,
    pub(super) producer: SourceProducer,
    pub(super) admin: Option<Admin>,
    pub(super) converters: Converters,
    pub(super) control: Arc<TaskControl>,
    pub(super) metrics: Arc<TaskMetrics>,
    /// Records left out since the last reports were taken.
    pub(super) left_out: usize,
    beat: Beat,
    pub(super) wakes: flume::Receiver<()>,
    pub(super) listener: TaskListener,
    pub(super) bridged: Bridged,
    pub(super) store: Arc<dyn OffsetStore>,
    pub(super) judge: Judge,
    pub(super) outbox: Outbox,
    pub(super) topics: Topics,
    pub(super) topics_used: TopicsUsed,
    pub(super) last_topic: Option<Arc<str>>,
    pub(super) offsets: Offsets,
    pub(super) sent: Sent,
    pub(super) reports: Vec<Report>,
    pub(super) delivery: Delivery,
    /// What the producer said about a record; ends the task.
    pub(super) failure: Option<ConnectError>,
    /// The rest of a batch waits for this.
    pub(super) send_again: Option<Instant>,
    /// What the next record waits for, if not for the broker.
    pub(super) blocked: Option<Waiting>,
    /// What the status says; `None` before the first report.
    is_paused: Option<bool>,
}

impl Pipeline {
    #[expect(clippy::too_many_arguments, reason = "each is made at its own step of the start")]
    pub(super) fn new(
        start: &TaskStart,
        settings: SourceSettings,
        task: Box<dyn SourceTask>,
        producer: SourceProducer,
        admin: Option<Admin>,
        converters: Converters,
        store: Arc<dyn OffsetStore>,
        bridged: Bridged,
    ) -> Self {
        let id = start.spec.id.clone();
        let delivery = match settings.guarantee {
            Guarantee::AtLeastOnce => {
                Delivery::AtLeastOnce(Commits::new(settings.flush_interval, settings.flush_timeout))
            }
            Guarantee::ExactlyOnce(boundary) => Delivery::ExactlyOnce(Transaction::new(
                producer.transactions(),
                boundary,
                &settings.offsets_topic,
            )),
        };
        Self {
            name: id.to_string(),
            task,
            producer,
            admin,
            converters,
            control: Arc::clone(&start.control),
            beat: Beat::new(Arc::clone(&start.spec.pulse)),
            metrics: Arc::clone(&start.spec.metrics),
            left_out: 0,
            wakes: start.wakes.clone(),
            listener: Arc::clone(&start.listener),
            bridged,
            store,
            judge: Judge::new(start),
            outbox: Outbox::new(&start.spec.connector_config),
            topics: Topics::new(settings.groups),
            topics_used: TopicsUsed::new(&start.spec.topic_resets),
            last_topic: None,
            offsets: Offsets::new(Arc::clone(&id.connector)),
            sent: Sent::default(),
            reports: Vec::new(),
            delivery,
            failure: None,
            send_again: None,
            blocked: None,
            is_paused: None,
            id,
        }
    }

    /// What must be closed when the pipeline is over.
    pub(super) fn into_parts(self) -> (Box<dyn SourceTask>, SourceProducer, Option<Admin>) {
        (self.task, self.producer, self.admin)
    }

    pub(super) fn is_exactly_once(&self) -> bool {
        matches!(self.delivery, Delivery::ExactlyOnce(_))
    }

    /// Runs until the task is stopped or fails.
    pub(super) async fn run(&mut self) -> Result<Ended, ConnectError> {
        loop {
            self.beat.begin();
            self.take_reports();
            if self.control.is_abandoned() {
                return Ok(Ended::Abandoned);
            }
            // Within transactions a failure shows when they are committed.
            if !self.is_exactly_once()
                && let Some(failure) = self.failure.take()
            {
                return Err(failure);
            }
            let now = Instant::now();
            if self.sent.first_open() != self.sent.next_number()
                && let Some(refused) = self.producer.refused()
            {
                return Err(unrecoverable_report(refused));
            }
            // A batch is not left half sent unless the rest has to wait.
            let may_leave = self.outbox.is_empty() || self.send_again.is_some() || self.blocked.is_some();
            if may_leave && self.control.is_stopping() {
                return Ok(Ended::Drained);
            }
            self.commit_due(now);
            let wait = if may_leave && self.follow_target().await? {
                Some(TURN_INTERVAL)
            } else {
                self.turn(now).await?
            };
            self.show_turn();
            match wait {
                Some(wait) => wake_or_timeout(&self.wakes, self.idle_wait(now, wait)).await,
                None => executor::yield_now().await,
            }
        }
    }

    /// What the next turn needs, for whoever watches the task.
    fn show_turn(&mut self) {
        let (next, first_open) = (self.sent.next_number(), self.sent.first_open());
        let holds_work = !self.outbox.is_empty() || next != first_open;
        let waiting = match self.blocked {
            Some(blocked) => blocked,
            None if holds_work => Waiting::Broker,
            None => Waiting::Nothing,
        };
        self.beat.end(waiting, false, [next, first_open]);
    }

    /// Reports a change of the target; true when the task is paused.
    async fn follow_target(&mut self) -> Result<bool, ConnectError> {
        let is_paused = self.control.is_paused();
        if self.tell_target(is_paused) && is_paused {
            // An open transaction would expire during a long pause.
            self.final_transaction().await?;
        }
        Ok(is_paused)
    }

    /// True when it is news. A start that fails was never a run.
    fn tell_target(&mut self, is_paused: bool) -> bool {
        let is_known = is_paused || self.task.has_started();
        if !is_known || self.is_paused == Some(is_paused) {
            return false;
        }
        self.is_paused = Some(is_paused);
        let id = self.id.clone();
        (self.listener)(if is_paused { TaskEvent::Paused { id } } else { TaskEvent::Running { id } });
        true
    }

    /// One poll, or a part of sending what it brought. `Some` says how long there is nothing to do without a
    /// wake.
    async fn turn(&mut self, now: Instant) -> Result<Option<Duration>, ConnectError> {
        if let Some(at) = self.send_again {
            let left = at.saturating_duration_since(now);
            if !left.is_zero() {
                return Ok(Some(left));
            }
            self.send_again = None;
        }
        if !self.outbox.is_empty() {
            return self.send_some().await;
        }
        if !self.is_exactly_once() && self.offsets.is_full() {
            return Ok(Some(TURN_INTERVAL));
        }
        let clocks = read_clocks();
        let polled = match self.task.poll(clocks) {
            Ok(polled) => polled,
            Err(err) if err.class() == ErrorClass::Retriable => {
                tracing::warn!(
                    task = %self.id, error = err.trace().trim_end(), "failed to poll records; polling again"
                );
                Polled::Idle { until: Some(clocks.monotonic + POLL_AGAIN) }
            }
            Err(err) => return Err(err),
        };
        self.tell_target(false);
        if let Delivery::ExactlyOnce(transaction) = &mut self.delivery {
            transaction.ask(self.task.transaction_requests());
        }
        match polled {
            Polled::Records(batches) => {
                let (records, now) =
                    (batches.iter().map(|batch| batch.timestamps_ms.len()).sum(), Instant::now());
                self.metrics.polled(records, now - clocks.monotonic, now);
                self.outbox.fill(batches);
                self.send_some().await
            }
            Polled::Idle { until } => {
                self.batch_dispatched().await?;
                let until = until.map(|until| until.saturating_duration_since(clocks.monotonic));
                Ok(Some(until.unwrap_or(TURN_INTERVAL)))
            }
        }
    }

    /// How long an idle pipeline may sleep.
    fn idle_wait(&self, now: Instant, wait: Duration) -> Duration {
        let commit = match &self.delivery {
            Delivery::AtLeastOnce(commits) => commits.next_turn().saturating_duration_since(now),
            Delivery::ExactlyOnce(_) => TURN_INTERVAL,
        };
        wait.min(commit).clamp(Duration::from_millis(1), TURN_INTERVAL)
    }

    /// The last commit. Acknowledged records count also after a failure; a transaction does not.
    pub(super) async fn finish(
        &mut self,
        outcome: Result<Ended, ConnectError>,
    ) -> Result<Ended, ConnectError> {
        if self.control.is_abandoned() {
            return outcome.map(|_| Ended::Abandoned);
        }
        if self.is_exactly_once() {
            let ended = outcome?;
            self.final_transaction().await?;
            return Ok(ended);
        }
        self.final_commit().await;
        match outcome {
            Ok(_) if self.control.is_abandoned() => Ok(Ended::Abandoned),
            outcome => outcome,
        }
    }
}
