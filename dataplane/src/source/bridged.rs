//! Futures of clients, run on the bridge and waited for on the shard.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::oneshot;
use lakeward_api::ConnectError;
use lakeward_api::bridge::Bridge;

use crate::bridge::TokioBridge;
use crate::task::{TaskControl, TaskStart, wake_or_timeout};

const TURN_INTERVAL: Duration = Duration::from_secs(1);

/// The way of one task to the bridge and back.
pub(super) struct Bridged {
    bridge: Arc<TokioBridge>,
    control: Arc<TaskControl>,
    wakes: flume::Receiver<()>,
}

/// The answer of a future that runs on the bridge.
pub(super) struct Answer<T>(oneshot::Receiver<Result<T, ConnectError>>);

impl<T> Answer<T> {
    /// The answer, once it is there.
    pub(super) fn take(&mut self) -> Option<Result<T, ConnectError>> {
        match self.0.try_recv() {
            Ok(answer) => answer,
            Err(oneshot::Canceled) => Some(Err(ConnectError::fatal("a client call was aborted"))),
        }
    }
}

impl Bridged {
    pub(super) fn new(start: &TaskStart) -> Self {
        Self {
            bridge: Arc::clone(&start.environment.bridge),
            control: Arc::clone(&start.control),
            wakes: start.wakes.clone(),
        }
    }

    /// Starts `future`; its end wakes the pipeline.
    pub(super) fn start<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, ConnectError>> + Send + 'static,
    ) -> Answer<T> {
        let (sender, receiver) = oneshot::channel();
        let control = Arc::clone(&self.control);
        self.bridge.spawn(Box::pin(async move {
            // Nobody waits any more when the task was abandoned.
            drop(sender.send(future.await));
            control.wake();
        }));
        Answer(receiver)
    }

    /// Runs `future` and waits for it, at most until the task is abandoned.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, ConnectError>> + Send + 'static,
    ) -> Result<T, ConnectError> {
        let mut answer = self.start(future);
        loop {
            if let Some(answer) = answer.take() {
                return answer;
            }
            if self.control.is_abandoned() {
                return Err(ConnectError::retriable("the task was stopped while it waited for Kafka"));
            }
            wake_or_timeout(&self.wakes, TURN_INTERVAL).await;
        }
    }
}
