//! The lake, read over S3 as any other client would.
//!
//! Owns: listing and downloading. Must not: read the server's files in place of asking it (only their
//! modification times, which S3 gives in whole seconds, may come from disk).

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// Where the objects are.
#[derive(Clone, Debug)]
pub struct LakeAddress {
    /// `http://host:port` of the S3 server.
    pub endpoint: String,
    /// Bucket name.
    pub bucket: String,
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
    /// Directory that holds the bucket's objects as files, if the server keeps them so on this machine.
    pub directory: Option<PathBuf>,
}

/// One object of the lake.
#[derive(Clone, Debug)]
pub struct LakeObject {
    /// Key in the bucket.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was complete, µs since the epoch.
    pub durable_us: i64,
}

/// A reader of one bucket.
pub struct Lake {
    store: AmazonS3,
    address: LakeAddress,
}

impl Lake {
    /// Opens the bucket; nothing is asked of the server yet.
    pub fn open(address: LakeAddress) -> Result<Self> {
        let store = AmazonS3Builder::new()
            .with_endpoint(&address.endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(&address.bucket)
            .with_access_key_id(&address.access_key)
            .with_secret_access_key(&address.secret_key)
            .build()
            .context("the S3 reader could not be set up")?;
        Ok(Self { store, address })
    }

    /// Every object whose key ends in `ending`, sorted by key.
    pub async fn objects(&self, ending: &str) -> Result<Vec<LakeObject>> {
        let listed: Vec<_> =
            self.store.list(None).try_collect().await.context("the bucket could not be listed")?;
        let mut objects = Vec::new();
        for meta in listed {
            let key = meta.location.as_ref().to_owned();
            if key.ends_with(ending) {
                let durable_us = match self.modified_us(&key)? {
                    Some(exact) => exact,
                    None => meta.last_modified.timestamp_micros(),
                };
                objects.push(LakeObject { key, bytes: meta.size, durable_us });
            }
        }
        objects.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(objects)
    }

    /// The whole object.
    pub async fn read(&self, object: &LakeObject) -> Result<Bytes> {
        let answer = self.store.get(&Path::parse(&object.key)?).await;
        let answer = answer.with_context(|| format!("{} could not be read", object.key))?;
        Ok(answer.bytes().await?)
    }

    fn modified_us(&self, key: &str) -> Result<Option<i64>> {
        let Some(directory) = &self.address.directory else { return Ok(None) };
        let path = directory.join(key);
        let modified = std::fs::metadata(&path)
            .and_then(|meta| meta.modified())
            .with_context(|| format!("{} is listed but has no file", path.display()))?;
        let since_epoch = modified.duration_since(UNIX_EPOCH).context("a file is older than the epoch")?;
        Ok(Some(i64::try_from(since_epoch.as_micros())?))
    }
}
