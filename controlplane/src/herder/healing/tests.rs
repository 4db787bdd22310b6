//! Automatic restarts and the watchdog through the herder. Time is virtual.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::pulse::Waiting;
use lakeward_controlplane_core::config_log::{RestartRequest, TargetState};

use super::super::recorder::Recorder;
use super::super::tests::{Bench, LEADER};
use super::super::{Command, Expected, SharedWrite};

const ON: [(&str, &str); 3] = [
    ("lakeward.auto.restart.enabled", "true"),
    ("lakeward.auto.restart.backoff.ms", "1000"),
    ("lakeward.auto.restart.max.attempts", "3"),
];

const FAILED: &str = "org.apache.kafka.connect.errors.ConnectException: no\n";

fn seconds(pauses: &[Duration]) -> Vec<u64> {
    pauses.iter().map(Duration::as_secs).collect()
}

#[tokio::test(start_paused = true)]
async fn failed_tasks_stay_failed_unless_restarts_are_switched_on() {
    let runtime = Recorder::failing(&[FAILED]);
    let bench = Bench::over(LEADER, &[], &runtime);
    bench.create_with(&[]).await.unwrap();
    bench.within(Duration::from_secs(3_600)).await;
    assert_eq!(runtime.specs().len(), 1);
    assert_eq!(bench.task_state(), "FAILED");
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_is_started_again_after_growing_pauses_until_it_runs() {
    let runtime = Recorder::failing(&[FAILED; 3]);
    let bench = Bench::over(LEADER, &ON, &runtime);
    bench.create_with(&[]).await.unwrap();
    bench.within(Duration::from_secs(60)).await;
    assert_eq!(seconds(&runtime.pauses()), [1, 2, 4]);
    assert_eq!(bench.task_state(), "RUNNING");
}

#[tokio::test(start_paused = true)]
async fn after_all_attempts_a_task_stays_failed_and_a_person_gets_new_ones() {
    let runtime = Recorder::failing(&[FAILED; 8]);
    let bench = Bench::over(LEADER, &ON, &runtime);
    bench.create_with(&[]).await.unwrap();
    bench.within(Duration::from_secs(3_600)).await;
    assert_eq!(runtime.specs().len(), 4);
    assert_eq!(bench.task_state(), "FAILED");
    let request = RestartRequest { include_tasks: true, only_failed: true };
    bench.request(Command::RestartPlan { name: "a".to_owned(), request }).await.unwrap();
    bench.within(Duration::from_secs(3_600)).await;
    assert_eq!(runtime.specs().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_connector_decides_for_itself() {
    let runtime = Recorder::failing(&[FAILED; 2]);
    let bench = Bench::over(LEADER, &[], &runtime);
    bench.create_with(&ON).await.unwrap();
    bench.within(Duration::from_secs(60)).await;
    assert_eq!(seconds(&runtime.pauses()), [1, 2]);
    let runtime = Recorder::failing(&[FAILED; 2]);
    let bench = Bench::over(LEADER, &ON, &runtime);
    bench.create_with(&[("lakeward.auto.restart.enabled", "false")]).await.unwrap();
    bench.within(Duration::from_secs(60)).await;
    assert_eq!(seconds(&runtime.pauses()), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_connector_is_made_again() {
    let runtime = Recorder::failing(&[]);
    let bench = Bench::over(LEADER, &ON, &runtime);
    bench.create_with(&[("break", "tasks")]).await.unwrap();
    bench.within(Duration::from_secs(3_600)).await;
    let statuses = bench.statuses_of("status-connector-a");
    let failures = statuses.iter().filter(|status| status.contains("FAILED")).count();
    assert_eq!(failures, 4, "{statuses:?}");
    assert!(statuses.last().unwrap().contains("no such bucket"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_task_of_a_paused_connector_waits_until_it_is_resumed() {
    let runtime = Recorder::failing(&[FAILED]);
    let bench = Bench::over(LEADER, &ON, &runtime);
    bench.create_with(&[]).await.unwrap();
    let target = |target| SharedWrite::SetTarget { name: "a".to_owned(), target };
    bench.herder.write(target(TargetState::Paused)).await.unwrap();
    bench.within(Duration::from_secs(100)).await;
    assert_eq!(runtime.specs().len(), 1);
    bench.herder.write(target(TargetState::Started)).await.unwrap();
    bench.within(Duration::from_secs(5)).await;
    assert_eq!(runtime.specs().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_connector_is_not_restarted() {
    let runtime = Recorder::failing(&[FAILED]);
    let bench = Bench::over(LEADER, &ON, &runtime);
    bench.create_with(&[]).await.unwrap();
    bench.request(Command::Delete { name: "a".to_owned(), expected: Expected::Anything }).await.unwrap();
    bench.within(Duration::from_secs(100)).await;
    assert_eq!(runtime.specs().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_task_is_restarted_where_restarts_are_switched_on() {
    for (settings, starts) in [(&ON[..], 2), (&[], 1)] {
        let runtime = Recorder::failing(&[]);
        let settings = [settings, &[("lakeward.watchdog.stuck.after.ms", "60000")]].concat();
        let bench = Bench::over(LEADER, &settings, &runtime);
        bench.create_with(&[]).await.unwrap();
        bench.within(Duration::from_secs(1)).await;
        let pulse = Arc::clone(&runtime.specs()[0].pulse);
        pulse.wait_for(Waiting::Store);
        for _ in 0..50 {
            pulse.turn();
            bench.within(Duration::from_secs(1)).await;
        }
        assert_eq!(runtime.specs().len(), 1, "it is not stuck yet");
        for _ in 0..30 {
            pulse.turn();
            bench.within(Duration::from_secs(1)).await;
        }
        assert_eq!(runtime.specs().len(), starts);
        assert_eq!(bench.task_state(), "RUNNING");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_moves_or_has_no_work_is_left_alone() {
    let runtime = Recorder::failing(&[]);
    let settings = [&ON[..], &[("lakeward.watchdog.stuck.after.ms", "60000")]].concat();
    let bench = Bench::over(LEADER, &settings, &runtime);
    bench.create_with(&[]).await.unwrap();
    bench.within(Duration::from_secs(1)).await;
    let pulse = Arc::clone(&runtime.specs()[0].pulse);
    for second in 0..600 {
        pulse.turn();
        if second < 300 {
            pulse.wait_for(Waiting::Store);
            pulse.moved();
        } else {
            pulse.wait_for(Waiting::Nothing);
        }
        bench.within(Duration::from_secs(1)).await;
    }
    assert_eq!(runtime.specs().len(), 1);
}
