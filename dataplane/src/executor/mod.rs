//! Shards: one thread per core, each with its own executor.
//!
//! Tasks see three operations ([`spawn_local`], [`sleep`], [`yield_now`]) and no runtime. The io_uring
//! executor is the normal engine; where the kernel or the container denies io_uring, an epoll executor takes
//! its place and says so.

mod probe;
mod pulse;
mod shard;

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

pub use probe::{Engine, EngineChoice, choose_engine};
pub use shard::{Shard, ShardCommand};

/// How shards are laid out.
#[derive(Clone, Copy, Debug)]
pub struct ShardSettings {
    /// Number of shards, at least 1.
    pub count: usize,
    /// Which engine to use.
    pub engine: Engine,
}

impl ShardSettings {
    /// One shard per core but one (control plane, bridge and client threads share the rest), at least 1.
    pub fn default_count() -> usize {
        std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
    }
}

#[derive(Clone, Copy)]
enum Local {
    Epoll,
    Uring(glommio::TaskQueueHandle),
}

thread_local! {
    /// Set once when a shard thread starts.
    static LOCAL: Cell<Option<Local>> = const { Cell::new(None) };
}

/// Makes the calling thread one whose tasks run on the runtime it drives.
#[cfg(test)]
pub(crate) fn enter_without_shard() {
    LOCAL.set(Some(Local::Epoll));
}

fn local() -> Local {
    LOCAL.get().expect("only called on shard threads, which set it before anything else")
}

/// Starts `future` on this shard. It is dropped when the shard ends.
///
/// # Panics
/// Outside of a [`ShardCommand`] and the futures it starts, as do [`sleep`] and [`yield_now`].
pub fn spawn_local(future: impl Future<Output = ()> + 'static) {
    match local() {
        Local::Epoll => drop(tokio::task::spawn_local(future)),
        Local::Uring(queue) => {
            glommio::spawn_local_into(future, queue).expect("the queue lives as long as its shard").detach();
        }
    }
}

/// Whether this shard has a ring of its own.
pub(crate) fn is_uring() -> bool {
    matches!(local(), Local::Uring(_))
}

/// Waits without holding the shard. Safe to drop.
pub async fn sleep(duration: Duration) {
    match local() {
        Local::Epoll => tokio::time::sleep(duration).await,
        Local::Uring(_) => {
            glommio::timer::sleep(duration).await;
        }
    }
}

/// Lets other tasks of this shard run when this one has used up its share.
pub async fn yield_now() {
    match local() {
        Local::Epoll => tokio::task::yield_now().await,
        Local::Uring(_) => glommio::yield_if_needed().await,
    }
}
