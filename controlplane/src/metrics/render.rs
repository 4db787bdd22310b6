//! A page of all groups, at one moment.
//!
//! Owns which attributes each group has, in Kafka's names. Takes what it needs under the locks first, so that
//! nobody waits while text is made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use lakeward_api::metrics::ms_of;
use lakeward_controlplane_core::status::RunState;
use lakeward_kafka::client_metrics::ClientSeries;

use super::attributes::{ERRORS, SINK, SOURCE, TASK, TEXTS_OF_CONNECTOR, TEXTS_OF_TASK, TRANSACTIONS};
use super::page::{Labels, Page, Pieces, Style};
use super::{Metrics, PluginGroup, TaskGroup, Texts, clients, conditions, files, lock, memory, stores};
use crate::herder::WorkerParts;
use crate::store::ClusterView;
use crate::worker_config::WorkerMode;

/// The largest page; 10,000 tasks need about half of it.
pub(crate) const PAGE_BYTES_MAX: usize = 160 << 20;

/// Tasks of a connector by state, for `connect-worker-metrics,connector=`.
#[derive(Default)]
struct StateCounts {
    total: u32,
    failed: u32,
    paused: u32,
    restarting: u32,
    running: u32,
    unassigned: u32,
}

impl StateCounts {
    fn add(&mut self, state: Option<RunState>) {
        self.total += 1;
        match state {
            Some(RunState::Failed) => self.failed += 1,
            Some(RunState::Paused) => self.paused += 1,
            Some(RunState::Restarting) => self.restarting += 1,
            Some(RunState::Running) => self.running += 1,
            Some(RunState::Stopped) => {}
            Some(RunState::Unassigned) | None => self.unassigned += 1,
        }
    }
}

/// A connector at the moment of the page.
struct Connector {
    labels: Labels,
    texts: Texts,
    status: String,
    counts: StateCounts,
}

/// Everything a page shows.
struct Snapshot<'a> {
    now: Instant,
    now_ms: u64,
    metrics: &'a Metrics,
    parts: &'a WorkerParts,
    connectors: Vec<Connector>,
    tasks: Vec<Arc<TaskGroup>>,
    clients: Vec<ClientSeries>,
    client: Labels,
    none: Labels,
}

/// The page in these styles, one after the other, from the empty sheet `first` on: `pieces` gets all but the
/// last piece, which is returned. `None` when nobody wants more of it.
pub(crate) fn render(
    parts: &WorkerParts,
    view: &ClusterView,
    styles: &[Style],
    first: String,
    pieces: Pieces<'_>,
) -> Option<String> {
    let snapshot = Snapshot::take(parts, view);
    let mut page = Page::new(PAGE_BYTES_MAX, first, pieces);
    for style in styles {
        page.set_style(*style);
        snapshot.worker(&mut page);
        snapshot.rebalances(&mut page);
        snapshot.process(&mut page, *style);
        snapshot.connectors(&mut page);
        snapshot.tasks(&mut page);
        snapshot.plugins(&mut page);
        clients::append(&mut page, &snapshot.clients);
    }
    memory::append(&mut page);
    stores::append(&mut page);
    snapshot.conditions(&mut page);
    snapshot.files(&mut page);
    page.is_wanted().then(|| page.finish())
}

impl<'a> Snapshot<'a> {
    fn take(parts: &'a WorkerParts, view: &ClusterView) -> Self {
        let metrics = &*parts.metrics;
        let tasks: Vec<Arc<TaskGroup>> = lock(&metrics.tasks).values().cloned().collect();
        let known: Vec<(Arc<str>, Texts)> = lock(&metrics.connectors)
            .iter()
            .map(|(name, group)| (Arc::clone(name), group.texts.clone()))
            .collect();
        let connectors = view.status(|board| {
            let mut counts: BTreeMap<&str, StateCounts> = BTreeMap::new();
            for task in &tasks {
                let state = board.task(&task.id).map(|status| status.state);
                counts.entry(&task.id.connector).or_default().add(state);
            }
            let connector = |(name, texts): (Arc<str>, Texts)| Connector {
                labels: Labels::new(&[("connector", &name)]),
                texts,
                status: board
                    .connector(&name)
                    .map_or(RunState::Unassigned, |status| status.state)
                    .as_str()
                    .to_lowercase(),
                counts: counts.remove(&*name).unwrap_or_default(),
            };
            known.into_iter().map(connector).collect()
        });
        let client = match parts.config.props().get("client.id").filter(|id| !id.is_empty()) {
            Some(id) => id.clone(),
            None => format!("connect-{}", parts.worker_id),
        };
        let now = Instant::now();
        Self {
            now,
            now_ms: ms_of(now),
            metrics,
            parts,
            connectors,
            tasks,
            clients: clients::read(),
            client: Labels::new(&[("client-id", &client)]),
            none: Labels::default(),
        }
    }

