//! `/connector-plugins`.
//!
//! Source: `ConnectorPluginsResource`, Kafka 4.1.

use bytes::Bytes;
use http::StatusCode;
use lakeward_api::plugin::PluginKind;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::body;
use super::route::Query;
use crate::herder::{Herder, RequestError};
use crate::validation::{all_plugins, check_version, config_key_json, plugin_keys};

/// The plugins of this binary: connectors, then (on request) those of the other kinds.
pub(super) fn list(herder: &Herder, query: &Query) -> Answer {
    let connectors_only = query.flag("connectorsOnly", "true");
    let plugins = all_plugins(herder.registry())
        .filter(|(_, kind, _)| !connectors_only || matches!(kind, PluginKind::Sink | PluginKind::Source))
        .map(|(class, kind, version)| json!({ "class": class, "type": kind.as_str(), "version": version }));
    answer::json(StatusCode::OK, &Value::Array(plugins.collect()))
}

/// The keys of one plugin, of the version that `query` asks for.
pub(super) fn config(herder: &Herder, name: &str, query: &Query) -> Result<Answer, RequestError> {
    let (class, definition) = plugin_keys(herder.registry(), name)
        .ok_or_else(|| RequestError::NotFound(format!("Unknown plugin {name}.")))?;
    if let Some(wanted) = query.all("version").next() {
        check_version(herder.registry(), class, Some(wanted))
            .map_err(|_| RequestError::BadRequest(format!("Invalid version specification: {wanted}")))?
            .map_err(RequestError::BadRequest)?;
    }
    let keys = definition.keys().iter().map(config_key_json).collect();
    Ok(answer::json(StatusCode::OK, &Value::Array(keys)))
}

/// Validates a configuration; problems are a 200.
pub(super) async fn validate(herder: &Herder, name: &str, body: Bytes) -> Result<Answer, RequestError> {
    let config = body::config_map(&body)?;
    if let Some(class) = config.get("connector.class")
        && !normalized(class).ends_with(normalized(name))
    {
        return Err(RequestError::BadRequest(format!(
            "Included connector type {class} does not match request type {name}"
        )));
    }
    match herder.validate(config).await {
        Ok(infos) => Ok(answer::json(StatusCode::OK, &infos.to_json())),
        // Java wraps the failure of its validation thread once more, which makes it a 500.
        Err(RequestError::BadRequest(message)) => Err(RequestError::Internal(format!(
            "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: {message}"
        ))),
        Err(RequestError::Config(message)) => {
            Err(RequestError::Internal(format!("org.apache.kafka.common.config.ConfigException: {message}")))
        }
        Err(other) => Err(other),
    }
}

fn normalized(class: &str) -> &str {
    class.strip_suffix("Connector").unwrap_or(class)
}
