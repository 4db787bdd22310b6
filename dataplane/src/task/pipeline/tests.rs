//! What a sink answers to a batch, and what the pipeline makes of it. The consumer never reaches a broker.

mod deciding;
mod handing_over;
mod starting;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::budget::Budget;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded, HeaderConverter};
use lakeward_api::header::HeaderRows;
use lakeward_api::metrics::TaskMetrics;
use lakeward_api::offset_store::{OffsetStore, OffsetStores, StoreFuture};
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::{StillWanted, TaskSpec, TaskTarget};
use lakeward_api::schema::Schema;
use lakeward_api::sink::NoRoom;
use lakeward_api::value::Value;
use lakeward_kafka::settings::{ClientKind, translate};
use lakeward_transforms::Chain;

use lakeward_api::ErrorClass;

use super::*;
use crate::runtime::Environment;
use crate::task::settings::ConverterClasses;

/// Answers of a sink to its puts, in order.
type Answers = Rc<RefCell<VecDeque<Result<(), ConnectError>>>>;

/// Says what it was told to say.
struct Scripted {
    answers: Answers,
    seen: Rc<RefCell<Vec<Vec<i64>>>>,
    rejected: Vec<Rejected>,
    has_room: Rc<Cell<bool>>,
}

impl SinkTask for Scripted {
    fn open(&mut self, _: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    fn put(&mut self, batch: SinkBatch, _: Now) -> Result<(), ConnectError> {
        self.seen.borrow_mut().push(batch.offsets);
        self.answers.borrow_mut().pop_front().unwrap()
    }

    fn may_refuse(&self) -> bool {
        true
    }

    /// Not while it has said no and waits.
    fn no_room(&self) -> Option<NoRoom> {
        let waits = !self.has_room.get() && !self.seen.borrow().is_empty();
        waits.then_some(NoRoom::Store)
    }

    fn take_rejected(&mut self, out: &mut Vec<Rejected>) {
        out.append(&mut self.rejected);
    }

    fn poll(&mut self, _: Now) -> Result<(), ConnectError> {
        Ok(())
    }

    fn take_durable(&mut self, _: &mut Vec<Position>) {}

    fn close(&mut self, _: &[TopicPartition]) {}

    fn is_settled(&self, _: &[TopicPartition]) -> bool {
        true
    }

    fn buffered_bytes(&self) -> u64 {
        0
    }

    fn stop(&mut self) {}
}

/// Nothing is converted here.
struct Unused;

impl Converter for Unused {
    fn decode(&mut self, _: &str, _: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        unreachable!("the batches are made by hand")
    }

    fn encode(&mut self, _: &str, _: &Values) -> Result<Encoded, ConnectError> {
        unreachable!("sinks do not encode")
    }
}

impl HeaderConverter for Unused {
    fn decode(
        &mut self,
        _: &str,
        _: &str,
        _: Option<&[u8]>,
    ) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
        unreachable!("the batches are made by hand")
    }

    fn encode(
        &mut self,
        _: &str,
        _: &str,
        _: Option<&Schema>,
        _: &Value,
    ) -> Result<Option<bytes::Bytes>, ConnectError> {
        unreachable!("sinks do not encode")
    }
}

/// Sinks have no offsets of their own.
struct NoStores;

impl OffsetStores for NoStores {
    fn worker(&self) -> StoreFuture<'_, Arc<dyn OffsetStore>> {
        unreachable!("a sink has no offsets of its own")
    }

    fn connector<'a>(&'a self, _: &'a str, _: &'a ConfigMap) -> StoreFuture<'a, Arc<dyn OffsetStore>> {
        unreachable!("a sink has no offsets of its own")
    }
}

struct Rig {
    pipeline: Pipeline,
    answers: Answers,
    seen: Rc<RefCell<Vec<Vec<i64>>>>,
    has_room: Rc<Cell<bool>>,
    runtime: tokio::runtime::Runtime,
}

impl Rig {
    fn new(answers: Vec<Result<(), ConnectError>>, rejected: Vec<Rejected>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let start = start(runtime.handle().clone(), Arc::new(|_| ()));
        let answers = Rc::new(RefCell::new(VecDeque::from(answers)));
        let seen = Rc::default();
        let has_room = Rc::new(Cell::new(true));
        let task = Scripted {
            answers: Rc::clone(&answers),
            seen: Rc::clone(&seen),
            rejected,
            has_room: Rc::clone(&has_room),
        };
        let mut pipeline = runtime.block_on(pipeline(&start, Box::new(task)));
        pipeline.ledger.open(&[partition()]);
        Self { pipeline, answers, seen, has_room, runtime }
    }

    /// A backlog whose records are converted already.
    fn work(&mut self) -> Work {
        let mut work = Work::new(self.pipeline.consumer.take(0));
        work.ready.push_back(SinkBatch {
            partition: partition(),
            topic: "t".into(),
            offsets: vec![7, 8],
            timestamps_ms: vec![None; 2],
            keys: Values::Null { rows: 2 },
            values: Values::Null { rows: 2 },
            headers: HeaderRows::default(),
        });
        work
    }

