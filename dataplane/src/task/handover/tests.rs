//! What is taken, and what is given up, when and how.

use lakeward_api::bridge::BridgeFuture;
use lakeward_api::record::Position;
use tokio::runtime::Runtime;

use super::*;
use crate::bridge::TokioBridge;

const LONG: Duration = Duration::from_secs(3600);

/// Tells when it is given up.
struct Scripted {
    next_offset: i64,
    is_sound: bool,
    given_up: flume::Sender<i64>,
}

impl OpenState for Scripted {
    fn since(&self) -> Option<i64> {
        None
    }

    fn next_offset(&self) -> i64 {
        self.next_offset
    }

    fn bytes(&self) -> u64 {
        600
    }

    fn is_sound(&self) -> bool {
        self.is_sound
    }

    fn give_up(self: Box<Self>) -> BridgeFuture {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.given_up.send(self.next_offset).unwrap();
        })
    }
}

struct Rig {
    runtime: Runtime,
    memory: Memory,
    lot: Arc<Lot>,
    sender: flume::Sender<i64>,
    given_up: flume::Receiver<i64>,
}

impl Rig {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let memory = Memory::new(1000);
        let lot = Lot::new(memory.clone(), Arc::new(TokioBridge::new(runtime.handle().clone())));
        let (sender, given_up) = flume::unbounded();
        Self { runtime, memory, lot, sender, given_up }
    }

    fn task(&self, pairs: &[(&str, &str)], wait: Duration) -> Handover {
        let config = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Handover::new(&self.lot, &"c".into(), &config, wait)
    }

    /// Parks a state that tells `next_offset` when it is given up.
    fn park(&self, task: &Handover, partition: &TopicPartition, next_offset: i64) {
        self.park_this(task, partition, next_offset, true);
    }

    fn park_this(&self, task: &Handover, partition: &TopicPartition, next_offset: i64, is_sound: bool) {
        let state = Scripted { next_offset, is_sound, given_up: self.sender.clone() };
        task.park(partition, 5, task.keep(Box::new(state)));
    }

    /// Waits for the next state that is given up.
    fn next_given_up(&self) -> i64 {
        self.runtime.block_on(self.given_up.recv_async()).unwrap()
    }

    fn open_bytes(&self) -> u64 {
        self.memory.used_by(MemoryKind::Open)
    }
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn committed(next_offset: i64, metadata: &str) -> CommittedPosition {
    let position = Position { partition: partition(), next_offset };
    CommittedPosition { position, metadata: metadata.to_owned() }
}

#[test]
fn a_state_goes_to_an_owner_of_the_same_settings_whatever_tasks_max_says() {
    let rig = Rig::new();
    rig.park(&rig.task(&[("tasks.max", "1"), ("flush.size", "9")], LONG), &partition(), 8);
    assert_eq!(rig.open_bytes(), 600);
    let next = rig.task(&[("tasks.max", "2"), ("flush.size", "9")], LONG);
    let state = next.take(&partition(), Some(&committed(5, ""))).unwrap();
    assert_eq!((state.next_offset(), rig.open_bytes()), (8, 0));
    assert!(next.take(&partition(), Some(&committed(5, ""))).is_none(), "a state has one owner");
}

#[test]
fn a_state_that_does_not_fit_is_given_up() {
    let rig = Rig::new();
    let task = rig.task(&[("flush.size", "9")], LONG);
    let other = rig.task(&[("flush.size", "8")], LONG);
    for (number, next, found) in [
        (1, &task, Some(committed(6, ""))),
        (2, &task, Some(committed(4, ""))),
        (3, &task, None),
        (4, &task, Some(committed(5, "lakeward-cuts-1;AAA;3"))),
        (5, &other, Some(committed(5, ""))),
    ] {
        rig.park(&task, &partition(), number);
        assert!(next.take(&partition(), found.as_ref()).is_none(), "case {number}");
        assert_eq!((rig.next_given_up(), rig.open_bytes()), (number, 0));
    }
    rig.park_this(&task, &partition(), 6, false);
    assert!(task.take(&partition(), Some(&committed(5, ""))).is_none());
    assert_eq!(rig.next_given_up(), 6);
}

#[test]
fn what_nobody_takes_is_given_up_after_its_time_and_only_that() {
    let rig = Rig::new();
    rig.park(&rig.task(&[], Duration::from_millis(1)), &partition(), 1);
    assert_eq!((rig.next_given_up(), rig.open_bytes()), (1, 0));
    let (brief, task) = (rig.task(&[], Duration::from_millis(1)), rig.task(&[], LONG));
    rig.park(&brief, &partition(), 2);
    assert!(task.take(&partition(), Some(&committed(5, ""))).is_some());
    rig.park(&task, &partition(), 3);
    // The time of the second state passes before that of this one.
    rig.park(&brief, &TopicPartition::new("t", 1), 4);
    assert_eq!(rig.next_given_up(), 4);
    assert!(task.take(&partition(), Some(&committed(5, ""))).is_some(), "it has its own time");
}

#[test]
fn parked_states_are_the_first_to_give_memory_back() {
    let rig = Rig::new();
    let task = rig.task(&[], LONG);
    rig.park(&task, &partition(), 1);
    rig.lot.relieve();
    assert_eq!(rig.open_bytes(), 600, "there is enough");
    let others = rig.memory.share(MemoryKind::Decode);
    others.set(200);
    assert!(!task.is_open(), "no further one is taken");
    rig.lot.relieve();
    assert_eq!((rig.next_given_up(), rig.open_bytes()), (1, 0));
    assert!(task.is_open());
}

#[test]
fn a_worker_that_stops_keeps_nothing_and_waits_for_the_store() {
    let rig = Rig::new();
    let task = rig.task(&[], LONG);
    rig.park(&task, &partition(), 1);
    let closed = rig.lot.close();
    assert!(!task.is_open());
    rig.runtime.block_on(closed);
    assert_eq!(rig.given_up.try_recv(), Ok(1), "it was over then");
    rig.park(&task, &partition(), 2);
    assert_eq!((rig.next_given_up(), rig.open_bytes()), (2, 0));
    rig.lot.open();
    rig.park(&task, &partition(), 3);
    assert!(task.take(&partition(), Some(&committed(5, ""))).is_some());
}
