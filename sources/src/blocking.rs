//! Work away from the shard: what blocks its thread (files, the standard streams) runs on the blocking
//! threads of the bridge's runtime, requests on the bridge itself. Only this module names that runtime.

use lakeward_api::ConnectError;
use lakeward_api::bridge::{Bridge, Waker};

/// The answer of work that was started.
pub(crate) struct Pending<T>(flume::Receiver<T>);

/// Runs `work` where it may block; the task is woken when it is done.
pub(crate) fn start<T: Send + 'static>(
    bridge: &dyn Bridge,
    waker: &Waker,
    work: impl FnOnce() -> T + Send + 'static,
) -> Pending<T> {
    let (answer, pending) = flume::bounded(1);
    let waker = waker.clone();
    bridge.spawn(Box::pin(async move {
        drop(tokio::task::spawn_blocking(move || {
            // The task may be gone.
            drop(answer.send(work()));
            waker.wake();
        }));
    }));
    Pending(pending)
}

/// Runs `request` on the bridge; the task is woken when it is answered.
#[cfg(feature = "source-s3")]
pub(crate) fn ask<T: Send + 'static>(
    bridge: &dyn Bridge,
    waker: &Waker,
    request: impl Future<Output = T> + Send + 'static,
) -> Pending<T> {
    let (answer, pending) = flume::bounded(1);
    let waker = waker.clone();
    bridge.spawn(Box::pin(async move {
        // The task may be gone.
        drop(answer.send(request.await));
        waker.wake();
    }));
    Pending(pending)
}

impl<T> Pending<T> {
    /// The answer when it is there.
    ///
    /// # Errors
    /// `Fatal` when the work panicked or its runtime ended.
    pub(crate) fn take(&self) -> Result<Option<T>, ConnectError> {
        match self.0.try_recv() {
            Ok(answer) => Ok(Some(answer)),
            Err(flume::TryRecvError::Empty) => Ok(None),
            Err(flume::TryRecvError::Disconnected) => Err(ConnectError::fatal(
                "A thread that reads or writes for this task ended without an answer",
            )),
        }
    }

    #[cfg(feature = "source-test")]
    /// Waits for the end of the work. Blocks: for blocking threads only.
    pub(crate) fn wait(self) {
        drop(self.0.recv());
    }
}
