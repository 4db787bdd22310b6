//! `/metrics` over real HTTP: who may have it, in which style, and how large it gets.

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
