//! `/connectors/{name}/delivery`: what a connector's tasks guarantee, and what is known of the store that
//! they write to. Beyond Kafka Connect, whose clients read a status strictly: nothing may be added there.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer;
use super::connectors::Outcome;
use crate::herder::{Herder, RequestError};
use crate::metrics::TaskDelivery;
use crate::worker_config::WorkerMode;

/// Of every task that runs on the worker that leads; others send the request on to it.
///
/// # Errors
/// 404 without such a connector.
pub(super) fn serve(name: &str, herder: &Herder) -> Outcome {
    if herder.view().config(|state| state.config(name).is_none()) {
        return Err(RequestError::NotFound(format!("Connector {name} not found")));
    }
    let parts = herder.parts();
    if parts.config.mode() != WorkerMode::Standalone && !parts.metrics.leads() {
        return Err(RequestError::NotLeader);
    }
    let task = |task: TaskDelivery| {
        let store = task.store.map(|store| {
            let (writes, completions) = (store.get(), store.completions());
            let mut store = json!({
                "conditional_writes": writes.name(),
                "conditional_completions": completions.name(),
            });
            for (name, found) in [("cause", &writes), ("completions_cause", &completions)] {
                if let Some(cause) = found.cause() {
                    store[name] = Value::from(cause);
                }
            }
            store
        });
        json!({ "id": task.number, "worker_id": parts.worker_id, "delivery": task.delivery, "store": store })
    };
    let tasks: Vec<Value> = parts.metrics.deliveries(name).into_iter().map(task).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "name": name, "tasks": tasks })))
}
