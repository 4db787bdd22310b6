//! What validation answers, and the client against a real server of Google Cloud Storage with a proxy between
//! them that shows what was sent.

use std::sync::Arc;

use futures::StreamExt as _;
use lakeward_api::ErrorClass;
use lakeward_api::config::ConfigMap;
use lakeward_api::metrics::Conditions;
use lakeward_testkit::gcs::{FakeGcs, service_account};
use lakeward_testkit::objects::Objects;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};

use super::bucket::{Bucket, Credentials};
use super::client;
use super::config::{GcsConfig, config_def, validate};
use crate::rig::key_rows;
use crate::s3::store::Store;
use crate::s3::store::tests::proxy::{Instead, Proxy, answer};

fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    let base = [
        ("format.class", "io.confluent.connect.gcs.format.json.JsonFormat"),
        ("flush.size", "3"),
        ("gcs.bucket.name", "lake"),
        ("storage.class", "io.confluent.connect.gcs.storage.GcsStorage"),
    ];
    base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Names and problems of the keys with errors when `pairs` are added to a valid configuration.
fn refused(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let values = validate(&props(pairs)).into_iter();
    values.flat_map(|value| value.errors.into_iter().map(move |error| (value.name.clone(), error))).collect()
}

#[test]
fn the_definition_is_the_java_sinks() {
    let def = config_def();
    assert_eq!(key_rows(&def), KEYS);
    assert!(def.keys().iter().all(|key| !key.documentation.is_empty()));
    assert_eq!(
        def.key("format.class").unwrap().recommended_values[0],
        "io.confluent.connect.gcs.format.avro.AvroFormat"
    );
}

#[test]
fn configurations_of_the_java_sink_are_taken() {
    let json = service_account().to_string();
    let usual = [
        ("gcs.credentials.json", json.as_str()),
        ("gcs.compression.type", "gzip"),
        ("gcs.parts.prefix", "parts"),
        ("behavior.on.null.values", "IGNORE"),
        ("confluent.license", ""),
        ("confluent.topic.bootstrap.servers", "broker:9092"),
        ("rotate.schedule.interval.ms", "60000"),
        ("timezone", "UTC"),
    ];
    assert_eq!(refused(&usual), []);
    let config = GcsConfig::parse(&props(&usual)).unwrap();
    assert!(config.bucket().is_conditional && config.settings.output.is_gzip);
    assert_eq!(config.settings.output.null_values, "ignore");
    assert!(!GcsConfig::parse(&props(&[])).unwrap().bucket().is_conditional, "nothing is scheduled");
    let unasked = [usual[6], usual[7], ("enable.conditional.writes", "false")];
    assert!(!GcsConfig::parse(&props(&unasked)).unwrap().bucket().is_conditional);
}

