//! The client against a real server.

use std::sync::Arc;

use futures::StreamExt as _;
use lakeward_api::ErrorClass;
use lakeward_api::config::ConfigMap;
use lakeward_api::metrics::Conditions;
use lakeward_testkit::azurite::{ACCOUNT, Azurite};
use lakeward_testkit::objects::Objects;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};

use super::{blob_props, lake_props};
use crate::azure::{blob, client, lake};
use crate::s3::store::Store;
use crate::s3::store::tests::proxy::{Instead, Proxy, answer};

/// A container of the server, a proxy in front of it, and a store that was configured for both.
struct Bench {
    objects: Objects,
    proxy: Arc<Proxy>,
    store: Store,
}

impl Bench {
    fn new(name: &str, pairs: &[(&str, &str)]) -> Self {
        let server = Azurite::shared();
        let proxy = Proxy::start(&server.endpoint().replace(&format!("/{ACCOUNT}"), ""));
        let objects = tokio::task::block_in_place(|| server.create_container(name).unwrap());
        let url = format!("{}/{ACCOUNT}", proxy.url());
        let base = [
            ("azblob.container.name", objects.bucket()),
            ("store.url", &url),
            ("azblob.retry.backoff.ms", "1"),
        ];
        let store = open(&blob_props(&[&base, pairs].concat()));
        Self { objects, proxy, store }
    }

    /// The same with conditions.
    fn conditional(name: &str) -> Self {
        Self::new(name, &[("rotate.schedule.interval.ms", "60000"), ("timezone", "UTC")])
    }

    async fn put(&self, content: &'static str) -> object_store::Result<()> {
        self.store.client.put(&name(), PutPayload::from_static(content.as_bytes())).await.map(drop)
    }

