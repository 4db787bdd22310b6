//! `/` and `/health`.
//!
//! Source: `RootResource`, `WorkerStatus`, Kafka 4.1.

use http::StatusCode;
use serde_json::json;

use super::Gate;
use super::answer::{self, Answer};
use crate::herder::{Command, Stage};

/// The release of Kafka Connect whose API this is: clients choose features by it.
const API_VERSION: &str = "4.1.0";
/// Where Java shows its commit, this binary shows its name, as 16 hexadecimal digits.
const COMMIT: &str = "6c616b6577617264";

/// Version, commit and cluster.
pub(super) fn info(cluster_id: Option<&str>) -> Answer {
    let info = json!({ "version": API_VERSION, "commit": COMMIT, "kafka_cluster_id": cluster_id });
    answer::json(StatusCode::OK, &info)
}

/// Waits for the group, without which nobody can do anything, and asks the herder to do nothing.
pub(super) async fn health(gate: &Gate) -> Answer {
    let check = async {
        let service = gate.service(gate.limits.health).await?;
        let mut stage = gate.stage.clone();
        stage.wait_for(|stage| !matches!(stage, Stage::Waiting { .. })).await.ok()?;
        // The herder takes the role that came with the group before it answers.
        service.herder.request(Command::Ping).await.ok()?;
        Some(())
    };
    let healthy = matches!(tokio::time::timeout(gate.limits.health, check).await, Ok(Some(())));
    let stage = gate.stage.borrow().clone();
    let (status, word, message) = match (&stage, healthy) {
        (_, true) => {
            (StatusCode::OK, "healthy", "Worker has completed startup and is ready to handle requests.")
        }
        (Stage::Starting { .. }, false) => {
            (StatusCode::SERVICE_UNAVAILABLE, "starting", "Worker is still starting up.")
        }
        (Stage::Busy { .. } | Stage::Ready | Stage::Waiting { .. } | Stage::Stopping, false) => (
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
