//! What may go wrong between the sink and its catalog: answers are lost, tokens end.

use lakeward_testkit::iceberg::LostAnswers;
use lakeward_testkit::wait::wait_for;

use super::{IDS, PATIENCE, Rig};

/// Rows arrive once, and each commit that took place is one snapshot.
fn rows_survive(lost: LostAnswers) {
    let rig = Rig::start(1, IDS);
    rig.scenario.create(&rig.config().with(&[("tasks.max", "1")]));
    let mut end = 0;
    for count in 1..=3 {
        rig.catalog.lose_answers(&rig.table, lost, count).expect("the catalog loses answers");
        // A commit starts over as often as its answer is lost: one that took place is found instead.
        wait_for("all answers to be lost", PATIENCE, || {
            rig.produce_ids(end..end + 10, 1);
            end += 10;
            rig.wait_for_rows(usize::try_from(end).expect("it is small"));
            let left = rig.catalog.answers_to_lose(&rig.table).expect("the catalog counts");
            if left == 0 { Ok(()) } else { Err(format!("{left} to come")) }
        });
    }
    rig.scenario.wait_for_commit(0, i64::from(end));
    assert_eq!(rig.ids(), (0..i64::from(end)).collect::<Vec<_>>());
    let commits = rig.python(
        "ids = [s.summary.additional_properties['kafka.connect.commit-id'] \
         for s in catalog.load_table(args[0]).snapshots()]\n\
         answer(len(ids) == len(set(ids)))",
    );
    assert_eq!(commits, serde_json::json!(true), "a commit that took place was made again");
    // Nothing of it is a failure that restarts a task.
    let log = rig.scenario.worker.log();
    assert!(log.contains("a commit starts over"), "no answer was lost");
    assert!(!log.contains("RetriableException"), "a lost answer failed the task");
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_in_the_table_and_not_made_again() {
    rows_survive(LostAnswers::ToDone);
}

#[test]
fn a_commit_that_got_lost_with_its_answer_is_made() {
    rows_survive(LostAnswers::ToUndone);
}

#[test]
fn tokens_are_asked_for_with_the_credential_and_replaced_when_they_end() {
    let rig = Rig::start(1, IDS);
    let before = rig.catalog.tokens_given().expect("the catalog counts");
    let uri = rig.catalog.secured_endpoint();
    rig.scenario.create(&rig.config().with(&[
        ("tasks.max", "1"),
        ("iceberg.catalog.uri", &uri),
        ("iceberg.catalog.credential", "us:s3cr3t"),
    ]));
    for round in 0..5 {
        rig.produce_ids(round * 10..round * 10 + 10, 1);
        rig.wait_for_rows(usize::try_from(round * 10 + 10).expect("it is small"));
    }
    assert_eq!(rig.ids(), (0..50).collect::<Vec<i64>>());
    let given = rig.catalog.tokens_given().expect("the catalog counts") - before;
    assert!(given > 1, "a token is good for five requests, {given} were given");
}

#[test]
fn a_credential_that_the_catalog_refuses_fails_the_tasks_and_is_told_to_nobody() {
    let rig = Rig::start(1, IDS);
    let uri = rig.catalog.secured_endpoint();
    rig.scenario.create(&rig.config().with(&[
        ("tasks.max", "1"),
        ("iceberg.catalog.uri", &uri),
        ("iceberg.catalog.credential", "us:wr0ng-one"),
    ]));
    let trace = rig.scenario.worker.wait_for_failure(&rig.scenario.connector);
    assert!(trace.contains("NotAuthorizedException"), "{trace}");
    let log = rig.scenario.worker.log();
    assert!(!trace.contains("wr0ng-one") && !log.contains("wr0ng-one"), "the secret is told");
}
