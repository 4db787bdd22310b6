//! Both engines: what is stored comes back, and its space is freed with the last extent.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::bridge::Waker;
use lakeward_api::memory::Memory;
use lakeward_api::spill::{Loading, SpillDevice as _};

use super::*;
use crate::executor::{Engine, EngineChoice, Shard, ShardCommand, choose_engine};

fn on_shard<F: Future<Output = ()> + 'static>(engine: Engine, work: impl FnOnce(Disk) -> F + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let bridge = Arc::new(TokioBridge::new(runtime.handle().clone()));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let shard = Shard::start(0, engine).unwrap();
    let (answer, done) = flume::bounded(1);
    assert!(shard.send(ShardCommand::new(move || {
        let disk = Disk::new(DiskSettings {
            directory: path,
            bridge,
            memory: Memory::new(1 << 30),
            waker: Waker::new(|| {}),
        });
        executor::spawn_local(async move {
            work(disk).await;
            answer.send(()).unwrap();
        });
    })));
    done.recv().expect("the work did not panic");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "files have no names");
}

async fn loaded(loading: &Loading) -> Vec<u8> {
    loop {
        if let Some(bytes) = loading.take() {
            return bytes;
        }
        executor::sleep(Duration::from_millis(1)).await;
    }
}

fn engines() -> [Engine; 2] {
    [Engine::Epoll, choose_engine(EngineChoice::Auto).unwrap().0]
}

#[test]
fn extents_come_back_whole_and_in_part_over_several_segments() {
    for engine in engines() {
        on_shard(engine, async |disk| {
            // More than one segment: each takes extents until it is full.
            let bytes = |seed: u8| vec![seed; 640 << 10];
            let extents: Vec<Extent> = (0..4).map(|seed| disk.store(bytes(seed))).collect();
            assert_eq!(extents[0].segment.number(), extents[1].segment.number());
            assert_ne!(extents[1].segment.number(), extents[2].segment.number());
            for (seed, extent) in (0..4).zip(&extents) {
                assert!(loaded(&disk.load(extent)).await == bytes(seed));
                assert_eq!(loaded(&disk.load(&extent.part(1000, 3))).await, [seed; 3]);
            }
            assert!(disk.take_failure().is_none());
            let memory = disk.0.settings.memory.clone();
            assert_eq!((memory.spilled_bytes(), memory.used_bytes()), (2560 << 10, 0));
            drop(extents);
            assert_eq!(memory.spilled_bytes(), 0);
            while !disk.0.state.borrow().files.is_empty() {
                executor::sleep(Duration::from_millis(1)).await;
            }
        });
    }
}

#[test]
fn a_directory_that_is_gone_is_a_failure_with_the_remedy() {
    for engine in engines() {
        on_shard(engine, async |mut disk| {
            Rc::get_mut(&mut disk.0).unwrap().settings.directory = "/nonexistent/directory".into();
            let extent = disk.store(vec![1]);
            let failure = loop {
                match disk.take_failure() {
                    Some(failure) => break failure,
                    None => executor::sleep(Duration::from_millis(1)).await,
                }
            };
            assert_eq!(failure.class(), lakeward_api::ErrorClass::Retriable);
            assert!(failure.to_string().contains("lakeward.spill.dir (/nonexistent/directory)"));
            drop(extent);
        });
    }
}
