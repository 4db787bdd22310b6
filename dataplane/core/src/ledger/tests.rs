//! What is committed, and when.

use super::*;

fn at(partition: i32, next_offset: i64) -> Position {
    Position { partition: TopicPartition::new("t", partition), next_offset }
}

fn commit(partition: i32, next_offset: i64) -> CommittedPosition {
    CommittedPosition { position: at(partition, next_offset), metadata: String::new() }
}

fn opened() -> (PositionLedger, Instant) {
    let mut ledger = PositionLedger::new(Duration::from_secs(1));
    ledger.open(&[TopicPartition::new("t", 0), TopicPartition::new("t", 1)]);
    (ledger, Instant::now())
}

#[test]
fn only_durable_positions_are_committed_once_and_after_the_interval() {
    let (mut ledger, now) = opened();
    ledger.durable(&at(0, 10), now);
    assert!(ledger.take_due(now).is_empty());
    let later = now + Duration::from_secs(1);
    assert_eq!(ledger.take_due(later), [commit(0, 10)]);
    assert!(ledger.is_committing(&[TopicPartition::new("t", 0)]));
    assert!(ledger.take_for(&[TopicPartition::new("t", 0)]).is_empty());
    ledger.committed(&commit(0, 10), now);
    assert!(!ledger.is_committing(&[TopicPartition::new("t", 0)]));
    assert!(ledger.take_for(&[TopicPartition::new("t", 0)]).is_empty());
}

#[test]
fn a_failed_commit_is_tried_again() {
    let (mut ledger, now) = opened();
    ledger.durable(&at(1, 5), now);
    assert_eq!(ledger.take_for(&[TopicPartition::new("t", 1)]), [commit(1, 5)]);
    assert!(ledger.commit_failed(FailedCommit::Unknown, now), "no cut is decided here");
    assert_eq!(ledger.take_due(now + Duration::from_secs(1)), [commit(1, 5)]);
}

#[test]
fn answers_about_closed_partitions_are_ignored() {
    let (mut ledger, now) = opened();
    ledger.durable(&at(0, 10), now);
    ledger.close(&[TopicPartition::new("t", 0)]);
    ledger.committed(&commit(0, 10), now);
    ledger.durable(&at(0, 3), now);
    assert!(ledger.take_due(now + Duration::from_secs(2)).is_empty());
}

#[test]
fn a_late_answer_about_an_earlier_assignment_is_ignored() {
    let (mut ledger, now) = opened();
    let partition = TopicPartition::new("t", 0);
    ledger.durable(&at(0, 10), now);
    assert_eq!(ledger.take_for(std::slice::from_ref(&partition)), [commit(0, 10)]);
    ledger.close(std::slice::from_ref(&partition));
    ledger.open(std::slice::from_ref(&partition));
    ledger.committed(&commit(0, 10), now);
    ledger.durable(&at(0, 12), now);
    assert_eq!(ledger.take_for(&[partition]), [commit(0, 12)]);
}

#[test]
fn no_position_beyond_an_unacknowledged_report_is_committed() {
    let (mut ledger, now) = opened();
    let partition = TopicPartition::new("t", 0);
    let only = std::slice::from_ref(&partition);
    for offset in [4, 4, 7] {
        ledger.report_began(&partition, offset);
    }
    ledger.durable(&at(0, 4), now);
    assert_eq!(ledger.take_for(only), [commit(0, 4)], "the reports are behind it");
    ledger.committed(&commit(0, 4), now);
    ledger.durable(&at(0, 7), now);
    assert!(ledger.is_held(only));
    let later = now + Duration::from_secs(2);
    assert!(ledger.take_due(later).is_empty());
    ledger.report_ended(&partition, 4, later);
    assert!(ledger.take_for(only).is_empty(), "the record was reported twice");
    ledger.report_ended(&partition, 4, later);
    assert!(!ledger.is_held(only));
    assert_eq!(ledger.take_for(only), [commit(0, 7)]);
    ledger.committed(&commit(0, 7), later);
    ledger.durable(&at(0, 9), later);
    ledger.report_ended(&partition, 7, later);
    assert_eq!(ledger.take_due(later + Duration::from_secs(1)), [commit(0, 9)]);
}

#[test]
fn reports_of_an_earlier_assignment_hold_nothing() {
    let (mut ledger, now) = opened();
    let partition = TopicPartition::new("t", 0);
    let only = std::slice::from_ref(&partition);
    ledger.report_began(&partition, 1);
    ledger.close(only);
    ledger.open(only);
    ledger.durable(&at(0, 5), now);
    assert_eq!(ledger.take_for(only), [commit(0, 5)]);
}

