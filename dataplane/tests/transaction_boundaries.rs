//! A source task that defines its own transactions (`transaction.boundary=connector`), against a broker: what
//! readers of committed records see, and which offset is stored.
//!
//! No connector of Apache Kafka's distribution defines boundaries, so the connector is this test's own.
//!
//! Source: KIP-618, `ExactlyOnceWorkerSourceTask`, `WorkerTransactionContext`, Kafka 4.1.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::header::HeaderRows;
use lakeward_api::memory::Memory;
use lakeward_api::metrics::{TaskKind, TaskMetrics};
use lakeward_api::offset_store::{OffsetEntry, OffsetStore, OffsetStores, StoreFuture};
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::{StillWanted, TaskEvent, TaskId, TaskRuntime, TaskSpec, TaskTarget};
use lakeward_api::sink::Now;
use lakeward_api::source::{
    Polled, RecordOutcome, SourceBatch, SourceConnector, SourcePosition, SourceTask, SourceTaskContext,
    TransactionRequest,
};
use lakeward_api::value::Value;
use lakeward_dataplane::executor::{EngineChoice, choose_engine};
use lakeward_dataplane::{Dataplane, DataplaneSettings, ShardSettings, TokioBridge};
use lakeward_kafka::transactions::fence_producers;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::read_topic;
use lakeward_testkit::unique;

const PATIENCE: Duration = Duration::from_secs(60);

/// One poll: how many records, and what is asked about them.
type Poll = (i64, Vec<TransactionRequest>);

/// A connector whose task goes through a script.
struct Scripted {
    topic: String,
    polls: Vec<Poll>,
    /// Numbers of the records that were told to be done: acknowledged ones as they are, others negative.
    done: flume::Sender<i64>,
}

impl SourceConnector for Scripted {
    fn class(&self) -> &'static str {
        "test.Scripted"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn task_configs(&self, props: &ConfigMap, _tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(vec![props.clone()])
    }

    fn can_define_transactions(&self, _props: &ConfigMap) -> bool {
        true
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        assert!(context.defines_transactions, "the task must know that boundaries are its own");
        Ok(Box::new(ScriptedTask {
            topic: self.topic.as_str().into(),
            polls: self.polls.clone().into(),
            requests: Vec::new(),
            next: 0,
            done: self.done.clone(),
        }))
    }
}

struct ScriptedTask {
    topic: Arc<str>,
    polls: VecDeque<Poll>,
    requests: Vec<TransactionRequest>,
    next: i64,
    done: flume::Sender<i64>,
}

impl SourceTask for ScriptedTask {
    fn poll(&mut self, _now: Now) -> Result<Polled, ConnectError> {
        let Some((count, requests)) = self.polls.pop_front() else { return Ok(Polled::Idle { until: None }) };
        self.requests = requests;
        let numbers: Vec<i64> = (self.next..self.next + count).collect();
        self.next += count;
        let map = |name: &str, value| Arc::new(Value::Map(vec![(Value::String(name.into()), value)]));
        let position = |number: &i64| SourcePosition {
            partition: map("p", Value::Null),
            offset: map("n", Value::Int64(*number)),
        };
        Ok(Polled::Records(vec![SourceBatch {
            topic: Arc::clone(&self.topic),
            partition: None,
            timestamps_ms: vec![None; numbers.len()],
            keys: Values::Null { rows: numbers.len() },
            positions: numbers.iter().map(position).collect(),
            values: Values::Dynamic(
                numbers.iter().map(|number| Value::String(number.to_string().into())).collect(),
            ),
            headers: HeaderRows::default(),
        }]))
    }

    fn transaction_requests(&mut self) -> Vec<TransactionRequest> {
        std::mem::take(&mut self.requests)
    }

    fn record_done(
        &mut self,
        position: &SourcePosition,
        outcome: &RecordOutcome,
    ) -> Result<(), ConnectError> {
        let Value::Map(entries) = &*position.offset else { panic!("offsets are maps") };
        let Value::Int64(number) = entries[0].1 else { panic!("offsets are numbers") };
        let is_stored = matches!(outcome, RecordOutcome::Acknowledged { .. });
        self.done.send(if is_stored { number } else { -number }).expect("the test listens");
        Ok(())
    }

    fn stop(&mut self) {}
}

/// Nothing is stored yet; what transactions store is read from the topic.
struct Nothing;

impl OffsetStore for Nothing {
    fn read_to_end(&self) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn get(&self, _key: &[u8]) -> Option<Bytes> {
        None
    }

    fn entries(&self) -> Vec<(Bytes, Bytes)> {
        Vec::new()
    }

    fn write(&self, _entries: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Err(ConnectError::fatal("offsets go with their transaction"))))
    }
}

impl OffsetStores for Nothing {
    fn worker(&self) -> StoreFuture<'_, Arc<dyn OffsetStore>> {
        Box::pin(std::future::ready(Ok(Arc::new(Self) as Arc<dyn OffsetStore>)))
    }

    fn connector<'a>(
        &'a self,
        _connector: &'a str,
        _config: &'a ConfigMap,
    ) -> StoreFuture<'a, Arc<dyn OffsetStore>> {
        self.worker()
    }
}

