//! What does it cost to hand a part to the bridge and to hear back, on an idle and on a busy shard?
//!
//! `latency`: one part at a time. `window`: as many parts in flight as a multipart upload may have.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::{Budget, Permit};
use lakeward_dataplane::TokioBridge;
use lakeward_dataplane::executor::{
    Engine, EngineChoice, Shard, ShardCommand, choose_engine, spawn_local, yield_now,
};

/// The smallest part of a multipart upload.
const PART_BYTES: usize = 5 << 20;
/// Parts in flight in the `window` cases.
const WINDOW: u64 = 8;
/// Steps of the busy task between yields: a few dozen microseconds, as a run of records.
const BURN_STEPS: u64 = 20_000;

/// The task's end of the crossing: a bounded wake token and a channel of outcomes.
struct Crossing {
    bridge: Arc<dyn Bridge>,
    budget: Budget,
    part: Bytes,
    waker: Waker,
    wakes: flume::Receiver<()>,
    outcome: flume::Sender<usize>,
    outcomes: flume::Receiver<usize>,
}

impl Crossing {
    fn new(bridge: Arc<dyn Bridge>, part: Bytes) -> Self {
        let (token, wakes) = flume::bounded(1);
        let waker = Waker::new(move || {
            token.try_send(()).ok();
        });
        let (outcome, outcomes) = flume::bounded(usize::try_from(WINDOW).expect("a small number"));
        let budget = Budget::new(u64::MAX);
        Self { bridge, budget, part, waker, wakes, outcome, outcomes }
    }

    fn send(&self) {
        let part = self.part.clone();
        let permit: Permit = self.budget.take(part.len() as u64);
        let (outcome, waker) = (self.outcome.clone(), self.waker.clone());
        self.bridge.spawn(Box::pin(async move {
            let length = black_box(&part).len();
            drop(permit);
            outcome.try_send(length).expect("one slot for each part in flight");
            waker.wake();
        }));
    }

    /// Moves `count` parts across and back with at most `window` in flight.
    async fn run(self, count: u64, window: u64) -> Duration {
        let started = Instant::now();
        let (mut sent, mut answered) = (0, 0);
        while answered < count {
            while sent < count && sent - answered < window {
                self.send();
                sent += 1;
            }
            self.wakes.recv_async().await.expect("the waker lives as long as this task");
            while let Ok(length) = self.outcomes.try_recv() {
                assert_eq!(length, self.part.len());
                answered += 1;
            }
        }
        started.elapsed()
    }
}

/// Burns the shard's time in small steps until `done`.
async fn burn(done: Rc<Cell<bool>>) {
    while !done.get() {
        black_box((0..BURN_STEPS).fold(0, |sum, number| sum ^ black_box(number)));
        yield_now().await;
    }
}

fn measure(shard: &Shard, crossing: Crossing, is_busy: bool, count: u64, window: u64) -> Duration {
    let (answer, answers) = flume::bounded(1);
    let is_sent = shard.send(ShardCommand::new(move || {
        let done = Rc::new(Cell::new(!is_busy));
        spawn_local(burn(Rc::clone(&done)));
        spawn_local(async move {
            let elapsed = crossing.run(count, window).await;
            done.set(true);
            answer.send(elapsed).expect("the bench waits");
        });
    }));
    assert!(is_sent, "the shard takes commands");
    answers.recv().expect("the task answers")
}

fn bridge_roundtrip(criterion: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let tokio = tokio.expect("threads can be started");
    let bridge: Arc<dyn Bridge> = Arc::new(TokioBridge::new(tokio.handle().clone()));
    let part = Bytes::from(vec![7; PART_BYTES]);
    let mut engines = vec![(Engine::Epoll, "epoll")];
    match choose_engine(EngineChoice::IoUring) {
        Ok((engine, _)) => engines.push((engine, "io_uring")),
        Err(reason) => eprintln!("io_uring is left out: {reason}"),
    }
    let mut group = criterion.benchmark_group("bridge_roundtrip");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(1));
    for (engine, name) in engines {
        let shard = Shard::start(0, engine).expect("threads can be started");
        for (is_busy, load) in [(false, "idle"), (true, "busy")] {
            for (window, kind) in [(1, "latency"), (WINDOW, "window")] {
                let id = BenchmarkId::new(format!("{name}_{load}"), kind);
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|count| {
                        let crossing = Crossing::new(Arc::clone(&bridge), part.clone());
                        measure(&shard, crossing, is_busy, count, window)
                    });
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, bridge_roundtrip);
criterion_main!(benches);
