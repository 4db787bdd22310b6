//! What was read so far, as the JSON shapes of the REST API.
//!
//! Reads only. Source: `AbstractHerder#connectorInfo`, `#connectorStatus`, `#taskStatus`, Kafka 4.1.

use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::TaskId;
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::ClusterState;
use lakeward_controlplane_core::status::{Status, StatusBoard};
use serde_json::{Map, Value, json};

use crate::connector_class::ConnectorClass;

/// What plugins report when they have no version; it is left out of answers.
const UNDEFINED_VERSION: &str = "undefined";

/// `sink` or `source`, or `unknown` for classes this binary does not have.
pub(crate) fn connector_type(registry: &PluginRegistry, config: Option<&Properties>) -> &'static str {
    let class = config.and_then(|config| config.get("connector.class"));
    class
        .and_then(|class| ConnectorClass::find(registry, class))
        .map_or("unknown", |found| found.kind().as_str())
}

/// ConnectorInfo.
pub(crate) fn connector_info(registry: &PluginRegistry, state: &ClusterState, name: &str) -> Option<Value> {
    let config = state.config(name)?;
    Some(connector_info_of(registry, name, config, task_ids(state, name)))
}

/// ConnectorInfo of a configuration that is being written, with the tasks known before.
pub(crate) fn connector_info_of(
    registry: &PluginRegistry,
    name: &str,
    config: &Properties,
    tasks: Vec<Value>,
) -> Value {
    json!({
        "name": name,
        "config": config,
        "tasks": tasks,
        "type": connector_type(registry, Some(config)),
    })
}

/// The task ids of a connector.
pub(crate) fn task_ids(state: &ClusterState, name: &str) -> Vec<Value> {
    let numbers = state.task_set(name).into_iter().flat_map(|set| set.tasks.keys());
    numbers.map(|task| json!({ "connector": name, "task": task })).collect()
}

/// The TaskInfos of a connector.
pub(crate) fn task_infos(state: &ClusterState, name: &str) -> Option<Value> {
    state.config(name)?;
    let tasks = state.task_set(name).into_iter().flat_map(|set| &set.tasks);
    let infos: Vec<Value> = tasks
        .map(|(task, config)| json!({ "id": { "connector": name, "task": task }, "config": config }))
        .collect();
    Some(Value::Array(infos))
}

/// StateInfo; `None` without a status.
pub(crate) fn state_info(
    registry: &PluginRegistry,
    state: &ClusterState,
    board: &StatusBoard,
    name: &str,
) -> Option<Value> {
    let status = board.connector(name)?;
    let tasks: Vec<Value> = board.tasks(name).map(|(id, status)| task_state(id, status)).collect();
    Some(json!({
        "name": name,
        "connector": Value::Object(state_members(Map::new(), status)),
        "tasks": tasks,
        "type": connector_type(registry, state.config(name)),
    }))
}

/// TaskState.
pub(crate) fn task_state(id: &TaskId, status: &Status) -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), json!(id.task));
    Value::Object(state_members(members, status))
}

fn state_members(mut members: Map<String, Value>, status: &Status) -> Map<String, Value> {
    members.insert("state".to_owned(), json!(status.state.as_str()));
    members.insert("worker_id".to_owned(), json!(status.worker_id));
    if status.version.as_deref() != Some(UNDEFINED_VERSION) {
        members.insert("version".to_owned(), json!(status.version));
    }
    if let Some(trace) = status.trace.as_deref().filter(|trace| !trace.is_empty()) {
        members.insert("trace".to_owned(), json!(trace));
    }
    members
}
