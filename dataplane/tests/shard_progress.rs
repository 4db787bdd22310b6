//! A shard whose core is contended never goes to sleep over a task that is ready to run.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lakeward_dataplane::executor::{
    EngineChoice, Shard, ShardCommand, choose_engine, spawn_local, yield_now,
};

/// Long enough that the executor was seen to fall asleep every time on a contended core.
const WORK: Duration = Duration::from_secs(5);
/// Far more than any machine needs; a shard that fell asleep never answers.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_ready_task_is_never_forgotten_on_a_contended_core() {
    let stop = Arc::new(AtomicBool::new(false));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let burners: Vec<_> = (0..cores * 2)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    black_box(0);
                }
            })
        })
        .collect();
    let (engine, _) = choose_engine(EngineChoice::Auto).expect("some engine works");
    let shard = Shard::start(0, engine).expect("threads can be started");
    let (done, outcome) = flume::bounded(1);
    let sent = shard.send(ShardCommand::new(move || {
        spawn_local(async move {
            let started = Instant::now();
            while started.elapsed() < WORK {
                black_box((0..200_000_u64).fold(0, |sum, number| sum ^ black_box(number)));
                yield_now().await;
            }
            done.send(()).expect("the test waits");
        });
    }));
    assert!(sent, "an idle shard takes commands");
    let outcome = outcome.recv_timeout(PATIENCE);
    stop.store(true, Ordering::Relaxed);
    for burner in burners {
        burner.join().expect("burners do not panic");
    }
    outcome.expect("the shard went to sleep although its task was ready");
}
