//! The crossing from a shard to the threads that run third-party async clients.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A future that may run on another thread and answers through a channel it owns.
pub type BridgeFuture = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// Where network clients run. Spawned futures run on a tokio runtime; they must send their result through a
/// `Send` channel and then call the task's [`Waker`].
pub trait Bridge: Send + Sync {
    /// Starts `future`; returns at once.
    fn spawn(&self, future: BridgeFuture);
}

/// Wakes the pipeline of one task, from any thread. Cheap; extra calls are harmless.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    /// Wraps the function that wakes the pipeline.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// Wakes the pipeline.
    pub fn wake(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}