#[test]
fn what_is_not_honoured_is_refused_with_its_key() {
    let cases = [
        ("format.class", "io.confluent.connect.s3.format.json.JsonFormat", "could not be found"),
        ("storage.class", "io.confluent.connect.s3.storage.S3Storage", "could not be found"),
        ("gcs.credentials.provider.class", "com.example.Mine", "not supported by Lakeward"),
        ("gcs.part.size", "1", "Value must be at least 5242880"),
        ("gcs.part.retries", "-1", "Value must be at least 0"),
        ("behavior.on.null.values", "write", "must be one of"),
        ("store.url", "file:///data", "use http"),
        ("gcs.credentials.json", "{\"type\": \"external_account\"}", "not the key of a service account"),
        ("gcs.credentials.json", "secret", "not a JSON object"),
    ];
    for (name, value, problem) in cases {
        let found = refused(&[(name, value)]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(found[0].0, name);
        assert!(found[0].1.contains(problem), "{}", found[0].1);
        assert!(!found[0].1.contains("secret"), "{}", found[0].1);
    }
    let mut broken = service_account();
    broken["private_key"] = "-----BEGIN PRIVATE KEY-----".into();
    let found = refused(&[("gcs.credentials.json", &broken.to_string())]);
    assert!(found[0].1.contains("\"private_key\" is not an RSA key"), "{found:?}");
    let avro = ("format.class", "io.confluent.connect.gcs.format.avro.AvroFormat");
    let names: Vec<String> =
        refused(&[avro, ("gcs.compression.type", "gzip")]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["format.class", "gcs.compression.type"]);
}

/// A bucket of the server, a proxy in front of it, and a store that was configured for both.
struct Bench {
    objects: Objects,
    proxy: Arc<Proxy>,
    store: Store,
}

impl Bench {
    fn new(name: &str, pairs: &[(&str, &str)]) -> Self {
        let server = tokio::task::block_in_place(FakeGcs::shared);
        let proxy = Proxy::start(&server.endpoint());
        let objects = tokio::task::block_in_place(|| server.create_bucket(name).unwrap());
        let (json, url) = (service_account().to_string(), proxy.url());
        let base = [
            ("gcs.bucket.name", objects.bucket()),
            ("gcs.credentials.json", &json),
            ("store.url", &url),
            ("gcs.retry.backoff.ms", "1"),
        ];
        let config = GcsConfig::parse(&props(&[&base, pairs].concat())).unwrap();
        let store = client::open(&config.bucket(), objects.bucket()).unwrap();
        Self { objects, proxy, store }
    }

    /// The same store as its configuration would be with `change`.
    fn changed(&mut self, change: impl FnOnce(&mut Bucket)) {
        let url = self.proxy.url();
        let pairs = [("gcs.bucket.name", self.objects.bucket()), ("store.url", &url)];
        let mut bucket = GcsConfig::parse(&props(&pairs)).unwrap().bucket();
        change(&mut bucket);
        self.store = client::open(&bucket, bucket.name.as_str()).unwrap();
    }

    /// The same with conditions.
    fn conditional(name: &str) -> Self {
        Self::new(name, &[("rotate.schedule.interval.ms", "60000"), ("timezone", "UTC")])
    }

    async fn put(&self, content: &'static str) -> object_store::Result<()> {
        self.store.client.put(&name(), PutPayload::from_static(content.as_bytes())).await.map(drop)
    }

    /// Stores an object of these pieces.
    async fn upload(&self, pieces: Vec<Vec<u8>>) -> object_store::Result<()> {
        let mut upload = self.store.client.put_multipart(&name()).await?;
        let parts: Vec<_> = pieces.into_iter().map(|piece| upload.put_part(piece.into())).collect();
        // The last one is asked for first.
        futures::future::try_join_all(parts.into_iter().rev()).await?;
        upload.complete().await.map(drop)
    }

    fn read(&self) -> Vec<u8> {
        tokio::task::block_in_place(|| self.objects.read(NAME).unwrap())
    }
}

const NAME: &str = "topics/a b/city=Zürich+1/t+0+0000000000.json";

fn name() -> Path {
    Path::parse(NAME).unwrap()
}

/// Three pieces of which none is a multiple of what a session takes.
fn pieces() -> Vec<Vec<u8>> {
    vec![vec![b'a'; 300_000], vec![b'b'; 700_001], vec![b'c'; 13]]
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_one_piece_and_of_many_are_what_was_sent() {
    let bench = Bench::new("plain", &[]);
    bench.store.check_bucket().await.unwrap();
    bench.put("content").await.unwrap();
    assert_eq!(bench.read(), b"content");
    bench.upload(pieces()).await.unwrap();
    assert_eq!(bench.read(), pieces().concat());
    // What fits exactly ends with a request without bytes.
    bench.upload(vec![vec![b'x'; 262_144]]).await.unwrap();
    assert_eq!(bench.read(), vec![b'x'; 262_144]);
    let ranges: Vec<String> =
        bench.proxy.heads().iter().filter_map(|head| header(head, "content-range")).collect();
    let expected = ["0-262143/*", "262144-786431/*", "786432-1000013/1000014", "0-262143/*", "*/262144"];
    assert_eq!(ranges, expected.map(|range| format!("bytes {range}")));
    assert!(bench.proxy.heads_with("ifGenerationMatch").is_empty(), "nobody asked for conditions");
    let head = &bench.proxy.heads()[0];
    assert!(header(head, "authorization").unwrap().starts_with("Bearer ey"), "{head}");
    assert!(header(head, "user-agent").unwrap().starts_with("Lakeward/"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_conditions_is_found_to_keep_them() {
    for bench in [Bench::new("probe", &[]), Bench::conditional("probe-conditional")] {
        let (conditions, probe) = bench.store.conditions("topics", true);
        bench.store.probe(probe.unwrap()).await;
        let found = [conditions.get(), conditions.completions()];
        assert_eq!(found, [Conditions::Honoured, Conditions::Honoured]);
        let heads = bench.proxy.heads_with("POST /upload");
        assert_eq!((heads.len(), bench.proxy.heads_with("DELETE /storage").len()), (3, 1), "{heads:?}");
        assert!(heads.iter().all(|head| head.contains("ifGenerationMatch=0")), "{heads:?}");
        assert!(bench.store.client.list(None).next().await.is_none(), "the probe leaves nothing behind");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_credentials_are_not_signed_and_say_what_they_are_told() {
    let mut bench = Bench::new("unsigned", &[]);
    bench.changed(|bucket| {
        bucket.credentials = Credentials::None;
        bucket.user_agent = Some("Mine/1".to_owned());
        bucket.content_encoding = Some("g z/ip".to_owned());
    });
    bench.store.check_bucket().await.unwrap();
    bench.put("content").await.unwrap();
    assert_eq!(bench.read(), b"content");
    bench.upload(pieces()).await.unwrap();
    assert_eq!(bench.read(), pieces().concat());
    let heads = bench.proxy.heads();
    assert!(heads.iter().all(|head| header(head, "authorization").is_none()), "{heads:?}");
    assert!(heads.iter().all(|head| header(head, "user-agent").as_deref() == Some("Mine/1")), "{heads:?}");
    assert_eq!(bench.proxy.heads_with("&contentEncoding=g%20z%2Fip").len(), 2, "both kinds of uploads");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_answer_the_session_says_how_many_bytes_it_has() {
    let bench = Bench::new("lost", &[]);
    bench.proxy.next("PUT", Instead::LoseAnswer);
    // The server of the tests would take the question for the end of the object.
    bench.proxy.next("PUT", has("0-262143"));
    bench.upload(pieces()).await.unwrap();
    assert_eq!(bench.read(), pieces().concat());
    let asked = bench.proxy.heads().iter().filter_map(|head| header(head, "content-range")).nth(1);
    assert_eq!(asked.unwrap(), "bytes */*");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_did_not_keep_is_sent_again() {
    let bench = Bench::new("kept", &[]);
    bench.proxy.next("PUT", answer("503 Service Unavailable", ""));
    bench.proxy.next(
        "PUT",
        Instead::Answer("HTTP/1.1 308 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()),
    );
    bench.upload(pieces()).await.unwrap();
    assert_eq!(bench.read(), pieces().concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_fails_for_good_ends_the_upload_and_stores_nothing() {
    let bench = Bench::new("gone", &[("gcs.part.retries", "1")]);
    let mut upload = bench.store.client.put_multipart(&name()).await.unwrap();
    for _ in 0..2 {
        bench.proxy.next("PUT", answer("503 Service Unavailable", ""));
    }
    let (first, second) =
        (upload.put_part(vec![0; 300_000].into()), upload.put_part(vec![0; 300_000].into()));
    let err = bench.store.explain(first.await.unwrap_err());
    assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
    assert!(second.await.is_err(), "nothing may follow a missing piece");
    upload.abort().await.unwrap();
    assert_eq!(bench.proxy.heads_with("DELETE ").len(), 1);
    assert_eq!(tokio::task::block_in_place(|| bench.objects.names().unwrap()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_store_forgot_is_no_missing_bucket() {
    for status in ["404 Not Found", "410 Gone"] {
        let bench = Bench::new("forgotten", &[]);
        bench.proxy.next("PUT", answer(status, ""));
        let err = bench.store.explain(bench.upload(pieces()).await.unwrap_err());
        assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_conditions_the_same_content_is_adopted_and_another_replaced_as_seen() {
    let bench = Bench::conditional("conditions");
    bench.put("content").await.unwrap();
    assert_eq!(bench.proxy.heads_with("ifGenerationMatch=0").len(), 1);
    bench.put("content").await.unwrap();
    assert_eq!(bench.proxy.heads_with("POST ").len(), 1, "it is there");
    bench.put("other").await.unwrap();
    assert_eq!(bench.read(), b"other");
    bench.upload(pieces()).await.unwrap();
    assert_eq!(bench.read(), pieces().concat());
    let conditions = bench.proxy.heads_with("ifGenerationMatch=");
    assert_eq!(conditions.len(), 3);
    assert!(!conditions[2].contains("ifGenerationMatch=0 "), "{}", conditions[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_condition_is_settled_by_looking() {
    let bench = Bench::conditional("settled");
    bench.proxy.next("POST", Instead::LoseAnswer);
    bench.put("content").await.unwrap();
    assert_eq!(bench.read(), b"content");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changed_since_it_was_seen_is_not_replaced() {
    let bench = Bench::conditional("changed");
    let mut upload = bench.store.client.put_multipart(&name()).await.unwrap();
    upload.put_part(vec![0; 300_000].into()).await.unwrap();
    let (json, url) = (service_account().to_string(), bench.proxy.url());
    let theirs =
        [("gcs.bucket.name", bench.objects.bucket()), ("gcs.credentials.json", &json), ("store.url", &url)];
    let theirs = client::open(&GcsConfig::parse(&props(&theirs)).unwrap().bucket(), "theirs").unwrap();
    theirs.client.put(&name(), PutPayload::from_static(b"theirs")).await.unwrap();
    let err = bench.store.explain(upload.complete().await.unwrap_err());
    assert_eq!(err.class(), ErrorClass::Retriable, "{err}");
    assert!(err.to_string().contains("Another writer"), "{err}");
    assert_eq!(bench.read(), b"theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_name_the_setting() {
    let bench = Bench::new("missing", &[("gcs.bucket.name", "there-is-no-such-bucket")]);
    // The server of the tests shows an empty list; the real one does not.
    bench.proxy.next("GET", answer("404 Not Found", "{}"));
    let err = bench.store.check_bucket().await.unwrap_err();
    assert_eq!(err.class(), ErrorClass::Config);
    assert_eq!(
        err.to_string(),
        "Non-existent GCS bucket: there-is-no-such-bucket. Create it, or correct gcs.bucket.name or store.url"
    );
    let bench = Bench::new("denied", &[]);
    bench.proxy.next("GET", answer("401 Unauthorized", "{}"));
    let err = bench.store.check_bucket().await.unwrap_err();
    assert_eq!(err.class(), ErrorClass::Config);
    assert!(err.to_string().contains("gcs.credentials.json"), "{err}");
    // Who may write but not list may go on.
    bench.proxy.next("GET", answer("403 Forbidden", "{}"));
    bench.store.check_bucket().await.unwrap();
}

#[test]
fn a_file_of_credentials_is_read_when_the_task_starts() {
    let folder = tempfile::tempdir().unwrap();
    let open = |content: Option<&str>| {
        let path = folder.path().join("key.json");
        drop(std::fs::remove_file(&path));
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let config = GcsConfig::parse(&props(&[("gcs.credentials.path", path.to_str().unwrap())])).unwrap();
        client::open(&config.bucket(), "c").map(drop)
    };
    open(Some(&service_account().to_string())).unwrap();
    let user = r#"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}"#;
    open(Some(user)).unwrap();
    for (content, problem) in
        [(None, "cannot be read"), (Some("x"), "is not JSON"), (Some("{}"), "is neither")]
    {
        let err = open(content).unwrap_err();
        assert_eq!(err.class(), ErrorClass::Config);
        assert!(err.to_string().starts_with("gcs.credentials.path: "), "{err}");
        assert!(err.to_string().contains(problem), "{err}");
    }
}

/// An answer of a session that has these bytes.
fn has(range: &str) -> Instead {
    Instead::Answer(format!(
        "HTTP/1.1 308 x\r\nRange: bytes={range}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ))
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.starts_with(&format!("{name}:")))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The published key table of the Java sink.
const KEYS: [&str; 42] = [
    "format.class|Connector|CLASS|required|HIGH",
    "flush.size|Connector|INT|required|HIGH",
    "rotate.interval.ms|Connector|LONG|-1|HIGH",
    "rotate.schedule.interval.ms|Connector|LONG|-1|MEDIUM",
    "schemas.cache.config|Connector|INT|1000|LOW",
    "enhanced.avro.schema.support|Connector|BOOLEAN|true|LOW",
    "connect.meta.data|Connector|BOOLEAN|true|LOW",
    "retry.backoff.ms|Connector|LONG|5000|LOW",
    "filename.offset.zero.pad.width|Connector|INT|10|LOW",
    "avro.codec|Connector|STRING|null|LOW",
    "allow.optional.map.keys|Connector|BOOLEAN|false|LOW",
    "schema.compatibility|Schema|STRING|NONE|HIGH",
    "parquet.codec|Connector|STRING|snappy|LOW",
    "gcs.bucket.name|GCS|STRING|required|HIGH",
    "gcs.part.size|GCS|INT|26214400|HIGH",
    "gcs.part.retries|GCS|INT|3|MEDIUM",
    "gcs.parts.prefix|GCS|STRING|parts|LOW",
    "gcs.retry.backoff.ms|GCS|LONG|200|LOW",
    "format.bytearray.extension|GCS|STRING|.bin|LOW",
    "format.bytearray.separator|GCS|STRING|null|LOW",
    "gcs.credentials.path|GCS|STRING|(empty)|LOW",
    "gcs.credentials.json|GCS|PASSWORD|[hidden]|HIGH",
    "gcs.credentials.provider.class|GCS|CLASS|\
     io.confluent.connect.gcs.auth.DefaultSinkCredentialsProvider|LOW",
    "gcs.compression.type|GCS|STRING|none|LOW",
    "behavior.on.null.values|GCS|STRING|fail|LOW",
    "max.write.duration.ms|GCS|LONG|9223372036854775807|LOW",
    "enable.conditional.writes|GCS|BOOLEAN|true|LOW",
    "max.files.scan.limit||INT|100|LOW",
    "partitioner.max.open.files||INT|-1|LOW",
    "storage.class|Storage|CLASS|required|HIGH",
    "topics.dir|Storage|STRING|topics|HIGH",
    "store.url|Storage|STRING|null|HIGH",
    "directory.delim|Storage|STRING|/|MEDIUM",
    "file.delim|Storage|STRING|+|MEDIUM",
    "partitioner.class|Partitioner|CLASS|io.confluent.connect.storage.partitioner.DefaultPartitioner|HIGH",
    "partition.field.name|Partitioner|LIST|(empty)|MEDIUM",
    "partition.duration.ms|Partitioner|LONG|-1|MEDIUM",
    "path.format|Partitioner|STRING|(empty)|MEDIUM",
    "locale|Partitioner|STRING|(empty)|MEDIUM",
    "timezone|Partitioner|STRING|(empty)|MEDIUM",
    "timestamp.extractor|Partitioner|STRING|Wallclock|MEDIUM",
    "timestamp.field|Partitioner|STRING|timestamp|MEDIUM",
];
