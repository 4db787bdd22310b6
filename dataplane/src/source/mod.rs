//! One source task on its shard: how it starts, what it is made of, how it ends.
//!
//! A task that failed after its start stays FAILED, as in Java; only clients and stores that cannot be
//! reached at the start are tried again. Source: `AbstractWorkerSourceTask`, `WorkerSourceTask`, Kafka 4.1.

mod bridged;
mod commit;
mod describe;
pub mod file_store;
mod judge;
mod offsets;
mod outbox;
mod pipeline;
mod prepare;
mod send;
mod settings;
mod stored;
mod topics;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::offset_store::OffsetStore;
use lakeward_api::plugin::Network;
use lakeward_api::source::{SourceTask, SourceTaskContext};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_kafka::admin::Admin;
use lakeward_kafka::source_producer::SourceProducer;
use tracing::Instrument;

use crate::executor;
use crate::task::{TaskStart, supervise, wait_until_wanted};
use bridged::Bridged;
use pipeline::{Ended, Pipeline};
use settings::SourceSettings;
use stored::TaskOffsets;

const TURN_INTERVAL: Duration = Duration::from_secs(1);
/// How long closing a producer waits for what is still queued.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Starts a source task on this shard and tells `done` when it is over.
pub(crate) fn spawn(start: TaskStart, done: impl FnOnce() + 'static) {
    let span = crate::task::span(&start.spec.id);
    let task = async move {
        run(start).await;
        done();
    };
    executor::spawn_local(task.instrument(span));
}

async fn run(start: TaskStart) {
    supervise(&start, "task cannot start yet", async |_| run_once(&start).await).await;
}

async fn run_once(start: &TaskStart) -> Result<(), ConnectError> {
    if !wait_until_wanted(start).await {
        return Ok(());
    }
    // Apart, as thousands of paused tasks need no room for what only a running one holds.
    Box::pin(run_wanted(start)).await
}

async fn run_wanted(start: &TaskStart) -> Result<(), ConnectError> {
    let bridged = Bridged::new(start);
    let settings = SourceSettings::read(&start.environment, &start.spec)?;
    let control = Arc::clone(&start.control);
    let network = Network {
        bridge: Arc::clone(&start.environment.bridge) as Arc<dyn Bridge>,
        waker: Waker::new(move || control.wake()),
    };
    let mut converters = crate::task::converters(&start.environment, &start.spec, &network)?;
    converters.chain = converters.chain.of_source();
    let producer = producer(start, &settings)?;
    let admin = settings.creates_topics().then(|| Admin::new(&settings.admin, &settings.admin_id));
    let admin = admin.transpose()?;
    let parts = async {
        if settings.is_exactly_once() {
            let transactions = producer.transactions();
            bridged.run(async move { transactions.init().await }).await?;
            if !start.spec.still_wanted.ask() {
                return Err(ConnectError::new(
                    ErrorClass::Fenced,
                    "org.apache.kafka.connect.errors.ConnectException",
                    "The task was replaced while it started",
                ));
            }
        }
        let store = open_store(start, &bridged).await?;
        let task = new_task(start, &settings, &network, &store)?;
        Ok::<_, ConnectError>((store, task))
    };
    match parts.await {
        Ok((store, task)) => {
            let pipeline = Pipeline::new(start, settings, task, producer, admin, converters, store, bridged);
            run_pipeline(start, pipeline).await
        }
        Err(error) => {
            start.environment.bridge.spawn_blocking(move || {
                producer.close(Duration::ZERO);
                drop(admin);
            });
            Err(error)
        }
    }
}

fn producer(start: &TaskStart, settings: &SourceSettings) -> Result<SourceProducer, ConnectError> {
    let control = Arc::clone(&start.control);
    let producer = SourceProducer::new(&settings.producer, move || control.wake())?;
    for name in producer.ignored() {
        tracing::warn!(task = %start.spec.id, setting = %name, "producer setting has no effect here");
    }
    Ok(producer)
}

/// The connector's offsets, read to the end.
async fn open_store(start: &TaskStart, bridged: &Bridged) -> Result<Arc<dyn OffsetStore>, ConnectError> {
    let stores = Arc::clone(&start.environment.offsets);
    let connector = Arc::clone(&start.spec.id.connector);
    let config = Arc::clone(&start.spec.connector_config);
    let open = async move {
        let store = stores.connector(&connector, &config).await?;
        store.read_to_end().await?;
        Ok(store)
    };
    bridged.run(open).await
}

fn new_task(
    start: &TaskStart,
    settings: &SourceSettings,
    network: &Network,
    store: &Arc<dyn OffsetStore>,
) -> Result<Box<dyn SourceTask>, ConnectError> {
    let spec = &start.spec;
    let context = SourceTaskContext {
        connector: Arc::clone(&spec.id.connector),
        task: spec.id.task,
        config: Arc::clone(&spec.task_config),
        offsets: Arc::new(TaskOffsets::new(Arc::clone(&spec.id.connector), Arc::clone(store))),
        bridge: Arc::clone(&network.bridge),
        waker: network.waker.clone(),
        defines_transactions: settings.defines_transactions(),
    };
    settings.connector.new_task(context).map_err(for_good)
}

/// A task that cannot start is not started again by itself.
fn for_good(error: ConnectError) -> ConnectError {
    match error.class() {
        ErrorClass::Retriable | ErrorClass::Ambiguous => {
            ConnectError::new(ErrorClass::Fatal, error.java_class(), error.to_string()).with_source(error)
        }
        _ => error,
    }
}

async fn run_pipeline(start: &TaskStart, mut pipeline: Pipeline) -> Result<(), ConnectError> {
    let outcome = pipeline.run().await;
    let outcome = pipeline.finish(outcome).await;
    let (mut task, producer, admin) = pipeline.into_parts();
    task.stop();
    let is_abandoned = start.control.is_abandoned();
    let limit = if is_abandoned { Duration::ZERO } else { CLOSE_LIMIT };
    // Ending a client joins its threads: not on a shard.
    start.environment.bridge.spawn_blocking(move || {
        producer.close(limit);
        drop(admin);
    });
    match outcome.map_err(for_good)? {
        Ended::Abandoned => {
            tracing::warn!(task = %start.spec.id, "task did not stop in time; last offsets are lost");
        }
        Ended::Drained => tracing::info!(task = %start.spec.id, "task drained"),
    }
    Ok(())
}
