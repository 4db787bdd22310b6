//! A topic that is written all the time while a test does something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{Record, Sender};
use lakeward_testkit::wait::wait_for;

const PATIENCE: Duration = Duration::from_secs(120);
/// From the end of a batch to the next: the load, which sinks under test can follow on a busy machine.
const PAUSE: Duration = Duration::from_millis(50);

/// Writes numbered records, batch after batch, until it is dropped or finished.
pub(crate) struct Writer {
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    seed: u64,
}

impl Writer {
    /// Writes what `record` makes of the numbers from 0 on; `batch` records are acknowledged together. `seed`
    /// decides how long [`Writer::wait_for_some`] takes.
    pub(crate) fn start(topic: &str, seed: u64, batch: u64, record: fn(u64) -> Record) -> Self {
        let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stopping, topic) = (Arc::clone(&acknowledged), Arc::clone(&stop), topic.to_owned());
        let thread = std::thread::spawn(move || {
            let sender = Sender::new(KafkaBroker::shared()).expect("a producer can be made");
            while !stopping.load(Ordering::Acquire) {
                let first = count.load(Ordering::Acquire);
                let records: Vec<Record> = (first..first + batch).map(record).collect();
                sender.send(&topic, &records).expect("the broker takes records");
                count.store(first + batch, Ordering::Release);
                std::thread::sleep(PAUSE);
            }
        });
        Self { acknowledged, stop, thread: Some(thread), seed }
    }

    /// How many records are acknowledged.
    pub(crate) fn count(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// Waits for a number of further records below `limit`.
    pub(crate) fn wait_for_some(&mut self, limit: u64) {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wanted = self.count() + (self.seed >> 33) % limit;
        wait_for(&format!("{wanted} records"), PATIENCE, || {
            if self.count() >= wanted { Ok(()) } else { Err(self.count()) }
        });
    }

    /// Ends the last batch; how many records there are.
    pub(crate) fn finish(&mut self) -> u64 {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the writer does not panic");
        }
        self.count()
    }

    /// Counts `count` records that the test writes itself once this has finished; the number of the first.
    pub(crate) fn leave(&mut self, count: u64) -> u64 {
        self.acknowledged.fetch_add(count, Ordering::AcqRel)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}
