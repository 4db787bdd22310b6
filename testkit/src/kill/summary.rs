//! What a kill test found, as one JSON object.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::cluster::Cluster;
use super::faults::Schedule;
use crate::worker::{BESIDE_LIMIT_BYTES, MEMORY_LIMIT_BYTES};

/// Fewer faults than this prove nothing.
const FAULTS_MIN: u64 = 10;
/// No worker may take more.
const PEAK_BYTES_MAX: u64 = MEMORY_LIMIT_BYTES + BESIDE_LIMIT_BYTES;

/// Counts of a run.
#[derive(Debug)]
pub struct Summary {
    began: Instant,
    seed: u64,
    seconds: f64,
    kills: u64,
    stops: u64,
    terms: u64,
    /// Ends at failpoints, by name.
    ends: BTreeMap<String, u64>,
    failpoints: Vec<String>,
    modes: Map<String, Value>,
    records: u64,
    missing: u64,
    duplicates: u64,
    peak_rss_bytes: u64,
    problems: Vec<String>,
}

/// What the oracle found about one connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) records: u64,
    pub(super) missing: u64,
    pub(super) duplicates: u64,
}

impl Summary {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            began: Instant::now(),
            seed,
            seconds: 0.0,
            kills: 0,
            stops: 0,
            terms: 0,
            ends: BTreeMap::new(),
            failpoints: Vec::new(),
            modes: Map::new(),
            records: 0,
            missing: 0,
            duplicates: 0,
            peak_rss_bytes: 0,
            problems: Vec::new(),
        }
    }

    pub(super) fn struck(&mut self, fault: &str) {
        match fault {
            "kill" => self.kills += 1,
            "stop" => self.stops += 1,
            _ => self.terms += 1,
        }
        self.say(fault);
    }

    pub(super) fn ended_at(&mut self, name: &str) {
        *self.ends.entry(name.to_owned()).or_default() += 1;
        self.say(&format!("ended at {name}"));
    }

    pub(super) fn problem(&mut self, text: String) {
        self.say(&format!("PROBLEM: {text}"));
        self.problems.push(text);
    }

    pub(super) fn found(&mut self, name: &str, found: Found) {
        let Found { records, missing, duplicates } = found;
        self.records += records;
        self.missing += missing;
        self.duplicates += duplicates;
        let value = json!({"records": records, "missing": missing, "duplicates": duplicates});
        self.say(&format!("{name}: {value}"));
        self.modes.insert(name.to_owned(), value);
    }

    pub(super) fn close(&mut self, cluster: &mut Cluster, schedule: &Schedule, took: Duration) {
        cluster.sample();
        cluster.keep_logs();
        self.peak_rss_bytes = cluster.peak_rss_bytes;
        self.failpoints = schedule.names().to_vec();
        self.seconds = took.as_secs_f64();
    }

    pub(super) fn say(&self, text: &str) {
        eprintln!("{:7.1} s  {text}", self.began.elapsed().as_secs_f64());
    }

    fn faults(&self) -> u64 {
        self.kills + self.stops + self.terms + self.ends.values().sum::<u64>()
    }

    /// Whether everything was stored once, nothing odd happened, no worker took more memory than it may, and
    /// enough faults struck to say so.
    pub fn holds(&self) -> bool {
        let is_stored = self.missing == 0 && self.duplicates == 0 && self.problems.is_empty();
        is_stored && self.peak_rss_bytes <= PEAK_BYTES_MAX && self.faults() >= FAULTS_MIN
    }

    /// One object. `kills` are ends at failpoints and by SIGKILL, `stops` are workers that were frozen and
    /// went on as zombies, `terms` are drains.
    pub fn json(&self) -> Value {
        let ends: u64 = self.ends.values().sum();
        let unmet: Vec<&String> =
            self.failpoints.iter().filter(|name| !self.ends.contains_key(*name)).collect();
        json!({
            "records": self.records,
            "kills": self.kills + ends,
            "stops": self.stops,
            "terms": self.terms,
            "missing": self.missing,
            "duplicates": self.duplicates,
            "peak_rss_bytes": self.peak_rss_bytes,
            "peak_rss_bytes_max": PEAK_BYTES_MAX,
            "seed": self.seed,
            "seconds": self.seconds.round(),
            "ends_at_failpoints": ends,
            "failpoints": self.failpoints.len(),
            "failpoints_without_end": unmet,
            "modes": self.modes,
            "problems": self.problems,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_holds_only_with_enough_faults_and_without_losses() {
        let mut summary = Summary::new(7);
        for _ in 0..9 {
            summary.struck("kill");
        }
        assert!(!summary.holds());
        summary.ended_at("sink.upload.after_put");
        assert!(summary.holds());
        assert_eq!((summary.json()["kills"].as_u64(), summary.json()["seed"].as_u64()), (Some(10), Some(7)));
        summary.peak_rss_bytes = PEAK_BYTES_MAX + 1;
        assert!(!summary.holds());
        summary.peak_rss_bytes = PEAK_BYTES_MAX;
        assert!(summary.holds());
        summary.found("count", Found { records: 5, missing: 0, duplicates: 1 });
        assert!(!summary.holds());
    }
}
