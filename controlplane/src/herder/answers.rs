//! What was read so far, as the JSON shapes of the REST API.
//!
//! Reads only. What lists of thousands are made of is borrowed, so that it is copied once, into the answer.
//! Source: `AbstractHerder#connectorInfo`, `#connectorStatus`, `#taskStatus`, Kafka 4.1.

use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::TaskId;
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::ClusterState;
use lakeward_controlplane_core::status::{Status, StatusBoard};
use serde::Serialize;
use serde_json::{Value, json};

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

/// ConnectorInfo, borrowed.
#[derive(Serialize)]
pub(crate) struct ConnectorInfo<'a> {
    name: &'a str,
    config: &'a Properties,
    tasks: Vec<TaskNumber<'a>>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct TaskNumber<'a> {
    connector: &'a str,
    task: u32,
}

impl<'a> ConnectorInfo<'a> {
    /// `None` without a configuration.
    pub(crate) fn of(registry: &PluginRegistry, state: &'a ClusterState, name: &'a str) -> Option<Self> {
        let config = state.config(name)?;
        let numbers = state.task_set(name).into_iter().flat_map(|set| set.tasks.keys());
        let tasks = numbers.map(|task| TaskNumber { connector: name, task: *task }).collect();
        Some(Self { name, config, tasks, r#type: connector_type(registry, Some(config)) })
    }
}

/// StateInfo, borrowed.
#[derive(Serialize)]
pub(crate) struct StateInfo<'a> {
    name: &'a str,
    connector: State<'a>,
    tasks: Vec<TaskState<'a>>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct State<'a> {
    state: &'static str,
    worker_id: &'a str,
    #[serde(skip_serializing_if = "is_undefined")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

#[derive(Serialize)]
struct TaskState<'a> {
    id: u32,
    #[serde(flatten)]
    state: State<'a>,
}

/// What is left out is the version that says so; a null stays.
fn is_undefined(version: &Option<&str>) -> bool {
    *version == Some(UNDEFINED_VERSION)
}

impl<'a> State<'a> {
    fn of(status: &'a Status) -> Self {
        Self {
            state: status.state.as_str(),
            worker_id: &status.worker_id,
            version: status.version.as_deref(),
            trace: status.trace.as_deref().filter(|trace| !trace.is_empty()),
        }
    }
}

impl<'a> StateInfo<'a> {
    /// `None` without a status.
    pub(crate) fn of(
        registry: &PluginRegistry,
        state: &ClusterState,
        board: &'a StatusBoard,
        name: &'a str,
    ) -> Option<Self> {
        let connector = State::of(board.connector(name)?);
        let tasks = board.tasks(name).map(|(id, status)| TaskState { id, state: State::of(status) });
        Some(Self {
            name,
            connector,
            tasks: tasks.collect(),
            r#type: connector_type(registry, state.config(name)),
        })
    }
}

/// StateInfo; `None` without a status.
pub(crate) fn state_info(
    registry: &PluginRegistry,
    state: &ClusterState,
    board: &StatusBoard,
    name: &str,
) -> Option<Value> {
    StateInfo::of(registry, state, board, name).map(|info| json!(info))
}

/// TaskState.
pub(crate) fn task_state(id: &TaskId, status: &Status) -> Value {
    json!(TaskState { id: id.task, state: State::of(status) })
}