#[test]
#[should_panic(expected = "moved backwards")]
fn durable_never_moves_backwards() {
    let (mut ledger, now) = opened();
    ledger.durable(&at(0, 10), now);
    ledger.durable(&at(0, 9), now);
}

#[test]
#[should_panic(expected = "beyond what is durable")]
fn nothing_is_committed_before_it_is_durable() {
    let (mut ledger, now) = opened();
    ledger.durable(&at(0, 10), now);
    ledger.committed(&commit(0, 11), now);
}

fn decision(end: i64) -> Decision {
    let cut = lakeward_api::cuts::Cut { end, clock: Vec::new() };
    Decision { partition: TopicPartition::new("t", 0), cut, replaces: false }
}

/// A ledger with `t-0` committed at `committed`.
fn opened_at(committed: i64, cuts: &[i64]) -> (PositionLedger, Instant) {
    let mut ledger = PositionLedger::new(Duration::from_secs(1)).with_fingerprint("AAA".into());
    let cuts = cuts.iter().map(|end| decision(*end).cut).collect();
    let partition = TopicPartition::new("t", 0);
    ledger.open_at(&[Opening { partition, committed: Some(committed), cuts }]);
    (ledger, Instant::now())
}

fn with_text(next_offset: i64, metadata: &str) -> CommittedPosition {
    CommittedPosition { position: at(0, next_offset), metadata: metadata.to_owned() }
}

#[test]
fn a_decision_commits_the_old_position_at_once_and_the_end_follows_without_it() {
    let (mut ledger, now) = opened_at(100, &[]);
    assert!(ledger.decide(decision(120)));
    assert!(ledger.decide(decision(125)));
    let decided = with_text(100, "lakeward-cuts-1;AAA;20;5");
    assert_eq!(ledger.take_due(now), std::slice::from_ref(&decided));
    assert!(ledger.decide(decision(126)));
    assert!(ledger.take_due(now).is_empty(), "one commit at a time");
    assert_eq!(ledger.committed(&decided, now), Some(125));
    let more = with_text(100, "lakeward-cuts-1;AAA;20;5;1");
    assert_eq!(ledger.take_due(now), std::slice::from_ref(&more));
    assert_eq!(ledger.committed(&more, now), Some(126));
    ledger.durable(&at(0, 120), now);
    let later = now + Duration::from_secs(1);
    let moved = with_text(120, "lakeward-cuts-1;AAA;5;1");
    assert_eq!(ledger.take_due(later), std::slice::from_ref(&moved));
    assert_eq!(ledger.committed(&moved, later), None);
    ledger.durable(&at(0, 126), later);
    assert_eq!(ledger.take_due(later + Duration::from_secs(1)), [with_text(126, "")]);
}

#[test]
fn without_a_committed_position_the_first_record_fetched_is_committed_with_the_decision() {
    let (mut ledger, now) = opened();
    ledger.fetched(&TopicPartition::new("t", 0), 40);
    ledger.fetched(&TopicPartition::new("t", 0), 60);
    assert!(ledger.decide(decision(61)));
    assert_eq!(ledger.take_due(now), [with_text(40, "lakeward-cuts-1;;21")]);
}

#[test]
fn repeated_cuts_stay_recorded_until_they_are_durable_and_are_not_acknowledged_twice() {
    let (mut ledger, now) = opened_at(100, &[120, 125]);
    assert!(ledger.take_due(now).is_empty(), "they are recorded already");
    ledger.durable(&at(0, 120), now);
    let later = now + Duration::from_secs(1);
    let moved = with_text(120, "lakeward-cuts-1;AAA;5");
    assert_eq!(ledger.take_due(later), std::slice::from_ref(&moved));
    assert_eq!(ledger.committed(&moved, later), None);
}

#[test]
fn a_decision_does_not_carry_the_position_beyond_a_report() {
    let (mut ledger, now) = opened_at(100, &[110]);
    ledger.report_began(&TopicPartition::new("t", 0), 105);
    ledger.durable(&at(0, 110), now);
    assert!(ledger.decide(decision(130)));
    assert_eq!(ledger.take_due(now), [with_text(100, "lakeward-cuts-1;AAA;10;20")]);
}

