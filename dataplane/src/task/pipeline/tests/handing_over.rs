//! Partitions that go and come back: what the sink is asked, and where reading goes on.

use lakeward_api::bridge::BridgeFuture;
use lakeward_api::cuts::Opening;
use lakeward_api::handover::OpenState;
use lakeward_api::record::CommittedPosition;

use super::super::opening::Found;
use super::*;

/// The names of the calls, in order.
type Calls = Rc<RefCell<Vec<&'static str>>>;

/// Parts with a state of one record more each time.
struct Parting(Calls);

struct State(i64);

impl OpenState for State {
    fn since(&self) -> Option<i64> {
        None
    }

    fn next_offset(&self) -> i64 {
        self.0
    }

    fn bytes(&self) -> u64 {
        1
    }

    fn is_sound(&self) -> bool {
        true
    }

    fn give_up(self: Box<Self>) -> BridgeFuture {
        Box::pin(async {})
    }
}

impl SinkTask for Parting {
    fn open(&mut self, _: &[TopicPartition]) -> Result<(), ConnectError> {
        self.0.borrow_mut().push("open");
        Ok(())
    }

    fn hands_over(&self) -> Option<Duration> {
        Some(Duration::from_secs(3600))
    }

    fn part_with(&mut self, _: &TopicPartition) -> Option<Box<dyn OpenState>> {
        self.0.borrow_mut().push("part with");
        Some(Box::new(State(8)))
    }

    fn adopt(&mut self, _: &Opening, state: Box<dyn OpenState>) -> Result<(), ConnectError> {
        assert_eq!(state.next_offset(), 8);
        self.0.borrow_mut().push("adopt");
        Ok(())
    }

    fn put(&mut self, _: SinkBatch, _: Now) -> Result<(), ConnectError> {
        Ok(())
    }

    fn poll(&mut self, _: Now) -> Result<(), ConnectError> {
        Ok(())
    }

    fn take_durable(&mut self, _: &mut Vec<Position>) {}

    fn close(&mut self, _: &[TopicPartition]) {
        self.0.borrow_mut().push("close");
    }

    fn is_settled(&self, _: &[TopicPartition]) -> bool {
        true
    }

    fn buffered_bytes(&self) -> u64 {
        0
    }

    fn stop(&mut self) {}
}

struct Bench {
    pipeline: Pipeline,
    calls: Calls,
    _runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// A task that reads from position 5 on.
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let start = start(runtime.handle().clone(), Arc::new(|_| ()));
        let calls = Calls::default();
        let task = Parting(Rc::clone(&calls));
        let pipeline = runtime.block_on(pipeline(&start, Box::new(task)));
        let mut bench = Self { pipeline, calls, _runtime: runtime };
        bench.assign(5, "");
        bench
    }

    /// The group has `committed` when the partition is assigned; answers the calls so far.
    fn assign(&mut self, committed: i64, metadata: &str) -> Vec<&'static str> {
        let position = Position { partition: partition(), next_offset: committed };
        let committed = vec![CommittedPosition { position, metadata: metadata.to_owned() }];
        self.pipeline.open_at(&[partition()], &Found { committed, starts: Vec::new() }).unwrap();
        std::mem::take(&mut *self.calls.borrow_mut())
    }

    fn react(&mut self, event: ConsumerEvent) {
        self.pipeline.react(event, Instant::now()).unwrap();
        self.pipeline.advance_revocations(Instant::now()).unwrap();
    }

    fn revoke(&mut self) {
        self.react(ConsumerEvent::Revoked(vec![partition()]));
    }
}

#[test]
fn a_partition_that_comes_back_is_gone_on_with() {
    let mut bench = Bench::new();
    bench.revoke();
    assert!(bench.pipeline.revocations.is_empty());
    assert_eq!(bench.assign(5, ""), ["part with", "close", "adopt"]);
    assert_eq!(bench.pipeline.ledger.begin(&partition()), Some(5));
    bench.revoke();
    assert_eq!(bench.assign(6, ""), ["part with", "close", "open"], "another owner committed");
}

#[test]
fn lost_partitions_are_dropped() {
    let mut bench = Bench::new();
    bench.react(ConsumerEvent::Lost(vec![partition()]));
    assert_eq!(bench.assign(5, ""), ["close", "open"]);
    // Revoked, and lost before it was let go.
    bench.pipeline.ledger.report_began(&partition(), 6);
    bench.revoke();
    bench.react(ConsumerEvent::Lost(vec![partition()]));
    assert_eq!(bench.assign(5, ""), ["part with", "close", "close", "open"]);
}

#[test]
fn a_partition_is_let_go_when_its_reports_are_acknowledged() {
    let mut bench = Bench::new();
    bench.pipeline.ledger.report_began(&partition(), 6);
    bench.revoke();
    assert_eq!(bench.pipeline.revocations.len(), 1);
    bench.pipeline.ledger.report_ended(&partition(), 6, Instant::now());
    bench.pipeline.advance_revocations(Instant::now()).unwrap();
    assert_eq!(bench.assign(5, ""), ["part with", "close", "adopt"]);
    // Nobody knows whether the report will be acknowledged.
    bench.pipeline.ledger.report_began(&partition(), 6);
    bench.revoke();
    bench.pipeline.advance_revocations(Instant::now() + bench.pipeline.revoke_wait).unwrap();
    assert_eq!(bench.assign(5, ""), ["part with", "close", "open"]);
}

#[test]
fn a_worker_that_stops_lets_nothing_wait() {
    let mut bench = Bench::new();
    drop(bench.pipeline.lot.close());
    bench.revoke();
    assert_eq!(bench.assign(5, ""), ["close", "open"]);
}

#[test]
fn what_a_failed_task_had_open_is_dropped() {
    let mut bench = Bench::new();
    bench.pipeline.ledger.report_began(&partition(), 6);
    bench.revoke();
    bench.pipeline.revocations.iter_mut().for_each(Revocation::drop_open);
    bench.pipeline.ledger.report_ended(&partition(), 6, Instant::now());
    bench.pipeline.advance_revocations(Instant::now()).unwrap();
    assert_eq!(bench.assign(5, ""), ["part with", "close", "open"]);
}
