//! The store client against a real S3 server, with a proxy between them that shows what was sent.

mod addresses;
mod foreign;
mod headers;
mod orphans;
mod patience;
pub(crate) mod proxy;
mod tags;
mod task;

use std::sync::Arc;

use futures::StreamExt as _;
use lakeward_api::config::ConfigMap;
use lakeward_testkit::objects::Objects;
use lakeward_testkit::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore as _, ObjectStoreExt as _, PutPayload};

use super::Store;
use crate::s3::config::S3Config;
use proxy::Proxy;

/// A bucket of the server, a proxy in front of it, and a store that was configured for both.
struct Bench {
    objects: Objects,
    proxy: Arc<Proxy>,
    props: ConfigMap,
    config: S3Config,
    store: Store,
}

impl Bench {
    fn new(name: &str, pairs: &[(&str, &str)]) -> Self {
        let server = Versitygw::shared();
        let proxy = Proxy::start(&server.endpoint());
        let url = proxy.url();
        Self::at(name, &url, proxy, pairs)
    }

    /// A store whose `store.url` is `url`.
    fn at(name: &str, url: &str, proxy: Arc<Proxy>, pairs: &[(&str, &str)]) -> Self {
        let objects = Versitygw::shared().create_bucket(name).unwrap();
        let base = [
            ("format.class", "JsonFormat"),
            ("flush.size", "3"),
            ("s3.bucket.name", objects.bucket()),
            ("storage.class", "S3Storage"),
            ("store.url", url),
            ("s3.region", REGION),
            ("aws.access.key.id", ACCESS_KEY),
            ("aws.secret.access.key", SECRET_KEY),
            ("s3.retry.backoff.ms", "1"),
        ];
        let props = base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let props: ConfigMap = props.collect();
        let config = S3Config::parse(&props).unwrap();
        let store = Store::open(&config, objects.bucket()).unwrap();
        Self { objects, proxy, props, config, store }
    }

    /// Stores an object in one request.
    async fn put(&self, name: &str) -> object_store::Result<()> {
        self.store.client.put(&Path::from(name), PutPayload::from_static(b"content")).await.map(drop)
    }

    /// The content of an object.
    async fn read(&self, name: &str) -> bytes::Bytes {
        self.store.client.get(&Path::from(name)).await.unwrap().bytes().await.unwrap()
    }

    /// The names of all objects, sorted.
    async fn names(&self) -> Vec<String> {
        let all = self.store.client.list(None).map(|object| object.unwrap().location.to_string());
        let mut names: Vec<String> = all.collect().await;
        names.sort();
        names
    }

    /// Begins an upload.
    async fn begin(&self, name: &str) -> Box<dyn MultipartUpload> {
        self.store.client.put_multipart(&Path::from(name)).await.unwrap()
    }
}

/// A part that is large enough to be followed by another.
fn part() -> PutPayload {
    // Two pieces, as files have them.
    [vec![b'a'; 3 << 20], vec![b'b'; 2 << 20]].into_iter().map(bytes::Bytes::from).collect()
}