    fn one(&self, page: &mut Page<'_>, group: &str, attribute: &str, value: f64) {
        page.numbers(group, attribute, std::iter::once((&self.none, value)));
    }

    fn worker(&self, page: &mut Page<'_>) {
        let group = "connect-worker-metrics";
        let counts = [("connector-count", self.connectors.len()), ("task-count", self.tasks.len())];
        for (attribute, count) in counts {
            self.one(page, group, attribute, count as f64);
        }
        for (what, starts) in
            [("connector", &self.metrics.connector_starts), ("task", &self.metrics.task_starts)]
        {
            for (ending, value) in starts.read(self.now_ms) {
                self.one(page, group, &format!("{what}-startup-{ending}"), value);
            }
        }
    }

    /// Only workers of a group have these.
    fn rebalances(&self, page: &mut Page<'_>) {
        if self.parts.config.mode() == WorkerMode::Standalone {
            return;
        }
        let group = "connect-worker-rebalance-metrics";
        let generation = self.metrics.group.generation();
        let rebalances = lock(&self.metrics.rebalances);
        let since = rebalances
            .ended
            .map_or(f64::INFINITY, |ended| self.now.saturating_duration_since(ended).as_millis() as f64);
        let numbers = [
            ("epoch", generation.unwrap_or(rebalances.epoch) as f64),
            ("completed-rebalances-total", rebalances.completed as f64),
            ("rebalancing", f64::from(u8::from(rebalances.began.is_some()))),
            ("rebalance-max-time-ms", rebalances.times.max(self.now_ms)),
            ("rebalance-avg-time-ms", rebalances.times.avg(self.now_ms)),
            ("time-since-last-rebalance-ms", since),
        ];
        let leads = rebalances.leads;
        drop(rebalances);
        for (attribute, value) in numbers {
            self.one(page, group, attribute, value);
        }
        let protocol = self.parts.config.required("connect.protocol").to_uppercase();
        page.texts(group, "connect-protocol", std::iter::once((&self.none, protocol.as_str())));
        let leader = if leads { self.parts.url.clone() } else { self.metrics.group.leader() };
        page.texts(group, "leader-name", std::iter::once((&self.none, leader.as_str())));
        let group = "connect-coordinator-metrics";
        let counts = [("assigned-connectors", self.connectors.len()), ("assigned-tasks", self.tasks.len())];
        for (attribute, count) in counts {
            page.numbers(group, attribute, std::iter::once((&self.client, count as f64)));
        }
    }

    fn process(&self, page: &mut Page<'_>, style: Style) {
        let started_ms = self.metrics.started_ms as f64;
        let (attribute, started) = match style {
            Style::Rules => ("start-time-seconds", started_ms / 1000.0),
            Style::Jmx | Style::Reporter => ("start-time-ms", started_ms),
        };
        page.numbers("app-info", attribute, std::iter::once((&self.client, started)));
        page.texts("app-info", "version", std::iter::once((&self.client, env!("CARGO_PKG_VERSION"))));
    }

    fn connectors(&self, page: &mut Page<'_>) {
        type Read = fn(&StateCounts) -> u32;
        let counts: [(&str, Read); 7] = [
            ("connector-total-task-count", |counts| counts.total),
            ("connector-running-task-count", |counts| counts.running),
            ("connector-paused-task-count", |counts| counts.paused),
            ("connector-failed-task-count", |counts| counts.failed),
            ("connector-unassigned-task-count", |counts| counts.unassigned),
            // A task that is gone has no status here.
            ("connector-destroyed-task-count", |_| 0),
            ("connector-restarting-task-count", |counts| counts.restarting),
        ];
        for (attribute, read) in counts {
            let series = self.connectors.iter();
            let series = series.map(|connector| (&connector.labels, f64::from(read(&connector.counts))));
            page.numbers("connect-worker-metrics", attribute, series);
        }
        let statuses = self.connectors.iter().map(|connector| (&connector.labels, connector.status.as_str()));
        page.texts("connector-metrics", "status", statuses);
        for attribute in TEXTS_OF_CONNECTOR {
            let series = self.connectors.iter();
            let series = series
                .filter_map(|connector| Some((&connector.labels, text_of(&connector.texts, attribute)?)));
            page.texts("connector-metrics", attribute, series);
        }
    }

