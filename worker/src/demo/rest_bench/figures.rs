//! What the bench found out: tables for people, one JSON object for machines.
//!
//! Owns: percentiles, words and the marks. Must not: measure.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::cluster::Size;
use super::load::{Kind, Load, MIX, SCRAPES, Sample};

/// Memory of a worker at one moment, bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Resident now.
    pub(super) rss_bytes: u64,
    /// The most it ever was.
    pub(super) peak_rss_bytes: u64,
}

/// A start over a full config topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// From starting the process to its first REST answer, ms.
    pub(super) ready_ms: f64,
    /// To the moment at which every connector and task had the status it should have, ms.
    pub(super) settled_ms: f64,
    /// At the first REST answer.
    pub(super) at_ready: Memory,
    /// When it was settled and a few seconds had passed.
    pub(super) settled: Memory,
    /// CPU time until then.
    pub(super) cpu_seconds: f64,
}

/// Everything.
pub(super) struct Figures {
    pub(super) size: Size,
    pub(super) load: Load,
    pub(super) config_topic_bytes: usize,
    /// A worker without connectors.
    pub(super) idle: Memory,
    /// The first start: no statuses are known.
    pub(super) first: Start,
    /// A later start: statuses are read, too.
    pub(super) again: Start,
    /// The load, twice.
    pub(super) phases: [Phase; 2],
}

/// A time of load.
pub(super) struct Phase {
    pub(super) samples: Vec<Sample>,
    /// A few seconds after its end.
    pub(super) memory: Memory,
    /// CPU time of the worker.
    pub(super) cpu_seconds: f64,
}

/// What the worker is held to.
const READY_MS_MAX: f64 = 2000.0;
const P99_MS_MAX: f64 = 20.0;
const RSS_MB_MAX: f64 = 300.0;
const IDLE_MB_MAX: f64 = 40.0;
/// Between the ends of two equal loads, either way: what was needed once is enough for ever.
const GROWTH_PERCENT_MAX: f64 = 5.0;

/// A figure and what it must stay below.
#[derive(Clone, Copy, Debug)]
struct Mark {
    name: &'static str,
    words: &'static str,
    figure: f64,
    limit: f64,
}

impl Mark {
    fn is_held(self) -> bool {
        self.figure < self.limit
    }

    fn json(self) -> Value {
        json!({ "figure": self.figure, "below": self.limit, "held": self.is_held() })
    }
}

/// Percentiles of one kind of request, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Latency {
    count: usize,
    failed: usize,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    bytes: usize,
}

