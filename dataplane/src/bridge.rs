//! The crossing to tokio, where third-party clients run. What crosses keeps the task that its log lines name.

use lakeward_api::bridge::{Bridge, BridgeFuture};
use tokio::runtime::Handle;
use tracing::{Instrument, Span};

/// A bridge onto a tokio runtime.
#[derive(Clone, Debug)]
pub struct TokioBridge {
    handle: Handle,
}

impl TokioBridge {
    /// Futures will run on `handle`'s runtime.
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Runs work that blocks its thread, away from shards and from the runtime's own threads.
    pub(crate) fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        let span = Span::current();
        drop(self.handle.spawn_blocking(move || span.in_scope(work)));
    }
}

impl Bridge for TokioBridge {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.handle.spawn(future.instrument(Span::current())));
    }
}