    fn tasks(&self, page: &mut Page<'_>) {
        let now_ms = self.now_ms;
        let group = "connector-task-metrics";
        let statuses = self.tasks.iter().map(|task| (&task.labels, task.metrics.states.state().as_str()));
        page.texts(group, "status", statuses);
        for (attribute, read) in TASK {
            let series = self.tasks.iter().map(|task| (&task.labels, read(&task.metrics, now_ms)));
            page.numbers(group, attribute, series);
        }
        for attribute in TEXTS_OF_TASK {
            let series = self.tasks.iter();
            let series = series.filter_map(|task| Some((&task.labels, text_of(&task.texts, attribute)?)));
            page.texts(group, attribute, series);
        }
        // Beyond Kafka's attributes.
        let deliveries = self.tasks.iter().filter_map(|task| {
            let delivery = task.metrics.sink.as_ref()?.delivery.get()?;
            Some((&task.labels, delivery.as_str()))
        });
        page.texts("sink-task-metrics", "delivery", deliveries);
        for (attribute, read) in SOURCE {
            let series = self.tasks.iter();
            let series = series.filter_map(|task| Some((&task.labels, task.metrics.source.as_ref()?)));
            let series = series.map(|(labels, source)| (labels, read(source, now_ms)));
            page.numbers("source-task-metrics", attribute, series);
        }
        let transactions = if self.is_exactly_once() { TRANSACTIONS } else { &[] };
        for (attribute, read) in transactions {
            let series = self.tasks.iter();
            let series = series.filter_map(|task| Some((&task.labels, task.metrics.source.as_ref()?)));
            let series = series.map(|(labels, source)| (labels, read(source, now_ms)));
            page.numbers("source-task-metrics", attribute, series);
        }
        for (attribute, read) in SINK {
            let series = self.tasks.iter();
            let series = series.filter_map(|task| Some((&task.labels, task.metrics.sink.as_ref()?)));
            let series = series.map(|(labels, sink)| (labels, read(sink, now_ms)));
            page.numbers("sink-task-metrics", attribute, series);
        }
        for (attribute, read) in ERRORS {
            let series = self.tasks.iter().map(|task| (&task.labels, read(&task.metrics.errors, now_ms)));
            page.numbers("task-error-metrics", attribute, series);
        }
    }

    fn conditions(&self, page: &mut Page<'_>) {
        let tasks = self.tasks.iter().filter_map(|task| Some((&*task.id.connector, task.conditions()?)));
        conditions::append(page, tasks);
    }

    fn files(&self, page: &mut Page<'_>) {
        let tasks = self.tasks.iter().filter_map(|task| {
            Some((&*task.id.connector, task.id.task, &*task.metrics.sink.as_ref()?.files))
        });
        files::append(page, tasks);
    }

    fn is_exactly_once(&self) -> bool {
        let support = self.parts.config.text("exactly.once.source.support").unwrap_or_default();
        support.eq_ignore_ascii_case("enabled")
    }

    fn plugins(&self, page: &mut Page<'_>) {
        let kinds = [
            (PluginGroup::Transform, "connector-transform-metrics", ["transform-class", "transform-version"]),
            (PluginGroup::Predicate, "connector-predicate-metrics", ["predicate-class", "predicate-version"]),
        ];
        for (kind, group, attributes) in kinds {
            for attribute in attributes {
                let plugins = self.tasks.iter().flat_map(|task| &task.plugins);
                let plugins = plugins.filter(|plugin| plugin.group == kind);
                let series =
                    plugins.filter_map(|plugin| Some((&plugin.labels, text_of(&plugin.texts, attribute)?)));
                page.texts(group, attribute, series);
            }
        }
    }
}

fn text_of<'a>(texts: &'a Texts, attribute: &str) -> Option<&'a str> {
    texts.iter().find(|(name, _)| *name == attribute).map(|(_, text)| text.as_str())
}