    /// Stores an object of these blocks.
    async fn upload(&self, blocks: [&'static str; 3]) -> object_store::Result<()> {
        let mut upload = self.store.client.put_multipart(&name()).await?;
        let parts: Vec<_> = blocks.into_iter().map(|block| upload.put_part(block.into())).collect();
        // The last one is asked for first.
        futures::future::try_join_all(parts.into_iter().rev()).await?;
        upload.complete().await.map(drop)
    }

    fn read(&self) -> Vec<u8> {
        tokio::task::block_in_place(|| self.objects.read(NAME).unwrap())
    }
}

fn open(props: &ConfigMap) -> Store {
    let config = blob::BlobConfig::parse(props).unwrap();
    client::open(&config.account, "c").unwrap()
}

const NAME: &str = "topics/a b/city=Zürich+1/t+0+0000000000.json";

fn name() -> Path {
    Path::parse(NAME).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_one_block_and_of_many_are_what_was_sent() {
    let bench = Bench::new("plain", &[("connect.azblob.useragent", "lake/1")]);
    bench.store.check_bucket().await.unwrap();
    bench.put("content").await.unwrap();
    assert_eq!(bench.read(), b"content");
    bench.upload(["aaa", "bb", "c"]).await.unwrap();
    assert_eq!(bench.read(), b"aaabbc");
    assert_eq!(bench.proxy.heads_with("comp=blocklist").len(), 1);
    let head = &bench.proxy.heads()[0];
    assert!(head.contains("user-agent: lake/1"), "{head}");
    assert!(!bench.proxy.heads().iter().any(|head| head.contains("if-none-match")), "nobody asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_conditions_is_found_to_keep_them() {
    for bench in [Bench::new("probe", &[]), Bench::conditional("probe-conditional")] {
        let (conditions, probe) = bench.store.conditions("topics", true);
        bench.store.probe(probe.unwrap()).await;
        let found = [conditions.get(), conditions.completions()];
        assert_eq!(found, [Conditions::Honoured, Conditions::Honoured]);
        let heads = bench.proxy.heads_with("/topics/.lakeward-probe");
        assert_eq!(heads.len(), 4, "{heads:?}");
        assert!(
            heads[3].starts_with("DELETE ")
                && heads[..3].iter().all(|head| head.contains("if-none-match: *")),
            "{heads:?}"
        );
        assert!(bench.store.client.list(None).next().await.is_none(), "the probe leaves nothing behind");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_repeated_as_often_as_configured() {
    let bench = Bench::new("busy", &[("azblob.retry.retries", "1"), ("azblob.retry.type", "FIXED")]);
    let busy = || answer("503 Server Busy", "<Error><Code>ServerBusy</Code></Error>");
    bench.proxy.next("PUT", busy());
    bench.put("content").await.unwrap();
    assert_eq!(bench.read(), b"content");
    bench.proxy.next("PUT", busy());
    bench.proxy.next("PUT", busy());
    let err = bench.store.explain(bench.put("content").await.unwrap_err());
    assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
    assert!(err.to_string().contains("azblob.account.name"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_conditions_the_same_content_is_adopted_and_another_replaced_as_seen() {
    let bench = Bench::conditional("conditions");
    bench.put("content").await.unwrap();
    bench.put("content").await.unwrap();
    assert_eq!(bench.proxy.heads_with("PUT ").len(), 1, "it is there");
    assert!(bench.proxy.heads_with("PUT ")[0].contains("if-none-match: *"));
    bench.put("other").await.unwrap();
    assert_eq!(bench.read(), b"other");
    bench.upload(["aaa", "bb", "c"]).await.unwrap();
    bench.upload(["aaa", "bb", "c"]).await.unwrap();
    assert_eq!(bench.read(), b"aaabbc");
    let lists = bench.proxy.heads_with("comp=blocklist");
    assert_eq!(lists.len(), 1, "the second one found its work done");
    assert!(lists[0].contains("if-match: "), "{}", lists[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_to_conditions_are_settled_by_looking() {
    let bench = Bench::conditional("settled");
    bench.proxy.next("PUT", Instead::LoseAnswer);
    bench.put("content").await.unwrap();
    assert_eq!(bench.read(), b"content");
    let mut upload = bench.store.client.put_multipart(&name()).await.unwrap();
    upload.put_part("block".into()).await.unwrap();
    bench.proxy.next("PUT", Instead::LoseAnswer);
    upload.complete().await.unwrap();
    assert_eq!(bench.read(), b"block");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_name_the_setting() {
    let bench = Bench::new("missing", &[("azblob.container.name", "there-is-no-such-container")]);
    let err = bench.store.check_bucket().await.unwrap_err();
    assert_eq!(err.class(), ErrorClass::Config);
    assert!(
        err.to_string().starts_with(
            "Non-existent Azure Blob Storage container: there-is-no-such-container. Create it, or correct \
             azblob.container.name"
        ),
        "{err}"
    );
    let bench = Bench::new("denied", &[("azblob.account.key", "bm90LXRoZS1rZXk=")]);
    let err = bench.store.check_bucket().await.unwrap_err();
    assert_eq!(err.class(), ErrorClass::Config, "{err}");
    assert!(err.to_string().contains("azblob.account.key"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_lake_makes_its_file_system_and_takes_what_is_there() {
    let file_system = lakeward_testkit::unique("lake");
    let url = Azurite::shared().endpoint();
    let props = lake_props(&[("topics.dir", &file_system), ("store.url", &url)]);
    let config = lake::LakeConfig::parse(&props).unwrap();
    for _ in 0..2 {
        let store = client::open(&config.account, "c").unwrap();
        store.check_bucket().await.unwrap();
        store.client.put(&Path::from("t/partition=0/x"), "content".into()).await.unwrap();
    }
    let objects = Azurite::shared().container(file_system).unwrap();
    let names = tokio::task::block_in_place(|| objects.names().unwrap());
    assert_eq!(names, ["t/partition=0/x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_asks_for_a_token_and_shows_it() {
    let proxy = Proxy::start("http://127.0.0.1:1");
    let endpoint = format!("{}/tenant-1/oauth2/token", proxy.url());
    let mut props = lake_props(&[
        ("store.url", &proxy.url()),
        ("azure.datalake.gen2.client.id", "7f3a"),
        ("azure.datalake.gen2.client.key", "secret"),
        ("azure.datalake.gen2.token.endpoint", &endpoint),
    ]);
    props.remove("azure.datalake.gen2.access.key");
    let store = client::open(&lake::LakeConfig::parse(&props).unwrap().account, "c").unwrap();
    proxy.next("POST", answer("200 OK", r#"{"access_token": "tok", "expires_in": 3600}"#));
    proxy.next("PUT", answer("409 Conflict", "<Error><Code>ContainerAlreadyExists</Code></Error>"));
    let list = "<?xml version=\"1.0\"?><EnumerationResults><Blobs></Blobs><NextMarker/></EnumerationResults>";
    proxy.next("GET", answer("200 OK", list));
    store.check_bucket().await.unwrap();
    assert_eq!(proxy.heads_with("POST /tenant-1/oauth2/v2.0/token").len(), 1, "{:?}", proxy.heads());
    for request in ["PUT /topics?restype=container", "GET /topics?restype=container&comp=list"] {
        let heads = proxy.heads_with(request);
        assert_eq!(heads.len(), 1, "{request}: {:?}", proxy.heads());
        assert!(heads[0].contains("authorization: Bearer tok"), "{}", heads[0]);
    }
}