    fn deliver(&mut self) -> Result<Option<Blocked>, ConnectError> {
        self.runtime.block_on(self.pipeline.deliver())
    }
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

/// A pipeline whose consumer never reaches a broker.
async fn pipeline(start: &TaskStart, task: Box<dyn SinkTask>) -> Pipeline {
    let props = [("bootstrap.servers", "127.0.0.1:1"), ("group.id", "g")];
    let props = props.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let settings = translate(ClientKind::Consumer, &props).unwrap();
    let consumer = SinkConsumer::join(&settings, &["t".to_owned()], || ()).unwrap();
    let converters = Converters {
        key: Box::new(Unused),
        value: Box::new(Unused),
        header: Box::new(Unused),
        chain: Chain::from_config(&ConfigMap::new(), &PluginRegistry::default()).unwrap(),
        classes: ConverterClasses::default(),
        for_sink: Default::default(),
    };
    let reporter = Reporter::open(start).await.unwrap();
    let held = Held::new(&lakeward_api::memory::Memory::unlimited(), Budget::new(1), 0);
    Pipeline::new(start, task, consumer, converters, reporter, held)
}

fn start(handle: tokio::runtime::Handle, listener: TaskListener) -> TaskStart {
    let (control, wakes) = TaskControl::new(TaskTarget::Running, Arc::default());
    let bridge = Arc::new(TokioBridge::new(handle));
    let environment = Environment {
        worker_config: Arc::default(),
        plugins: PluginRegistry::default(),
        bridge: Arc::clone(&bridge),
        in_flight_bytes_max: 1,
        memory: lakeward_api::memory::Memory::unlimited(),
        spill_directory: "/tmp".into(),
        offset_flush_interval: Duration::from_secs(1),
        offset_flush_timeout: Duration::from_secs(1),
        graceful_timeout: Duration::from_secs(1),
        offsets: Arc::new(NoStores),
        lot: crate::task::handover::Lot::new(lakeward_api::memory::Memory::unlimited(), bridge),
    };
    let spec = TaskSpec {
        id: TaskId { connector: "c".into(), task: 0 },
        connector_config: Arc::default(),
        task_config: Arc::default(),
        target: TaskTarget::Running,
        secrets: lakeward_api::secrets::Secrets::default(),
        pulse: Arc::default(),
        metrics: Arc::new(TaskMetrics::default()),
        still_wanted: StillWanted::new(|| true),
        topic_resets: Arc::default(),
    };
    TaskStart { spec, listener, control, wakes, environment: Arc::new(environment) }
}

#[test]
fn a_refused_batch_is_kept_and_given_again_after_a_pause() {
    let mut rig = Rig::new(vec![Err(ConnectError::retriable("busy")), Ok(())], Vec::new());
    let work = rig.work();
    rig.pipeline.backlog.push_back(work);
    let Some(Blocked::Sink(due)) = rig.deliver().unwrap() else { panic!("not refused") };
    assert_eq!(rig.deliver().unwrap(), Some(Blocked::Sink(due)), "the pause is not over");
    assert_eq!(rig.seen.borrow().len(), 1);
    rig.pipeline.put_due = Some(Instant::now());
    assert_eq!(rig.deliver().unwrap(), None);
    assert_eq!(*rig.seen.borrow(), [vec![7, 8], vec![7, 8]]);
    assert!(rig.pipeline.backlog.is_empty() && rig.answers.borrow().is_empty());
}

#[test]
fn a_batch_that_is_refused_for_want_of_room_is_given_again_as_soon_as_there_is_some() {
    let mut rig = Rig::new(vec![Err(ConnectError::retriable("a table is made")), Ok(())], Vec::new());
    rig.has_room.set(false);
    let work = rig.work();
    rig.pipeline.backlog.push_back(work);
    assert_eq!(rig.deliver().unwrap(), Some(Blocked::NoRoom(NoRoom::Store)));
    assert_eq!(rig.deliver().unwrap(), Some(Blocked::NoRoom(NoRoom::Store)));
    assert_eq!(rig.seen.borrow().len(), 1);
    rig.has_room.set(true);
    assert_eq!(rig.deliver().unwrap(), None, "there is no pause");
    assert_eq!(*rig.seen.borrow(), [vec![7, 8], vec![7, 8]]);
}

#[test]
fn a_refused_batch_of_a_partition_that_left_is_dropped_even_when_it_comes_back() {
    let mut rig = Rig::new(vec![Err(ConnectError::retriable("busy"))], Vec::new());
    let work = rig.work();
    rig.pipeline.backlog.push_back(work);
    assert!(matches!(rig.deliver(), Ok(Some(Blocked::Sink(_)))));
    rig.pipeline.let_go(&[partition()]);
    rig.pipeline.ledger.close(&[partition()]);
    rig.pipeline.ledger.open(&[partition()]);
    rig.pipeline.put_due = None;
    assert_eq!(rig.deliver().unwrap(), None);
    assert_eq!(rig.seen.borrow().len(), 1, "its records are read again");
}

#[test]
fn any_other_failure_of_the_sink_ends_the_task_with_javas_chain() {
    let mut rig = Rig::new(vec![Err(ConnectError::data("no"))], Vec::new());
    let work = rig.work();
    rig.pipeline.backlog.push_back(work);
    assert_eq!(
        rig.deliver().unwrap_err().trace(),
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable \
         exception.\nCaused by: org.apache.kafka.connect.errors.DataException: no\n"
    );
}

#[test]
fn a_sink_cannot_reject_what_it_was_not_given() {
    let unknown = Rejected { partition: partition(), offset: 9, error: ConnectError::data("no") };
    let mut rig = Rig::new(vec![Ok(())], vec![unknown]);
    let work = rig.work();
    rig.pipeline.backlog.push_back(work);
    let error = rig.deliver().unwrap_err();
    assert_eq!(error.to_string(), "The sink rejected offset 9 of t-0, which it was not given");
}
