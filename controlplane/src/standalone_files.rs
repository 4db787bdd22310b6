//! Connector files of the standalone command line.
//!
//! Three forms, tried in this order: a flat JSON object of texts with `name`;
//! `{"name","config","initial_state"?}`; a properties file with `name`. Source:
//! `ConnectStandalone#parseConnectorConfigurationFile`, Kafka 4.1.

use std::path::Path;

use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::TargetState;
use serde_json::Value;

use crate::error::ControlPlaneError;
use crate::rest::initial_state;
use crate::worker_config::properties;

/// A connector to create at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectorFile {
    /// Name.
    pub(crate) name: String,
    /// Configuration, `name` included.
    pub(crate) config: Properties,
    /// Target state to begin with.
    pub(crate) initial_state: Option<TargetState>,
}

/// Reads a connector file.
///
/// # Errors
/// Class `Config`, naming the file and the remedy.
pub(crate) fn load(path: &Path) -> Result<ConnectorFile, ControlPlaneError> {
    let shown = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|source| ControlPlaneError::File { path: shown.clone(), source })?;
    parse(&bytes).map_err(|problem| ControlPlaneError::ConnectorFile { path: shown, problem })
}

fn parse(bytes: &[u8]) -> Result<ConnectorFile, String> {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let props = properties::parse(bytes)
            .map_err(|bad| format!("line {}: malformed \\uxxxx encoding", bad.line))?;
        return with_name(Properties::from(props), None);
    };
    if let Some(config) = value.get("config").and_then(Properties::from_json) {
        let text = |member: &str| value.get(member).and_then(Value::as_str);
        let state = text("initial_state").map(initial_state).transpose().map_err(|err| err.to_string())?;
        let mut file_config = config;
        if let Some(name) = text("name") {
            match file_config.get("name") {
                Some(given) if given != name => {
                    return Err(format!(
                        "the name in config ({given}) differs from the file's name ({name})"
                    ));
                }
                _ => file_config.set("name", Some(name.to_owned())),
            }
        }
        return with_name(file_config, state);
    }
    match Properties::from_json(&value) {
        Some(config) => with_name(config, None),
        None => Err("the JSON is neither an object of texts nor an object with name and config".to_owned()),
    }
}

fn with_name(config: Properties, initial_state: Option<TargetState>) -> Result<ConnectorFile, String> {
    match config.get("name").map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => Ok(ConnectorFile { name: name.to_owned(), config, initial_state }),
        None => Err("there is no name; add one".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        for text in [
            r#"{"name":"a","connector.class":"X","tasks.max":"2"}"#,
            r#"{"name":"a","config":{"connector.class":"X","tasks.max":2},"initial_state":"paused","z":1}"#,
            "name=a\nconnector.class=X\ntasks.max=2\n",
        ] {
            let file = parse(text.as_bytes()).unwrap();
            assert_eq!(file.name, "a", "{text}");
            assert_eq!(file.config.get("connector.class"), Some("X"), "{text}");
            assert_eq!(file.config.get("tasks.max"), Some("2"), "{text}");
            assert_eq!(file.initial_state.is_some(), text.contains("paused"), "{text}");
        }
    }

    #[test]
    fn a_missing_or_different_name_is_refused() {
        for text in ["{}", "a=b", r#"{"config":{}}"#, r#"{"name":"a","config":{"name":"b"}}"#, "[1]"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
