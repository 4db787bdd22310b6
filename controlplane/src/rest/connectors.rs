//! `/connectors` and everything below it.
//!
//! Source: `ConnectorsResource`, Kafka 4.1.

use bytes::Bytes;
use http::{Method, StatusCode};
use lakeward_api::runtime::TaskId;
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::{RestartRequest, TargetState};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::body;
use super::listing;
use super::route::{Query, Resource};
use crate::herder::{
    self, Command, Existing, Expected, Herder, PutConnector, RequestError, SharedWrite, answers,
};

pub(super) type Outcome = Result<Answer, RequestError>;

/// What Java leaves as it is in a path segment.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A request to one of these resources.
pub(super) struct Call<'a> {
    pub(super) herder: &'a Herder,
    pub(super) method: &'a Method,
    pub(super) query: &'a Query,
    pub(super) body: Bytes,
    /// What the client called this worker, for `Location`: `http://host:port`.
    pub(super) origin: &'a str,
    /// Which configuration the request may change.
    pub(super) expected: Expected,
}

/// Answers a request whose method the resource has.
pub(super) async fn serve(resource: Resource, call: Call<'_>) -> Outcome {
    match resource {
        Resource::Connectors if *call.method == Method::POST => create(&call).await,
        Resource::Connectors => Ok(listing::connectors(call.herder, call.query).await),
        Resource::Connector(name) if *call.method == Method::DELETE => {
            let command = Command::Delete { name, expected: call.expected.clone() };
            done(call.herder.request(command).await, StatusCode::NO_CONTENT)
        }
        Resource::Connector(name) => {
            let state = |herder: &Herder| {
                herder.view().config(|state| answers::connector_info(herder.registry(), state, &name))
            };
            let answer = found(state(call.herder), || format!("Connector {name} not found"));
            tagged(call.herder, &name, answer)
        }
        Resource::ConnectorConfig(name) => config(name, &call).await,
        Resource::ConnectorDelivery(name) => super::delivery::serve(&name, call.herder),
        Resource::ConnectorOffsets(name) => super::offsets::serve(name, &call).await,
        Resource::ConnectorStatus(name) => status(&name, &call),
        Resource::ConnectorTasks(name) => {
            let tasks = call.herder.view().config(|state| answers::task_infos(state, &name));
            found(tasks, || format!("Connector {name} not found"))
        }
        Resource::ConnectorPause(name) => set_target(&call, name, TargetState::Paused).await,
        Resource::ConnectorResume(name) => set_target(&call, name, TargetState::Started).await,
        Resource::ConnectorStop(name) => {
            done(call.herder.request(Command::Stop { name }).await, StatusCode::NO_CONTENT)
        }
        Resource::ConnectorRestart(name) => restart(name, &call).await,
        Resource::ConnectorTopics(name) => topics(&name, &call),
        Resource::ConnectorTopicsReset(name) => reset_topics(name, &call).await,
        Resource::TaskRestart(name, task) => restart_task(name, task, &call).await,
        Resource::TaskStatus(name, task) => {
            let status = u32::try_from(task).ok().and_then(|task| {
                let id = TaskId { connector: name.as_str().into(), task };
                let view = call.herder.view();
                view.status(|board| board.task(&id).map(|status| answers::task_state(&id, status)))
            });
            found(status, || format!("No status found for task {name}-{task}"))
        }
        _ => Ok(answer::routing(StatusCode::NOT_FOUND)),
    }
}

async fn restart_task(name: String, task: i32, call: &Call<'_>) -> Outcome {
    let Ok(number) = u32::try_from(task) else {
        let is_there = call.herder.view().config(|state| state.config(&name).is_some());
        let problem = if is_there {
            format!("Unknown task: {name}-{task}")
        } else {
            format!("Unknown connector: {name}")
        };
        return Err(RequestError::NotFound(problem));
    };
    let id = TaskId { connector: name.into(), task: number };
    done(call.herder.request(Command::RestartTask { id }).await, StatusCode::NO_CONTENT)
}

fn found(value: Option<Value>, missing: impl FnOnce() -> String) -> Outcome {
    match value {
        Some(value) => Ok(answer::json(StatusCode::OK, &value)),
        None => Err(RequestError::NotFound(missing())),
    }
}

fn done(outcome: Result<herder::Answer, RequestError>, status: StatusCode) -> Outcome {
    outcome.map(|_| answer::empty(status))
}

async fn create(call: &Call<'_>) -> Outcome {
    let request = body::create_request(&call.body)?;
    let config = with_name(&request.name, request.config)?;
    let put = PutConnector {
        name: request.name,
        config,
        initial_state: request.initial_state,
        existing: Existing::Refuse,
    };
    put_connector(call, put).await
}