fn config(pairs: &[(&str, &str)]) -> Arc<ConfigMap> {
    Arc::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// The committed values of a topic.
fn committed(topic: &str) -> Vec<String> {
    let records = read_topic(KafkaBroker::shared(), topic).expect("topics are readable");
    let text = |value: Vec<u8>| String::from_utf8(value).expect("values are texts");
    records.into_iter().filter_map(|record| record.value.map(text)).collect()
}

/// Runs a task through `polls` and stops it when `last` is done. Answers the records that are committed and
/// the offsets that were, in their order.
fn run(polls: Vec<Poll>, last: i64) -> (Vec<String>, Vec<String>) {
    let broker = KafkaBroker::shared();
    let topic = broker.create_topic("boundaries", 1).expect("the broker creates topics");
    let offsets = broker.create_topic("boundary-offsets", 1).expect("the broker creates topics");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let (done, is_done) = flume::unbounded();
    let mut plugins = PluginRegistry::default();
    lakeward_formats::register(&mut plugins);
    plugins.add_source(Arc::new(Scripted { topic: topic.clone(), polls, done }));
    let text = "org.apache.kafka.connect.storage.StringConverter";
    let group = unique("boundary-group");
    let (engine, _) = choose_engine(EngineChoice::Auto).expect("some engine works");
    let dataplane = Dataplane::start(DataplaneSettings {
        shards: ShardSettings { count: 1, engine },
        worker_config: config(&[
            ("bootstrap.servers", broker.bootstrap()),
            ("group.id", &group),
            ("exactly.once.source.support", "enabled"),
            ("offset.storage.topic", &offsets),
            ("key.converter", text),
            ("value.converter", text),
        ]),
        plugins,
        bridge: TokioBridge::new(runtime.handle().clone()),
        memory: Memory::unlimited(),
        spill_directory: std::env::temp_dir(),
        in_flight_bytes_max: 1 << 20,
        offset_flush_interval: Duration::from_secs(1),
        offset_flush_timeout: Duration::from_secs(5),
        graceful_timeout: PATIENCE,
        offsets: Arc::new(Nothing),
    })
    .expect("threads can be started");
    let id = TaskId { connector: unique("boundary").into(), task: 0 };
    let spec = TaskSpec {
        id: id.clone(),
        connector_config: config(&[
            ("connector.class", "test.Scripted"),
            ("transaction.boundary", "connector"),
        ]),
        task_config: Arc::default(),
        target: TaskTarget::Running,
        secrets: lakeward_api::secrets::Secrets::default(),
        pulse: Arc::default(),
        metrics: Arc::new(TaskMetrics::new(TaskKind::Source, lakeward_api::metrics::Window::default())),
        still_wanted: StillWanted::default(),
        topic_resets: Arc::default(),
    };
    let (failed, failures) = flume::bounded(1);
    let listener = Arc::new(move |event| {
        if let TaskEvent::Failed { trace, .. } = event {
            failed.send(trace).expect("the test listens");
        }
    });
    dataplane.start(spec, listener);
    loop {
        let number = is_done.recv_timeout(PATIENCE);
        let number = number.unwrap_or_else(|_| panic!("not done in time: {:?}", failures.try_recv()));
        if number.abs() == last {
            break;
        }
    }
    runtime.block_on(dataplane.stop(&id));
    // The broker says that a transaction is committed before readers see it everywhere. It gives the id to a
    // new producer when that is done, and what was left open is aborted.
    let client = config(&[("bootstrap.servers", broker.bootstrap())]);
    let ids = [format!("{group}-{}-{}", id.connector, id.task)];
    runtime.block_on(fence_producers(&client, &ids)).expect("the broker gives the id away");
    (committed(&topic), committed(&offsets))
}

fn texts(numbers: &[i64]) -> Vec<String> {
    numbers.iter().map(i64::to_string).collect()
}

#[test]
fn records_are_committed_and_aborted_where_the_task_says() {
    use TransactionRequest::{AbortBatch, AbortRecord, CommitBatch, CommitRecord};
    let polls = vec![
        // 3 and 4 stay in the open transaction, which the next poll aborts.
        (5, vec![CommitRecord(2)]),
        (3, vec![AbortBatch]),
        (2, vec![CommitBatch]),
        // 10 is aborted, 11 and 12 are committed.
        (3, vec![AbortRecord(0), CommitBatch]),
    ];
    let (records, offsets) = run(polls, 12);
    assert_eq!(records, texts(&[0, 1, 2, 8, 9, 11, 12]));
    // The offsets of aborted records are stored, too: the task must not see them again.
    assert_eq!(offsets, [2, 7, 9, 10, 12].map(|number| format!("{{\"n\":{number}}}")));
}

#[test]
fn what_the_task_did_not_ask_for_is_not_committed_when_it_stops() {
    let polls = vec![(2, vec![TransactionRequest::CommitBatch]), (2, Vec::new())];
    let (records, offsets) = run(polls, 1);
    assert_eq!((records, offsets), (texts(&[0, 1]), vec!["{\"n\":1}".to_owned()]));
}
