//! A whole task against the server: what it stores is tagged, what an earlier one left behind goes.

use std::time::Instant;

use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::record::TopicPartition;
use lakeward_api::sink::{Now, SinkTask as _, SinkTaskContext};
use lakeward_api::value::Value;
use object_store::multipart::MultipartStore as _;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::tags::{assert_tags, tags};
use super::*;
use crate::s3::task::S3SinkTask;

struct OnRuntime(Handle);

impl Bridge for OnRuntime {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

fn task(bench: &Bench, woken: &Arc<Notify>) -> S3SinkTask {
    let bell = Arc::clone(woken);
    let mut task = S3SinkTask::new(SinkTaskContext {
        connector: bench.objects.bucket().into(),
        task: 0,
        config: Arc::new(bench.props.clone()),
        bridge: Arc::new(OnRuntime(Handle::current())),
        in_flight: Budget::new(64 << 20),
        room: lakeward_api::sink::Room::default(),
        waker: Waker::new(move || bell.notify_one()),
        flush_interval: std::time::Duration::from_mins(1),
        can_reject: false,
        files: Arc::default(),
    })
    .unwrap();
    task.open(&[TopicPartition::new("t", 0)]).unwrap();
    task
}

fn now() -> Now {
    Now { monotonic: Instant::now(), wall_ms: 1_700_000_000_000 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_tell_what_was_written_and_not_what_was_skipped() {
    let pairs = [
        ("s3.object.tagging", "true"),
        ("s3.object.behavior.on.tagging.error", "fail"),
        ("behavior.on.null.values", "ignore"),
        // Its object would be there for a moment.
        ("lakeward.probe.conditional.writes", "false"),
    ];
    let bench = Bench::new("task-tags", &pairs);
    let woken = Arc::new(Notify::new());
    let mut task = task(&bench, &woken);
    let text = |text: &str| Value::String(text.into());
    task.put(crate::rig::batch(5, vec![text("a"), Value::Null, text("b"), text("c")]), now()).unwrap();
    let mut durable = Vec::new();
    while durable.is_empty() {
        woken.notified().await;
        task.poll(now()).unwrap();
        task.take_durable(&mut durable);
    }
    assert_eq!(durable[0].next_offset, 9);
    let name = "topics/t/partition=0/t+0+0000000005.json";
    assert_eq!(bench.names().await, [name]);
    assert_tags(&tags(&bench, name).await, &[("startOffset", "5"), ("endOffset", "8"), ("recordCount", "3")]);
    task.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assigned_partition_is_swept() {
    // A probe deletes, too.
    let pairs = [("lakeward.s3.abort.orphans.after.ms", "0"), ("lakeward.probe.conditional.writes", "false")];
    let bench = Bench::new("task-sweep", &pairs);
    let s3 = bench.store.s3.as_ref().unwrap();
    let name = Path::from("topics/t/partition=0/t+0+0000000000.json");
    let id = s3.bare.create_multipart(&name).await.unwrap();
    let mut task = task(&bench, &Arc::new(Notify::new()));
    bench.proxy.wait_for("DELETE ");
    assert!(s3.bare.put_part(&name, &id, 0, PutPayload::from_static(b"x")).await.is_err());
    task.stop();
}
