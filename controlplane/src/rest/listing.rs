//! `GET /connectors`: names, or everything about all connectors at once.
//!
//! Served from what was read, without asking the herder. With thousands of connectors the answer is megabytes
//! that dashboards ask for every few seconds, so it is written from what is borrowed, in one pass.
//!
//! Source: `ConnectorsResource#listConnectors`, Kafka 4.1.

use http::StatusCode;
use lakeward_controlplane_core::config_log::ClusterState;
use lakeward_controlplane_core::java_json;
use lakeward_controlplane_core::status::StatusBoard;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::answer::{self, Answer};
use super::route::Query;
use crate::herder::Herder;
use crate::herder::answers::{ConnectorInfo, StateInfo};

/// What `expand` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expand {
    Info,
    Status,
}

impl Expand {
    /// Others are ignored.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "info" => Some(Self::Info),
            "status" => Some(Self::Status),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Status => "status",
        }
    }
}

/// All connectors.
pub(super) fn connectors(herder: &Herder, query: &Query) -> Answer {
    if query.all("expand").next().is_none() {
        let text = herder.view().config(|state| {
            let names: Vec<&str> = state.connectors().map(|name| &**name).collect();
            java_json::to_text(&names)
        });
        return answer::json_text(StatusCode::OK, text);
    }
    let mut expands = Vec::new();
    for expand in query.all("expand").filter_map(Expand::parse) {
        if !expands.contains(&expand) {
            expands.push(expand);
        }
    }
    let text = herder.view().config(|state| {
        herder.view().status(|board| java_json::to_text(&All { herder, state, board, expands: &expands }))
    });
    answer::json_text(StatusCode::OK, text)
}

struct All<'a> {
    herder: &'a Herder,
    state: &'a ClusterState,
    board: &'a StatusBoard,
    expands: &'a [Expand],
}

impl Serialize for All<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.state.connectors() {
            let parts: Option<Vec<Part<'_>>> =
                self.expands.iter().map(|expand| self.part(name, *expand)).collect();
            // A connector that has no status yet is left out whole.
            if let Some(parts) = parts {
                map.serialize_entry(&**name, &Parts(&parts))?;
            }
        }
        map.end()
    }
}

impl<'a> All<'a> {
    fn part(&self, name: &'a str, expand: Expand) -> Option<Part<'a>> {
        let registry = self.herder.registry();
        match expand {
            Expand::Info => ConnectorInfo::of(registry, self.state, name).map(Part::Info),
            Expand::Status => StateInfo::of(registry, self.state, self.board, name).map(Part::Status),
        }
    }
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Info(ConnectorInfo<'a>),
    Status(StateInfo<'a>),
}

impl Part<'_> {
    fn expand(&self) -> Expand {
        match self {
            Self::Info(_) => Expand::Info,
            Self::Status(_) => Expand::Status,
        }
    }
}

struct Parts<'a>(&'a [Part<'a>]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|part| (part.expand().as_str(), part)))
    }
}
