//! The development servers as child processes: what they take, they give back, and they end with their
//! parent.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lakeward_loadgen::event::{EventGenerator, EventId};
use lakeward_loadgen::producer::CountingProducer;
use lakeward_loadgen::store::{Lake, LakeAddress};
use lakeward_loadgen::topic;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};

const PART_BYTES: usize = 5 << 20;

/// Kills the child when a test fails.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lakeward"))
            .arg("dev")
            .args(arguments)
            .args(["--port", "0", "--child"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("one JSON line");
        let address = ready["address"].as_str().expect("an address").to_owned();
        Self { child, address }
    }

    fn end_input(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("ends").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when the child is gone already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn address(server: &Server, secret: &str) -> LakeAddress {
    LakeAddress {
        endpoint: format!("http://{}", server.address),
        bucket: "lake".to_owned(),
        access_key: "lakeward".to_owned(),
        secret_key: secret.to_owned(),
        directory: None,
    }
}

#[tokio::test]
async fn objects_come_back_as_they_went_in_and_signatures_are_checked() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start(&["s3", "--dir", directory.path().to_str().expect("UTF-8")]);
    let store = AmazonS3Builder::new()
        .with_endpoint(format!("http://{}", server.address))
        .with_allow_http(true)
        .with_region("us-east-1")
        .with_bucket_name("lake")
        .with_access_key_id("lakeward")
        .with_secret_access_key("lakeward-secret")
        .build()
        .expect("settings");
    let parts: Vec<Vec<u8>> = (0u8..3).map(|part| vec![part + 1; PART_BYTES + usize::from(part)]).collect();
    let key = Path::from("topics/events/a+0.parquet");
    let mut upload = store.put_multipart(&key).await.expect("an upload");
    for part in &parts {
        upload.put_part(PutPayload::from(part.clone())).await.expect("a part");
    }
    upload.complete().await.expect("completion");
    let read = store.get(&key).await.expect("the object").bytes().await.expect("its bytes");
    assert_eq!(read.as_ref(), parts.concat().as_slice());
    assert!(directory.path().join("lake").join(key.as_ref()).is_file(), "objects are plain files");

    let again = store.put_opts(&key, PutPayload::from_static(b"x"), PutMode::Create.into()).await;
    assert!(matches!(again, Err(object_store::Error::AlreadyExists { .. })), "{again:?}");
    let lake = Lake::open(address(&server, "lakeward-secret")).expect("settings");
    let objects = lake.objects(".parquet").await.expect("a list");
    assert_eq!((objects.len(), objects[0].bytes as usize), (1, read.len()));
    let stranger = Lake::open(address(&server, "wrong")).expect("settings");
    assert!(stranger.objects("").await.is_err(), "a wrong secret must be refused");
    server.end_input();
}

#[tokio::test]
async fn the_broker_acknowledges_every_record_once_and_ends_with_its_parent() {
    let server = Server::start(&["broker"]);
    topic::create(&server.address, "events", 2).await.expect("a topic");
    let broker = server.address.clone();
    let ends = tokio::task::spawn_blocking(move || {
        let mut producer = CountingProducer::new(&broker, "events", 2)?;
        let mut text = Vec::new();
        for index in 0..20_001u64 {
            let partition = i32::try_from(index % 2)?;
            text.clear();
            EventGenerator::new(1).write(EventId { partition, sequence: index / 2 }, 1, &mut text);
            producer.send(partition, &text)?;
        }
        producer.finish()
    })
    .await
    .expect("no panic");
    assert_eq!(ends.expect("acknowledged"), [10_001, 10_000]);
    server.end_input();
}

#[tokio::test]
async fn the_registry_answers_and_checks_its_user() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let server = Server::start(&["registry", "--basic-auth", "ada:secret"]);
    for (user, expected) in
        [("", "HTTP/1.1 401"), ("Authorization: Basic YWRhOnNlY3JldA==\r\n", "HTTP/1.1 200")]
    {
        let mut socket = tokio::net::TcpStream::connect(&server.address).await.expect("a connection");
        let request = format!("GET /subjects HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n{user}\r\n");
        socket.write_all(request.as_bytes()).await.expect("it is read");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(expected), "{answer}");
    }
    server.end_input();
}