#[test]
fn after_a_commit_of_unknown_outcome_nothing_is_decided_in_this_membership() {
    let (mut ledger, now) = opened_at(100, &[]);
    assert!(ledger.decide(decision(110)));
    let decided = ledger.take_due(now);
    assert!(ledger.commit_failed(FailedCommit::Refused, now));
    assert!(ledger.take_due(now).is_empty(), "a refused decision is told again after the interval");
    let later = now + Duration::from_secs(1);
    assert_eq!(ledger.take_due(later), decided);
    assert!(!ledger.commit_failed(FailedCommit::Unknown, later), "the cut may be recorded or not");
    assert!(!ledger.decide(decision(120)));

    let (mut ledger, now) = opened_at(100, &[110]);
    ledger.durable(&at(0, 110), now);
    assert_eq!(ledger.take_for(&[TopicPartition::new("t", 0)]).len(), 1);
    assert!(ledger.commit_failed(FailedCommit::Unknown, now), "nothing new is recorded in it");
    assert!(!ledger.decide(decision(120)));
}

#[test]
#[should_panic(expected = "before their cut was decided")]
fn no_cut_is_durable_before_its_decision_is_acknowledged() {
    let (mut ledger, now) = opened_at(100, &[]);
    assert!(ledger.decide(decision(110)));
    assert_eq!(ledger.take_due(now).len(), 1);
    ledger.durable(&at(0, 110), now);
}

#[test]
fn what_leaves_unacknowledged_is_withdrawn() {
    let (mut ledger, now) = opened_at(100, &[110]);
    let partition = [TopicPartition::new("t", 0)];
    assert!(ledger.decide(decision(120)));
    let decided = ledger.take_due(now);
    ledger.withdraw(&partition);
    ledger.durable(&at(0, 110), now);
    assert!(ledger.take_for(&partition).is_empty() && ledger.is_committing(&partition));
    assert_eq!(ledger.committed(&decided[0], now), None, "its files are gone");
    assert_eq!(ledger.take_for(&partition), [with_text(110, "")]);
}

#[test]
fn a_cut_that_replaces_repeated_ones_is_not_acknowledged_by_an_earlier_commit() {
    let (mut ledger, now) = opened_at(100, &[120, 140]);
    ledger.durable(&at(0, 105), now);
    let partition = [TopicPartition::new("t", 0)];
    let sent = ledger.take_for(&partition);
    assert_eq!(sent, [with_text(105, "lakeward-cuts-1;AAA;15;20")]);
    assert!(ledger.decide(Decision { replaces: true, ..decision(110) }));
    assert_eq!(ledger.committed(&sent[0], now), None);
    let told = ledger.take_due(now);
    assert_eq!(told, [with_text(105, "lakeward-cuts-1;AAA;5")]);
    assert_eq!(ledger.committed(&told[0], now), Some(110));
}

#[test]
fn where_reading_began_is_committed_when_nothing_else_is_known() {
    let (mut ledger, now) = opened();
    let partition = TopicPartition::new("t", 0);
    ledger.anchor(&partition);
    assert!(ledger.take_for(std::slice::from_ref(&partition)).is_empty(), "nothing was read");
    ledger.fetched(&partition, 40);
    ledger.fetched(&partition, 50);
    ledger.anchor(&partition);
    assert_eq!(ledger.begin(&partition), Some(40));
    assert_eq!(ledger.take_for(std::slice::from_ref(&partition)), [commit(0, 40)]);
    ledger.committed(&commit(0, 40), now);
    ledger.anchor(&partition);
    assert!(ledger.take_for(std::slice::from_ref(&partition)).is_empty(), "once");
    let (mut known, _) = opened_at(100, &[]);
    known.anchor(&partition);
    assert!(known.take_for(std::slice::from_ref(&partition)).is_empty());
    let (mut stored, now) = opened();
    stored.fetched(&partition, 40);
    stored.durable(&at(0, 60), now);
    stored.anchor(&partition);
    assert_eq!(stored.take_for(std::slice::from_ref(&partition)), [commit(0, 60)]);
}

#[test]
fn a_partition_is_reporting_until_every_report_is_acknowledged() {
    let (mut ledger, now) = opened();
    let partitions = [TopicPartition::new("t", 0)];
    ledger.report_began(&partitions[0], 7);
    ledger.report_began(&partitions[0], 7);
    assert!(ledger.is_reporting(&partitions) && !ledger.is_held(&partitions));
    ledger.report_ended(&partitions[0], 7, now);
    assert!(ledger.is_reporting(&partitions));
    ledger.report_ended(&partitions[0], 7, now);
    assert!(!ledger.is_reporting(&partitions));
}
