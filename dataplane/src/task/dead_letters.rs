//! The dead letter queue of a sink task: its topic and its producer, set up away from the shard.
//!
//! Source: `DeadLetterQueueReporter#createAndSetup`, `Worker#sinkTaskReporters`, Kafka 4.1.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::bridge::Bridge as _;
use lakeward_api::config::ConfigMap;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_kafka::admin::Admin;
use lakeward_kafka::source_producer::SourceProducer;

use super::{TaskStart, settings};

/// Java's `default.api.timeout.ms`.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 1;

/// Where records go that cannot be processed.
pub(super) struct DeadLetters {
    pub(super) topic: String,
    /// `errors.deadletterqueue.context.headers.enable`.
    pub(super) with_context: bool,
    pub(super) producer: SourceProducer,
}

/// What is needed to open a dead letter queue, moved to another thread as a whole.
struct Plan {
    topic: String,
    replication_factor: i32,
    admin: (ConfigMap, String),
    producer: ConfigMap,
}

/// The dead letter queue that the connector asks for; `None` when it asks for none, or while the task is
/// stopping.
///
/// # Errors
/// `Config` for client settings that cannot be honoured; `Fatal` when the topic cannot be made.
pub(super) async fn open(start: &TaskStart) -> Result<Option<DeadLetters>, ConnectError> {
    let config = &start.spec.connector_config;
    let text = |key: &str| config.get(key).map(|value| value.trim()).unwrap_or_default();
    let topic = text("errors.deadletterqueue.topic.name").to_owned();
    if topic.is_empty() {
        return Ok(None);
    }
    let environment = &start.environment;
    let plan = Plan {
        topic: topic.clone(),
        replication_factor: text("errors.deadletterqueue.topic.replication.factor").parse().unwrap_or(3),
        admin: settings::dead_letter_admin(environment, &start.spec),
        producer: settings::dead_letter_producer(environment, &start.spec),
    };
    let (answer, answers) = flume::bounded(1);
    let control = Arc::clone(&start.control);
    environment.bridge.spawn(Box::pin(async move {
        let wake = Arc::clone(&control);
        let outcome = set_up(plan, move || wake.wake()).await;
        // Nobody listens any more when the task was stopped meanwhile.
        drop(answer.send(outcome));
        control.wake();
    }));
    let producer = loop {
        if start.control.is_stopping() {
            return Ok(None);
        }
        match answers.try_recv() {
            Ok(outcome) => break outcome?,
            Err(flume::TryRecvError::Disconnected) => {
                return Err(ConnectError::fatal(
                    "The dead letter queue was not set up: the worker is ending",
                ));
            }
            Err(flume::TryRecvError::Empty) => {}
        }
        super::pipeline::wake_or_timeout(&start.wakes, super::pipeline::TURN_INTERVAL).await;
    };
    for name in producer.ignored() {
        tracing::warn!(task = %start.spec.id, setting = %name, "producer setting has no effect here");
    }
    let with_context = text("errors.deadletterqueue.context.headers.enable").eq_ignore_ascii_case("true");
    Ok(Some(DeadLetters { topic, with_context, producer }))
}

async fn set_up(plan: Plan, wake: impl Fn() + Send + Sync + 'static) -> Result<SourceProducer, ConnectError> {
    let topic = &plan.topic;
    let (props, client) = &plan.admin;
    let admin = Admin::new(props, client)?;
    let outcome = admin.create_if_missing(topic, PARTITIONS, plan.replication_factor, ADMIN_TIMEOUT).await;
    match outcome {
        Ok(true) => tracing::info!(%topic, "created the topic of the dead letter queue"),
        Ok(false) => {}
        Err(err) => {
            let remedy = format!(
                "{err}: check errors.deadletterqueue.topic.replication.factor ({}), the permission to create \
                 the topic, and admin.override.* of the connector",
                plan.replication_factor
            );
            let cause = ConnectError::new(ErrorClass::Fatal, err.client_exception(), remedy);
            let message = format!("Could not initialize dead letter queue with topic={topic}");
            return Err(ConnectError::fatal(message).with_source(cause.with_source(err)));
        }
    }
    Ok(SourceProducer::new(&plan.producer, wake)?)
}
