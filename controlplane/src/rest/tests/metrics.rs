//! `/metrics` over real HTTP: who may have it, in which style, and how large it gets.

use std::io::Read;

use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::rig::{Rig, SINK};
use crate::metrics::PAGE_BYTES_MAX;
use crate::worker_config::WorkerMode;

async fn create(rig: &Rig, tasks: u32) {
    let body = format!(
        r#"{{"connector.class":"ProbeSink","tasks.max":"{tasks}","topics":"t","flush.size":"3",
             "transforms":"","s3.secret":"hunter2"}}"#
    );
    assert_eq!(rig.with_json("PUT", "/connectors/a%20b/config", &body).await.status, 201);
    let last = format!("/connectors/a%20b/tasks/{}/status", tasks - 1);
    rig.wait_for(&last, |reply| reply.body.contains("RUNNING")).await;
}

#[tokio::test]
async fn a_page_shows_what_runs_and_no_configuration() {
    let rig = Rig::distributed().await;
    create(&rig, 2).await;
    let page = rig.send("GET", "/metrics", "Accept: text/plain\r\n", "").await;
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "kafka_connect_connect_worker_metrics_task_count 2",
        "kafka_connect_worker_task_startup_success_total 2",
        "kafka_connect_worker_rebalance_epoch 7",
        r#"kafka_connect_worker_connector_running_task_count{connector="a b"} 2"#,
        r#"kafka_connect_connector_status{connector="a b",status="running"} 1"#,
        r#"kafka_connect_connector_task_status{connector="a b",task="1",status="running"} 1"#,
        r#"kafka_connect_sink_task_metrics_sink_record_read_total{connector="a b",task="0"} 0"#,
        "lakeward_metrics_left_out 0",
    ] {
        assert!(page.body.lines().any(|found| found == line), "{line} is not in\n{}", page.body);
    }
    assert!(page.body.contains(&format!("connector_class=\"{SINK}\"")));
    assert!(!page.body.contains("hunter2"));
    let texts = rig.get("/metrics?style=reporter").await.body;
    assert!(texts.contains("kafka_connect_connector_task_metrics_key_converter_class_info{"), "{texts}");
    assert_eq!(rig.get("/metrics?style=nothing").await.status, 400);
}

#[tokio::test]
async fn a_standalone_worker_has_no_group_and_its_style() {
    let rig = Rig::new(WorkerMode::Standalone, &[("lakeward.metrics.style", "rules")]).await;
    let page = rig.get("/metrics").await.body;
    assert!(page.contains("kafka_connect_worker_connector_count 0\n"), "{page}");
    assert!(!page.contains("rebalance") && !page.contains("kafka_connect_connect_"), "{page}");
}

#[tokio::test]
async fn ten_thousand_tasks_fit_on_a_page() {
    let rig = Rig::distributed().await;
    create(&rig, 100).await;
    let page = rig.get("/metrics").await.body;
    assert!(page.len() * 100 < PAGE_BYTES_MAX, "{} bytes for 100 tasks", page.len());
    // It comes in pieces, and to its end.
    assert!(page.contains("lakeward_metrics_left_out 0\n\r\n0\r\n\r\n"), "{}", &page[page.len() - 200..]);
}

/// The page for a client that reads gzip.
async fn zipped(rig: &Rig) -> hyper::Response<Bytes> {
    let stream = TcpStream::connect(rig.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("/metrics")
        .header("host", "w:8083")
        .header("accept-encoding", "gzip")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    hyper::Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn a_client_that_reads_gzip_gets_the_same_page_in_less() {
    let rig = Rig::distributed().await;
    create(&rig, 100).await;
    let plain = rig.get("/metrics").await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("Accept-Encoding")));
    let zipped = zipped(&rig).await;
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    let mut page = String::new();
    GzDecoder::new(&zipped.body()[..]).read_to_string(&mut page).unwrap();
    let names = |page: &str| page.lines().filter(|line| line.starts_with("kafka_connect")).count();
    assert_eq!(names(&page), names(&plain.body));
    assert!(page.ends_with("lakeward_metrics_left_out 0\n"));
    assert!(zipped.body().len() * 5 < page.len(), "{} of {} bytes", zipped.body().len(), page.len());
}