async fn config(name: String, call: &Call<'_>) -> Outcome {
    match *call.method {
        Method::PUT => {
            let config = with_name(&name, body::config_map(&call.body)?)?;
            let existing = Existing::Replace(call.expected.clone());
            let put = PutConnector { name, config, initial_state: None, existing };
            put_connector(call, put).await
        }
        Method::PATCH => {
            let patch = match body::patch_map(&call.body)? {
                Some(patch) => patch,
                None if call.herder.view().config(|state| state.config(&name).is_none()) => {
                    return Err(RequestError::NotFound(format!("Connector {name} not found")));
                }
                None => {
                    let message = "Cannot invoke \"java.util.Map.forEach(java.util.function.BiConsumer)\" \
                                   because \"patch\" is null";
                    return Err(RequestError::Internal(message.to_owned()));
                }
            };
            let command = Command::Patch { name: name.clone(), patch, expected: call.expected.clone() };
            written(call, &name, call.herder.request(command).await?)
        }
        _ => {
            let config = call.herder.view().config(|state| state.config(&name).map(|config| json!(config)));
            tagged(call.herder, &name, found(config, || format!("Connector {name} not found")))
        }
    }
}

/// The answer with the tag of the connector's configuration.
fn tagged(herder: &Herder, name: &str, answer: Outcome) -> Outcome {
    let tag = herder.view().config(|state| state.config(name).map(herder::tag));
    answer.map(|answer| answer::tagged(answer, tag))
}

/// The name in the configuration must be the one of the request; it is added at the end when absent.
fn with_name(name: &str, mut config: Properties) -> Result<Properties, RequestError> {
    match config.get("name") {
        Some(given) if given != name => Err(RequestError::BadRequest(format!(
            "Connector name configuration ({given}) doesn't match connector name in the URL ({name})"
        ))),
        Some(_) => Ok(config),
        None if config.contains("name") => Ok(config),
        None => {
            config.set("name", Some(name.to_owned()));
            Ok(config)
        }
    }
}

/// Validation comes before everything that depends on the cluster.
async fn put_connector(call: &Call<'_>, put: PutConnector) -> Outcome {
    if let Some(refusal) = call.herder.validate(put.config.clone()).await?.refusal() {
        return Err(RequestError::BadRequest(refusal));
    }
    let name = put.name.clone();
    written(call, &name, call.herder.request(Command::Put(put)).await?)
}

fn written(call: &Call<'_>, name: &str, outcome: herder::Answer) -> Outcome {
    let tag = |info: &Value| Properties::from_json(&info["config"]).as_ref().map(herder::tag);
    Ok(match outcome {
        herder::Answer::Created(info) => {
            let name = utf8_percent_encode(name, IN_PATH);
            let location = format!("{}/connectors/{name}", call.origin);
            answer::tagged(answer::created(&info, &location), tag(&info))
        }
        herder::Answer::Updated(info) | herder::Answer::State(info) => {
            answer::tagged(answer::json(StatusCode::OK, &info), tag(&info))
        }
        herder::Answer::Done | herder::Answer::Message(_) => answer::empty(StatusCode::NO_CONTENT),
    })
}

fn status(name: &str, call: &Call<'_>) -> Outcome {
    let herder = call.herder;
    let info = herder.view().config(|state| {
        herder.view().status(|board| answers::state_info(herder.registry(), state, board, name))
    });
    found(info, || format!("No status found for connector {name}"))
}

async fn set_target(call: &Call<'_>, name: String, target: TargetState) -> Outcome {
    done(call.herder.write(SharedWrite::SetTarget { name, target }).await, StatusCode::ACCEPTED)
}

async fn restart(name: String, call: &Call<'_>) -> Outcome {
    let request = RestartRequest {
        include_tasks: call.query.flag("includeTasks", "false"),
        only_failed: call.query.flag("onlyFailed", "false"),
    };
    if !request.include_tasks && !request.only_failed {
        return done(call.herder.request(Command::RestartConnector { name }).await, StatusCode::NO_CONTENT);
    }
    match call.herder.request(Command::RestartPlan { name, request }).await? {
        herder::Answer::State(state) => Ok(answer::json(StatusCode::ACCEPTED, &state)),
        _ => Ok(answer::empty(StatusCode::ACCEPTED)),
    }
}

fn require_tracking(call: &Call<'_>) -> Result<(), RequestError> {
    if call.herder.config().flag("topic.tracking.enable") {
        Ok(())
    } else {
        Err(RequestError::Forbidden("Topic tracking is disabled.".to_owned()))
    }
}

fn topics(name: &str, call: &Call<'_>) -> Outcome {
    require_tracking(call)?;
    let topics: Vec<String> =
        call.herder.view().status(|board| board.topics(name).map(|topic| topic.to_string()).collect());
    let mut connectors = Map::new();
    connectors.insert(name.to_owned(), json!({ "topics": topics }));
    Ok(answer::json(StatusCode::OK, &Value::Object(connectors)))
}

async fn reset_topics(name: String, call: &Call<'_>) -> Outcome {
    require_tracking(call)?;
    if !call.herder.config().flag("topic.tracking.allow.reset") {
        return Err(RequestError::Forbidden("Topic tracking reset is disabled.".to_owned()));
    }
    done(call.herder.write(SharedWrite::ResetTopics { name }).await, StatusCode::ACCEPTED)
}