impl Latency {
    fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> Self {
        let samples: Vec<&Sample> = samples.collect();
        let mut latencies: Vec<Duration> = samples.iter().map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        let at = |share: f64| {
            let place = (latencies.len() as f64 * share).ceil() as usize;
            latencies.get(place.saturating_sub(1)).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
        };
        Self {
            count: samples.len(),
            failed: samples.iter().filter(|sample| !sample.is_good).count(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
            bytes: samples.iter().map(|sample| sample.bytes).max().unwrap_or_default(),
        }
    }

    fn json(self) -> Value {
        json!({
            "count": self.count, "failed": self.failed, "p50_ms": self.p50_ms, "p99_ms": self.p99_ms,
            "max_ms": self.max_ms, "answer_bytes_max": self.bytes,
        })
    }

    fn row(self, text: &mut String, name: &str) {
        // Writing to a String cannot fail.
        let _written = writeln!(
            text,
            "  {name:<44} {:>6} {:>6} {:>9.2} {:>9.2} {:>9.2} {:>11}",
            self.count, self.failed, self.p50_ms, self.p99_ms, self.max_ms, self.bytes
        );
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl Memory {
    fn json(self) -> Value {
        json!({ "rss_bytes": self.rss_bytes, "peak_rss_bytes": self.peak_rss_bytes })
    }
}

impl Start {
    fn json(self) -> Value {
        json!({
            "ready_ms": self.ready_ms, "settled_ms": self.settled_ms, "at_ready": self.at_ready.json(),
            "settled": self.settled.json(), "cpu_seconds": self.cpu_seconds,
        })
    }
}

impl Figures {
    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.phases.iter().flat_map(|phase| &phase.samples)
    }

    /// Requests of the mix, without scrapes.
    fn rest(&self) -> Latency {
        Latency::of(self.samples().filter(|sample| matches!(sample.kind, Kind::Mixed(_))))
    }

    fn of_kind(&self, kind: Kind) -> Latency {
        Latency::of(self.samples().filter(|sample| sample.kind == kind))
    }

    fn mixed(&self) -> impl Iterator<Item = (&'static str, Latency)> + '_ {
        (0..).zip(MIX).map(|(kind, (name, _))| (name, self.of_kind(Kind::Mixed(kind))))
    }

    fn scrapes(&self) -> impl Iterator<Item = (&'static str, Latency)> + '_ {
        (0..).zip(SCRAPES).map(|(kind, name)| (name, self.of_kind(Kind::Scrape(kind))))
    }

    fn marks(&self) -> [Mark; 5] {
        let mark = |name, words, figure, limit| Mark { name, words, figure, limit };
        let [first, second] = self.phases.each_ref().map(|phase| megabytes(phase.memory.rss_bytes));
        let starts = [self.first, self.again].map(|start| start.settled.peak_rss_bytes);
        let loads = self.phases.each_ref().map(|phase| phase.memory.peak_rss_bytes);
        let most = starts.into_iter().chain(loads).max().map_or(0.0, megabytes);
        let ready_ms = self.again.ready_ms.max(self.first.ready_ms);
        let growth = (second - first).abs() / first * 100.0;
        [
            mark("ready_ms", "ready after, ms", ready_ms, READY_MS_MAX),
            mark("rest_p99_ms", "REST p99, ms", self.rest().p99_ms, P99_MS_MAX),
            mark("configured_mb", "peak memory, start and loads, MB", most, RSS_MB_MAX),
            mark("growth_percent", "change in a second load, %", growth, GROWTH_PERCENT_MAX),
            mark("idle_mb", "idle memory, MB", megabytes(self.idle.rss_bytes), IDLE_MB_MAX),
        ]
    }

    /// Requests that were not answered with a success.
    pub(super) fn failed(&self) -> usize {
        Latency::of(self.samples()).failed
    }

    /// What the worker is held to and missed.
    pub(super) fn missed(&self) -> Vec<&'static str> {
        self.marks().into_iter().filter(|mark| !mark.is_held()).map(|mark| mark.words).collect()
    }

    /// One JSON object.
    pub(super) fn json(&self) -> Value {
        let by_kind = |kinds: &mut dyn Iterator<Item = (&'static str, Latency)>| -> Map<String, Value> {
            kinds.map(|(name, latency)| (name.to_owned(), latency.json())).collect()
        };
        let mix: Map<String, Value> =
            MIX.iter().map(|(name, share)| ((*name).to_owned(), json!(share))).collect();
        let marks: Map<String, Value> =
            self.marks().into_iter().map(|mark| (mark.name.to_owned(), mark.json())).collect();
        let phase =
            |phase: &Phase| json!({ "loaded": phase.memory.json(), "load_cpu_seconds": phase.cpu_seconds });
        json!({
            "connectors": self.size.connectors,
            "tasks": self.size.connectors * self.size.tasks,
            "running_tasks": self.size.running * self.size.tasks,
            "config_topic_bytes": self.config_topic_bytes,
            "idle": self.idle.json(),
            "first_start": self.first.json(),
            "start": self.again.json(),
            "requests_per_second": self.load.rate,
            "seconds": self.load.seconds,
            "clients": self.load.clients,
            "mix": mix,
            "rest": self.rest().json(),
            "rest_by_kind": by_kind(&mut self.mixed()),
            "scrapes": by_kind(&mut self.scrapes()),
            "phases": self.phases.each_ref().map(phase),
            "marks": marks,
        })
    }

    /// The tables.
    pub(super) fn table(&self) -> String {
        let Size { connectors, tasks, running } = self.size;
        let mut text = format!(
            "\n  {connectors} connectors, {} tasks ({} of them running), {:.1} MB of configurations\n\n",
            connectors * tasks,
            running * tasks,
            self.config_topic_bytes as f64 / 1e6,
        );
        let mut line = |line: String| {
            // Writing to a String cannot fail.
            let _written = writeln!(text, "  {line}");
        };
        line(format!("{:<28} {:>10} {:>10} {:>10} {:>10}", "", "ready ms", "settled ms", "MB", "peak MB"));
        let idle = self.idle;
        let memory = |memory: Memory| {
            format!("{:>10.1} {:>10.1}", megabytes(memory.rss_bytes), megabytes(memory.peak_rss_bytes))
        };
        line(format!("{:<28} {:>10} {:>10} {}", "no connectors", "", "", memory(idle)));
        for (name, start) in [("first start", self.first), ("start with statuses", self.again)] {
            let settled = memory(start.settled);
            line(format!("{name:<28} {:>10.0} {:>10.0} {settled}", start.ready_ms, start.settled_ms));
        }
        for (name, phase) in ["after the load", "after the same load again"].into_iter().zip(&self.phases) {
            line(format!("{name:<28} {:>10} {:>10} {}", "", "", memory(phase.memory)));
        }
        let Load { rate, seconds, clients } = self.load;
        line(String::new());
        line(format!("{rate} requests/s from {clients} clients for twice {seconds} s, ms"));
        line(format!(
            "{:<44} {:>6} {:>6} {:>9} {:>9} {:>9} {:>11}",
            "", "count", "failed", "p50", "p99", "max", "bytes"
        ));
        for (name, latency) in self.mixed() {
            latency.row(&mut text, name);
        }
        self.rest().row(&mut text, "all of these");
        text.push('\n');
        for (name, latency) in self.scrapes() {
            latency.row(&mut text, name);
        }
        text.push('\n');
        for mark in self.marks() {
            let verdict = if mark.is_held() { "held" } else { "MISSED" };
            let Mark { words, figure, limit, .. } = mark;
            let _written = writeln!(text, "  {words:<36} {figure:>8.1}   below {limit:>6.0}   {verdict}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_and_failures_are_counted() {
        let sample = |ms| Sample {
            kind: Kind::Mixed(0),
            latency: Duration::from_millis(ms),
            is_good: ms != 100,
            bytes: ms as usize,
        };
        let samples: Vec<Sample> = (1..=100).rev().map(sample).collect();
        let latency = Latency::of(samples.iter());
        assert_eq!((latency.p50_ms, latency.p99_ms, latency.max_ms), (50.0, 99.0, 100.0));
        assert_eq!((latency.count, latency.failed, latency.bytes), (100, 1, 100));
        assert_eq!(Latency::of([].iter()), Latency::default());
    }
}
