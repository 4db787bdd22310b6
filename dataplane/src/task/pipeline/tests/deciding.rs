//! Decisions between the sink, the ledger and the coordinator's answers.

use lakeward_api::cuts::{Cut, Opening};
use lakeward_api::sink::NoRoom;
use lakeward_kafka::consumer::CommitFailure;

use super::*;

/// What the test gives and gets.
#[derive(Clone, Default)]
struct Talk {
    decisions: Rc<RefCell<Vec<Decision>>>,
    decided: Rc<RefCell<Vec<i64>>>,
    has_room: Rc<RefCell<bool>>,
}

struct Deciding(Talk);

impl SinkTask for Deciding {
    fn open(&mut self, _: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        Some(Fingerprint::default())
    }

    fn take_decisions(&mut self, out: &mut Vec<Decision>) {
        out.append(&mut self.0.decisions.borrow_mut());
    }

    fn decided(&mut self, _: &TopicPartition, end: i64) -> Result<(), ConnectError> {
        self.0.decided.borrow_mut().push(end);
        Ok(())
    }

    fn no_room(&self) -> Option<NoRoom> {
        (!*self.0.has_room.borrow()).then_some(NoRoom::Store)
    }

    fn put(&mut self, _: SinkBatch, _: Now) -> Result<(), ConnectError> {
        Ok(())
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

fn rig() -> (Rig, Talk) {
    let talk = Talk::default();
    let mut rig = Rig::new(Vec::new(), Vec::new());
    let start = start(rig.runtime.handle().clone(), Arc::new(|_| ()));
    rig.pipeline = rig.runtime.block_on(pipeline(&start, Box::new(Deciding(talk.clone()))));
    let opening = Opening { partition: partition(), committed: Some(5), cuts: Vec::new() };
    rig.pipeline.ledger.open_at(&[opening]);
    (rig, talk)
}

fn decide(talk: &Talk, end: i64) {
    let cut = Cut { end, clock: Vec::new() };
    talk.decisions.borrow_mut().push(Decision { partition: partition(), cut, replaces: false });
}

#[test]
fn the_sink_hears_of_a_decision_when_its_commit_is_answered() {
    let (mut rig, talk) = rig();
    let now = Instant::now();
    decide(&talk, 9);
    rig.pipeline.take_decisions().unwrap();
    let commits = rig.pipeline.ledger.take_due(now);
    assert_eq!((commits.len(), commits[0].position.next_offset), (1, 5));
    assert!(talk.decided.borrow().is_empty());
    rig.pipeline.commit_answered(&commits, None, now).unwrap();
    assert_eq!(*talk.decided.borrow(), [9]);
    rig.pipeline.commit_answered(&commits, None, now).unwrap();
    assert_eq!(*talk.decided.borrow(), [9], "an answer counts once");
}

#[test]
fn after_an_unknown_outcome_the_group_is_joined_again_before_anything_is_decided() {
    let (mut rig, talk) = rig();
    let now = Instant::now();
    let failure = |is_unknown| CommitFailure { reason: "?".to_owned(), is_unknown, is_final: false };
    rig.pipeline.commit_answered(&[], Some(failure(true)), now).unwrap();
    decide(&talk, 9);
    assert_eq!(rig.pipeline.take_decisions().unwrap_err().class(), ErrorClass::Retriable);

    let (mut rig, talk) = self::rig();
    decide(&talk, 9);
    rig.pipeline.take_decisions().unwrap();
    assert_eq!(rig.pipeline.ledger.take_due(now).len(), 1);
    rig.pipeline.commit_answered(&[], Some(failure(false)), now).unwrap();
    let later = now + COMMIT_INTERVAL_MAX;
    assert_eq!(rig.pipeline.ledger.take_due(later).len(), 1, "a refused decision is sent again");
    let error = rig.pipeline.commit_answered(&[], Some(failure(true)), later).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retriable);
}

#[test]
fn a_commit_that_can_never_be_taken_fails_the_task_with_the_remedy() {
    let (mut rig, _) = rig();
    let failure = CommitFailure { reason: "too large".to_owned(), is_unknown: false, is_final: true };
    let error = rig.pipeline.commit_answered(&[], Some(failure), Instant::now()).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Config);
    assert!(error.to_string().contains("offset.metadata.max.bytes"), "{error}");
}

#[test]
fn a_sink_without_room_is_given_nothing() {
    let (mut rig, talk) = rig();
    let work = rig.work();
    rig.pipeline.backlog.push_back(work);
    assert_eq!(rig.deliver().unwrap(), Some(Blocked::NoRoom(NoRoom::Store)));
    *talk.has_room.borrow_mut() = true;
    assert_eq!(rig.deliver().unwrap(), None);
}
