//! The directory and servers that demos and benches run in.
//!
//! Owns: the directory, and removing it. Must not: touch anything else in the directory the user named.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lakeward_loadgen::store::{Lake, LakeAddress};

use super::Address;
use super::children::{Server, Worker};
use super::connector::worker_properties;
use crate::dev::{ACCESS_KEY, SECRET_KEY, port_or_free};

/// Kafka Connect's usual REST port.
const REST_PORT: u16 = 8083;

/// Whether the directory stays when the run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// It stays.
    Keep,
    /// It is removed.
    Remove,
}

/// A running broker and S3 server over a directory of their own.
pub(super) struct Playground {
    /// Where the servers listen.
    pub(super) addresses: Address,
    /// Further lines of the worker file; they win over the usual ones.
    pub(super) more: String,
    // Fields drop in this order: the servers end before their directory goes.
    _broker: Server,
    _store: Server,
    directory: tempfile::TempDir,
}

impl Playground {
    /// Starts both servers in a new directory below `parent` (the system's temporary directory by default).
    pub(super) async fn start(parent: Option<&Path>, afterwards: Afterwards) -> Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        std::fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let parent = parent.canonicalize()?;
        let mut directory = tempfile::Builder::new()
            .prefix("lakeward-demo-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot create a directory in {}", parent.display()))?;
        directory.disable_cleanup(afterwards == Afterwards::Keep);
        let path = directory.path();
        let store = path.join("s3");
        let store = store.to_str().context("the demo directory has a name that is not UTF-8")?;
        let broker_log = path.join("broker.log");
        let store_log = path.join("s3.log");
        let store_arguments = ["s3", "--port", "0", "--dir", store];
        let (broker, store) = tokio::try_join!(
            Server::start(&["broker", "--port", "0"], &broker_log),
            Server::start(&store_arguments, &store_log),
        )?;
        let addresses = Address { broker: broker.address.clone(), store: store.address.clone() };
        Ok(Self { addresses, more: String::new(), _broker: broker, _store: store, directory })
    }

    /// Where the objects of `bucket` are, as files. The bucket is created when missing.
    pub(super) fn bucket(&self, bucket: &str) -> Result<PathBuf> {
        let path = self.directory.path().join("s3").join(bucket);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }

    /// A reader of `bucket` over S3.
    pub(super) fn lake(&self, bucket: &str) -> Result<Lake> {
        Lake::open(LakeAddress {
            endpoint: format!("http://{}", self.addresses.store),
            bucket: bucket.to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            directory: Some(self.bucket(bucket)?),
        })
    }

    /// Starts a worker, on Kafka Connect's usual port if it is free.
    pub(super) async fn worker(&self) -> Result<Worker> {
        if std::net::TcpListener::bind(("127.0.0.1", REST_PORT)).is_ok() {
            match self.worker_on(REST_PORT).await {
                Ok(worker) => return Ok(worker),
                // Somebody else may have taken the port in between.
                Err(err) => tracing::warn!(error = format!("{err:#}"), "the worker gets another port"),
            }
        }
        self.worker_on(port_or_free(0)?).await
    }

    async fn worker_on(&self, port: u16) -> Result<Worker> {
        let properties = self.directory.path().join("worker.properties");
        let text = format!("{}{}", worker_properties(&self.addresses, port), self.more);
        std::fs::write(&properties, text)?;
        let log = self.directory.path().join(format!("worker-{port}.log"));
        Worker::start(&properties, port, &log).await
    }
}
