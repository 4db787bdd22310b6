//! The files of tables, by their addresses: S3 and the local file system.
//!
//! Owns clients, made by the properties of Iceberg's `S3FileIO`; what they do not say comes from the
//! environment, as with AWS's own tools. Metadata goes through it by way of [`Storage`], data files directly.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use iceberg::io::{
    FileIO, FileIOBuilder, FileMetadata, FileRead, FileWrite, InputFile, OutputFile, Storage, StorageConfig,
    StorageFactory,
};
use iceberg::{Error, ErrorKind, Result};
use lakeward_api::failpoint;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use url::Url;

/// Larger files are uploaded in pieces of this size.
pub(super) const PIECE_BYTES: usize = 8 << 20;

/// Opens files. Clones share clients.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Files {
    properties: BTreeMap<String, String>,
    #[serde(skip)]
    clients: Arc<Mutex<HashMap<String, Arc<dyn ObjectStore>>>>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Properties may be secrets.
        f.write_str("Files")
    }
}

impl Files {
    /// Files that are opened with `properties`.
    pub(super) fn new(properties: BTreeMap<String, String>) -> Self {
        Self { properties, clients: Arc::default() }
    }

    /// The same for the library that writes metadata.
    pub(super) fn file_io(&self) -> FileIO {
        FileIOBuilder::new(Arc::new(FilesFactory { files: self.clone() })).build()
    }

    /// The store of `address`, and the path there.
    ///
    /// # Errors
    /// `FeatureUnsupported` for other stores, `DataInvalid` when no client can be set up.
    pub(super) fn at(&self, address: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let unusable = |problem: &str| {
            Error::new(ErrorKind::FeatureUnsupported, format!("The location {address} {problem}"))
        };
        let (scheme, rest) = address.split_once(':').ok_or_else(|| unusable("has no scheme"))?;
        let rest = rest.trim_start_matches('/');
        let (bucket, path) = match scheme {
            "s3" | "s3a" | "s3n" => rest.split_once('/').ok_or_else(|| unusable("names no object"))?,
            "file" => ("", rest),
            _ => return Err(unusable("is neither in S3 nor in the local file system: not supported yet")),
        };
        let path = Path::parse(path).map_err(|err| unusable("is no path").with_source(err))?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(bucket) {
            return Ok((Arc::clone(client), path));
        }
        let client: Arc<dyn ObjectStore> = match bucket {
            "" => Arc::new(LocalFileSystem::new().with_fsync(true)),
            bucket => Arc::new(s3(&self.properties, bucket)?),
        };
        clients.insert(bucket.to_owned(), Arc::clone(&client));
        Ok((client, path))
    }
}

