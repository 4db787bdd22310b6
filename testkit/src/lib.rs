//! Real components as child processes, for tests: Apache Kafka, servers of S3, of Google Cloud Storage and of
//! Azure Blob Storage, Java Connect and our own worker.
//!
//! Everything is blocking, so that tests read top-down; one tokio runtime inside serves the async clients.
//! What this crate starts never outlives the test process, not even when that is killed (see [`child`]). It
//! must know the worker only from outside: its command line, its REST interface and the topics it writes.

pub mod azurite;
pub mod broker;
pub mod child;
pub mod gcs;
pub mod iceberg;
pub mod ids;
pub mod install;
pub mod java;
pub mod kill;
pub mod member;
pub mod objects;
pub mod oracle;
pub mod postgres;
pub mod python;
pub mod records;
pub mod registry;
pub mod rest;
pub mod store;
pub mod store_proxy;
pub mod wait;
pub mod worker;

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::Runtime;

/// A name no other test of any process uses: `<stem>-<process>-<number>`, fit for topics, groups and buckets.
pub fn unique(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Runs an async client call to its end on the runtime of this crate. Must not be called from async code.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

/// The runtime of this crate, for servers in the background.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a test process may start threads")
    })
}
