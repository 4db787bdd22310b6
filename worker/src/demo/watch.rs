//! Watching a demo: who got how far, and whether anything is stuck or dead.
//!
//! Owns: the poll of committed offsets and the progress line. Must not: call anything done before the
//! committed offsets reach the acknowledged ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lakeward_loadgen::producer::Acknowledged;
use lakeward_loadgen::topic::CommittedOffsets;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::children::Worker;
use super::feed::Fed;

const POLL_PAUSE: Duration = Duration::from_millis(50);
const STATUS_PAUSE: Duration = Duration::from_secs(1);
/// A demo without any progress for this long has failed.
const STUCK_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two plain progress lines, when nobody looks at a terminal.
const LINE_PAUSE: Duration = Duration::from_secs(2);

/// Committed offsets, polled by a thread of its own until dropped.
pub(super) struct CommittedWatch {
    latest: watch::Receiver<Vec<i64>>,
    stopped: Arc<AtomicBool>,
}

impl CommittedWatch {
    /// Polls what `offsets` reads. A failed read keeps the last answer: a group that does not exist yet is no
    /// error, and one that never answers shows as no progress.
    pub(super) fn start(offsets: CommittedOffsets, partitions: u32) -> Self {
        let (sender, latest) = watch::channel(vec![0; partitions as usize]);
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        std::thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                match offsets.read() {
                    Ok(read) => drop(sender.send_replace(read)),
                    Err(err) => {
                        tracing::debug!(error = format!("{err:#}"), "committed offsets are not readable")
                    }
                }
                std::thread::sleep(POLL_PAUSE);
            }
        });
        Self { latest, stopped }
    }

    fn offsets(&self) -> Vec<i64> {
        self.latest.borrow().clone()
    }
}

impl Drop for CommittedWatch {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

/// Everything that is watched until the last record is durable.
pub(super) struct Watched<'a> {
    /// Connector name.
    pub(super) connector: &'a str,
    /// Committed offsets of its group.
    pub(super) committed: CommittedWatch,
    /// What the producer got acknowledged.
    pub(super) acknowledged: Arc<Acknowledged>,
    /// Where finished objects appear.
    pub(super) lake: &'a Path,
    /// How progress is shown.
    pub(super) progress: Progress,
}

impl Watched<'_> {
    /// Resolves when every acknowledged record is committed; fails when the worker dies, the connector or
    /// producer fails, or nothing moves for a minute.
    pub(super) async fn until_durable(
        &self,
        worker: &mut Worker,
        mut feeding: Option<JoinHandle<Result<Fed>>>,
        mut fed: Option<Fed>,
    ) -> Result<Fed> {
        let mut last = (0, 0);
        let mut moved = Instant::now();
        let mut checked = Instant::now();
        loop {
            worker.check_alive()?;
            if feeding.as_ref().is_some_and(JoinHandle::is_finished) {
                let handle = feeding.take().context("the handle was just there")?;
                fed = Some(handle.await.context("the producer panicked")??);
            }
            let committed = self.committed.offsets();
            let durable: u64 = committed.iter().map(|offset| offset.unsigned_abs()).sum();
            let now = (self.acknowledged.records(), durable);
            self.progress.show(now.0, durable, || parquet_files(self.lake));
            if let Some(fed) = fed.take_if(|fed| reached(&committed, &fed.ends)) {
                self.progress.finish();
                return Ok(fed);
            }
            if now != last {
                (last, moved) = (now, Instant::now());
            } else if moved.elapsed() > STUCK_TIMEOUT {
                bail!(
                    "no progress for {} s: {} records produced, {durable} durable",
                    STUCK_TIMEOUT.as_secs(),
                    now.0
                );
            }
            if checked.elapsed() > STATUS_PAUSE {
                checked = Instant::now();
                worker.rest.check_running(self.connector).await?;
            }
            tokio::time::sleep(POLL_PAUSE).await;
        }
    }
}

fn reached(committed: &[i64], ends: &[i64]) -> bool {
    committed.len() == ends.len() && committed.iter().zip(ends).all(|(offset, end)| offset >= end)
}

/// Parquet files below `directory`; what cannot be read counts as none, since this only feeds the progress
/// line.
fn parquet_files(directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries
        .flatten()
        .map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                parquet_files(&path)
            } else {
                usize::from(path.extension().is_some_and(|e| e == "parquet"))
            }
        })
        .sum()
}

/// A live bar on a terminal, a plain line every two seconds elsewhere; both on standard error.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: std::cell::Cell<Instant>,
}

impl Progress {
    /// Starts the clock; `expected` is the record count, if known.
    pub(super) fn start(expected: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(expected, ProgressDrawTarget::stderr());
        let shape = match expected {
            Some(_) => "  {bar:32.cyan/blue} {percent:>3}%  {msg}",
            None => "  {spinner} {msg}",
        };
        let style = ProgressStyle::with_template(shape).expect("the template is a constant that parses");
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        let now = Instant::now();
        Self { bar, started: now, shown: std::cell::Cell::new(now) }
    }

    fn show(&self, produced: u64, durable: u64, files: impl FnOnce() -> usize) {
        let pause = if self.bar.is_hidden() { LINE_PAUSE } else { POLL_PAUSE * 2 };
        if self.shown.get().elapsed() < pause {
            return;
        }
        self.shown.set(Instant::now());
        let rate = durable as f64 / self.started.elapsed().as_secs_f64();
        let message = format!("{produced} produced, {durable} durable, {rate:.0} rows/s, {} files", files());
        if self.bar.is_hidden() {
            tracing::info!("{message}");
        } else {
            self.bar.set_position(durable);
            self.bar.set_message(message);
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn done_means_every_partition_reached_its_end() {
        assert!(reached(&[5, 7], &[5, 6]));
        assert!(!reached(&[9, 5], &[5, 6]));
        assert!(!reached(&[5], &[5, 6]));
    }
}