fn s3(properties: &BTreeMap<String, String>, bucket: &str) -> Result<object_store::aws::AmazonS3> {
    let is_true = |name: &str| properties.get(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let keys = [
        ("client.region", AmazonS3ConfigKey::Region),
        ("s3.access-key-id", AmazonS3ConfigKey::AccessKeyId),
        ("s3.endpoint", AmazonS3ConfigKey::Endpoint),
        ("s3.region", AmazonS3ConfigKey::Region),
        ("s3.secret-access-key", AmazonS3ConfigKey::SecretAccessKey),
        ("s3.session-token", AmazonS3ConfigKey::Token),
    ];
    for (name, key) in keys {
        if let Some(value) = properties.get(name) {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(endpoint) = properties.get("s3.endpoint") {
        let is_plain = Url::parse(endpoint).is_ok_and(|url| url.scheme() == "http");
        let hosted = !is_true("s3.path-style-access");
        builder = builder.with_allow_http(is_plain).with_virtual_hosted_style_request(hosted);
    }
    builder.build().map_err(|err| {
        let message = "The S3 client cannot be set up (iceberg.catalog.s3.*, iceberg.catalog.client.region)";
        Error::new(ErrorKind::DataInvalid, message).with_source(err)
    })
}

fn failed(err: object_store::Error) -> Error {
    Error::new(ErrorKind::Unexpected, err.to_string()).with_source(err)
}

fn unused(what: &str) -> Error {
    Error::new(ErrorKind::FeatureUnsupported, format!("Nothing here {what}"))
}

#[async_trait]
#[typetag::serde]
impl Storage for Files {
    async fn exists(&self, path: &str) -> Result<bool> {
        let (client, path) = self.at(path)?;
        match client.head(&path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(err) => Err(failed(err)),
        }
    }

    async fn metadata(&self, path: &str) -> Result<FileMetadata> {
        let (client, path) = self.at(path)?;
        Ok(FileMetadata { size: client.head(&path).await.map_err(failed)?.size })
    }

    async fn read(&self, path: &str) -> Result<Bytes> {
        let (client, path) = self.at(path)?;
        client.get(&path).await.map_err(failed)?.bytes().await.map_err(failed)
    }

    async fn reader(&self, path: &str) -> Result<Box<dyn FileRead>> {
        let (client, path) = self.at(path)?;
        Ok(Box::new(Reader { client, path }))
    }

    async fn write(&self, path: &str, bytes: Bytes) -> Result<()> {
        let (client, path) = self.at(path)?;
        failpoint!("table.metadata.before_write");
        let stored = client.put(&path, bytes.into()).await.map(drop).map_err(failed);
        failpoint!("table.metadata.after_write");
        stored
    }

    async fn writer(&self, path: &str) -> Result<Box<dyn FileWrite>> {
        let (client, path) = self.at(path)?;
        Ok(Box::new(Writer(BufWriter::with_capacity(client, path, PIECE_BYTES))))
    }

    async fn delete(&self, path: &str) -> Result<()> {
        let (client, path) = self.at(path)?;
        client.delete(&path).await.map_err(failed)
    }

    async fn delete_prefix(&self, _path: &str) -> Result<()> {
        Err(unused("deletes directories"))
    }

    async fn delete_stream(&self, mut paths: BoxStream<'static, String>) -> Result<()> {
        while let Some(path) = paths.next().await {
            self.delete(&path).await?;
        }
        Ok(())
    }

    fn new_input(&self, path: &str) -> Result<InputFile> {
        Ok(InputFile::new(Arc::new(self.clone()), path.to_owned()))
    }

    fn new_output(&self, path: &str) -> Result<OutputFile> {
        Ok(OutputFile::new(Arc::new(self.clone()), path.to_owned()))
    }
}

/// Hands out the same files.
#[derive(Debug, Serialize, Deserialize)]
struct FilesFactory {
    files: Files,
}

#[typetag::serde]
impl StorageFactory for FilesFactory {
    fn build(&self, _config: &StorageConfig) -> Result<Arc<dyn Storage>> {
        Ok(Arc::new(self.files.clone()))
    }
}

struct Reader {
    client: Arc<dyn ObjectStore>,
    path: Path,
}

#[async_trait]
impl FileRead for Reader {
    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.client.get_range(&self.path, range).await.map_err(failed)
    }
}

struct Writer(BufWriter);

#[async_trait]
impl FileWrite for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.0.put(bytes).await.map_err(failed)
    }

    async fn close(&mut self) -> Result<()> {
        failpoint!("table.metadata.before_write");
        let closed = self.0.shutdown().await;
        failpoint!("table.metadata.after_write");
        closed.map_err(|err| Error::new(ErrorKind::Unexpected, err.to_string()).with_source(err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_there_when_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("file://{}/a b/c=%3D.avro", folder.path().display());
        let files = Files::new(BTreeMap::new());
        let mut writer = files.writer(&address).await.unwrap();
        writer.write(Bytes::from("xyz")).await.unwrap();
        assert!(!files.exists(&address).await.unwrap());
        writer.close().await.unwrap();
        assert_eq!(files.read(&address).await.unwrap(), "xyz");
        assert_eq!(files.reader(&address).await.unwrap().read(1..2).await.unwrap(), "y");
        assert_eq!(files.metadata(&address).await.unwrap().size, 3);
    }

    #[test]
    fn other_stores_are_refused_by_their_address() {
        for address in ["gs://a/b", "nothing", "s3://bucket"] {
            let problem = Files::new(BTreeMap::new()).at(address).unwrap_err().to_string();
            assert!(problem.contains(address), "{problem}");
        }
    }
}
