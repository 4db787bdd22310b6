//! A wake from the bridge reaches its task on a shard that another task keeps busy, on every engine.
//!
//! How soon is a question for `bench/benches/bridge_roundtrip.rs`; here only that it does.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::Budget;
use lakeward_dataplane::TokioBridge;
use lakeward_dataplane::executor::{
    Engine, EngineChoice, Shard, ShardCommand, choose_engine, spawn_local, yield_now,
};

const ROUND_TRIPS: u64 = 100;
/// Far more than any machine needs; a wake that is lost never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Burns the shard's time in small steps until `done`.
async fn burn(done: Rc<Cell<bool>>) {
    while !done.get() {
        black_box((0..10_000_u64).fold(0, |sum, number| sum ^ black_box(number)));
        yield_now().await;
    }
}

/// Sends a part over the bridge and waits for the wake, many times; returns where the parts were seen.
async fn cross(bridge: Arc<dyn Bridge>, budget: Budget) -> Vec<ThreadId> {
    let (token, wakes) = flume::bounded(1);
    let waker = Waker::new(move || {
        token.try_send(()).ok();
    });
    let (outcome, outcomes) = flume::bounded(1);
    let mut seen = Vec::new();
    for _ in 0..ROUND_TRIPS {
        let permit = budget.take(1);
        let (outcome, waker) = (outcome.clone(), waker.clone());
        bridge.spawn(Box::pin(async move {
            drop(permit);
            outcome.send(thread::current().id()).expect("the task waits");
            waker.wake();
        }));
        wakes.recv_async().await.expect("the waker lives");
        seen.push(outcomes.try_recv().expect("the outcome is there before the wake"));
    }
    seen
}

fn wakes_reach_a_busy_shard(engine: Engine) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let tokio = tokio.expect("threads can be started");
    let bridge: Arc<dyn Bridge> = Arc::new(TokioBridge::new(tokio.handle().clone()));
    let budget = Budget::new(ROUND_TRIPS);
    let shard = Shard::start(0, engine).expect("threads can be started");
    let (answer, answers) = flume::bounded(1);
    let shard_budget = budget.clone();
    assert!(shard.send(ShardCommand::new(move || {
        let done = Rc::new(Cell::new(false));
        spawn_local(burn(Rc::clone(&done)));
        spawn_local(async move {
            let seen = cross(bridge, shard_budget).await;
            done.set(true);
            answer.send((thread::current().id(), seen)).expect("the test waits");
        });
    })));
    let (home, seen) = answers.recv_timeout(PATIENCE).expect("every wake arrives");
    assert_eq!(seen.len() as u64, ROUND_TRIPS);
    assert!(!seen.contains(&home), "parts are handled away from the shard");
    assert_eq!(budget.used_bytes(), 0);
}

#[test]
fn a_wake_reaches_a_busy_epoll_shard() {
    wakes_reach_a_busy_shard(Engine::Epoll);
}

#[test]
fn a_wake_reaches_a_busy_shard_of_the_preferred_engine() {
    let (engine, _) = choose_engine(EngineChoice::Auto).unwrap();
    wakes_reach_a_busy_shard(engine);
}
