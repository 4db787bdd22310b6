//! `/` and `/health`.
//!
//! Source: `RootResource`, `WorkerStatus`, Kafka 4.1.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::Gate;
use super::answer::{self, Answer};
use crate::herder::{Command, Stage, now_ms};

/// The release of Kafka Connect whose API this is: clients choose features by it.
const API_VERSION: &str = "4.1.0";
/// Where Java shows its commit, this binary shows its name, as 16 hexadecimal digits.
const COMMIT: &str = "6c616b6577617264";

/// Version, commit and cluster.
pub(super) fn info(cluster_id: Option<&str>) -> Answer {
    let info = json!({ "version": API_VERSION, "commit": COMMIT, "kafka_cluster_id": cluster_id });
    answer::json(StatusCode::OK, &info)
}

/// How often the group's client is looked at while the worker waits for its group.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Asks the herder to do nothing and waits for it, and for the group: without it nobody can do anything.
pub(super) async fn health(gate: &Gate) -> Answer {
    let began_ms = now_ms();
    let waits_for_group = AtomicBool::new(false);
    let check = async {
        let service = gate.service(gate.limits.health).await?;
        service.herder.request(Command::Ping).await.ok()?;
        while !(service.is_member)() {
            waits_for_group.store(true, Ordering::Relaxed);
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        Some(())
    };
    let healthy = matches!(tokio::time::timeout(gate.limits.health, check).await, Ok(Some(())));
    let stage = match gate.stage.borrow().clone() {
        Stage::Ready if waits_for_group.load(Ordering::Relaxed) => {
            Stage::Waiting { doing: "ensuring membership in the cluster", since_ms: began_ms }
        }
        stage => stage,
    };
    let (status, word, message) = match (&stage, healthy) {
        (_, true) => {
            (StatusCode::OK, "healthy", "Worker has completed startup and is ready to handle requests.")
        }
        (Stage::Starting { .. }, false) => {
            (StatusCode::SERVICE_UNAVAILABLE, "starting", "Worker is still starting up.")
        }
        (Stage::Ready | Stage::Waiting { .. } | Stage::Stopping, false) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "unhealthy",
            "Worker was unable to handle this request and may be unable to handle other requests.",
        ),
    };
    let summary = stage.summary();
    let message = match summary.as_str() {
        _ if healthy => message.to_owned(),
        "" => message.to_owned(),
        summary => format!("{message} {summary}"),
    };
    answer::json(status, &json!({ "status": word, "message": message }))
}
