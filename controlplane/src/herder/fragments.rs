//! The JSON of each connector as lists of all connectors show it, kept until the connector changes.
//!
//! With thousands of connectors a list is megabytes that dashboards ask for every few seconds, and between
//! two of them hardly anything changes. Owns what is kept and when it is stale; must not know what lists look
//! like. Memory: the text of two lists, shared with the answers that are being sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lakeward_api::plugin::PluginRegistry;
use lakeward_controlplane_core::config_log::ClusterState;
use lakeward_controlplane_core::java_json;
use lakeward_controlplane_core::status::StatusBoard;

use super::answers::{ConnectorInfo, StateInfo};
use crate::store::ClusterView;

/// Connectors that are looked at in one go: nobody waits longer than that for the cluster's state.
pub(crate) const SLICE: usize = 32;

/// What a list shows of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// ConnectorInfo.
    Info,
    /// StateInfo.
    Status,
}

/// A text and the revisions that it shows.
struct Kept<R> {
    of: R,
    text: Bytes,
}

/// Of the configuration and of the task set.
type InfoRevision = (i64, Option<i64>);
/// Of the configuration, which says the type, and of the statuses.
type StatusRevision = (Option<i64>, u64);

#[derive(Default)]
struct Entry {
    info: Option<Kept<InfoRevision>>,
    status: Option<Kept<StatusRevision>>,
}

/// The texts that were made last.
#[derive(Default)]
pub(crate) struct Fragments(Mutex<BTreeMap<Arc<str>, Entry>>);

impl Fragments {
    /// These parts of these connectors, in that order; `None` for a connector that lacks one of them.
    pub(crate) fn of(
        &self,
        registry: &PluginRegistry,
        view: &ClusterView,
        names: &[Arc<str>],
        parts: &[Part],
    ) -> Vec<Option<Vec<Bytes>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        view.config(|state| {
            view.status(|board| {
                let mut all = |name: &Arc<str>| {
                    let entry = kept.entry(Arc::clone(name)).or_default();
                    let part = |part: &Part| match part {
                        Part::Info => entry.info(registry, state, name),
                        Part::Status => entry.status(registry, state, board, name),
                    };
                    parts.iter().map(part).collect()
                };
                names.iter().map(&mut all).collect()
            })
        })
    }

    /// Forgets the texts of connectors that are gone.
    pub(crate) fn retain(&self, names: &[Arc<str>]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Names are sorted, as they come from the cluster's state.
        kept.retain(|name, _| names.binary_search(name).is_ok());
    }
}

impl Entry {
    fn info(&mut self, registry: &PluginRegistry, state: &ClusterState, name: &str) -> Option<Bytes> {
        let of = (state.config_revision(name)?, state.task_set(name).map(|set| set.revision));
        let make = || ConnectorInfo::of(registry, state, name).map(|info| java_json::to_text(&info));
        keep(&mut self.info, of, make)
    }

    fn status(
        &mut self,
        registry: &PluginRegistry,
        state: &ClusterState,
        board: &StatusBoard,
        name: &str,
    ) -> Option<Bytes> {
        let of = (state.config_revision(name), board.revision(name)?);
        let make = || StateInfo::of(registry, state, board, name).map(|info| java_json::to_text(&info));
        keep(&mut self.status, of, make)
    }
}

fn keep<R: PartialEq>(
    kept: &mut Option<Kept<R>>,
    of: R,
    make: impl FnOnce() -> Option<String>,
) -> Option<Bytes> {
    if let Some(known) = kept.as_ref().filter(|known| known.of == of) {
        return Some(known.text.clone());
    }
    *kept = make().map(|text| Kept { of, text: Bytes::from(text.into_boxed_str().into_boxed_bytes()) });
    kept.as_ref().map(|known| known.text.clone())
}
