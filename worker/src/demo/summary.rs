//! What a demo or bench found out: a table for people, one JSON line for machines.
//!
//! Owns: the figures and their words. Must not: measure.

use std::fmt::Write as _;
use std::path::Path;

use lakeward_loadgen::input::BadLines;
use lakeward_loadgen::verify::Verdict;
use serde_json::{Value, json};

/// The figures of one run.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// Records acknowledged by the broker.
    pub(super) records: u64,
    /// From the first record (demo) or the creation of the connector (bench) to the last commit.
    pub(super) seconds: f64,
    /// CPU time of the worker in that time (demo: since its start).
    pub(super) cpu_seconds: f64,
    /// Highest resident memory of the worker.
    pub(super) peak_rss_bytes: u64,
    /// From starting the worker to its first REST answer.
    pub(super) ready_ms: f64,
    /// What the oracle says.
    pub(super) verdict: Verdict,
    /// Skipped lines of the input.
    pub(super) bad_lines: BadLines,
}

impl Figures {
    /// Records per CPU-second of the worker; 0 when it used less than the kernel counts.
    pub(super) fn records_per_cpu_second(&self) -> f64 {
        if self.cpu_seconds > 0.0 { self.records as f64 / self.cpu_seconds } else { 0.0 }
    }

    /// One JSON object.
    pub(super) fn json(&self) -> Value {
        let latency = self.verdict.latencies.figures();
        json!({
            "records": self.records,
            "files": self.verdict.files,
            "bytes": self.verdict.bytes,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "records_per_cpu_second": self.records_per_cpu_second().round(),
            "peak_rss_bytes": self.peak_rss_bytes,
            "ready_ms": self.ready_ms,
            "missing": self.verdict.missing,
            "duplicates": self.verdict.duplicates,
            "altered": self.verdict.altered,
            "bad_lines": self.bad_lines.count,
            "json_text_columns": self.verdict.json_text_columns,
            "latency_p50_ms": latency.map(|figures| figures.p50_ms),
            "latency_p99_ms": latency.map(|figures| figures.p99_ms),
        })
    }

    /// The table.
    pub(super) fn table(&self) -> String {
        let mut rows: Vec<(&str, String)> = vec![
            ("records", grouped(self.records)),
            ("rows/s", grouped((self.records as f64 / self.seconds) as u64)),
            ("seconds", format!("{:.2}", self.seconds)),
            ("files", grouped(self.verdict.files)),
            ("MB in the lake", format!("{:.1}", self.verdict.bytes as f64 / 1e6)),
            ("worker CPU-seconds", format!("{:.2}", self.cpu_seconds)),
            ("records per CPU-second", grouped(self.records_per_cpu_second() as u64)),
            ("worker peak memory", format!("{:.1} MB", self.peak_rss_bytes as f64 / 1e6)),
            ("worker ready after", format!("{:.0} ms", self.ready_ms)),
        ];
        if let Some(latency) = self.verdict.latencies.figures() {
            rows.push(("event to durable, p50", format!("{:.0} ms", latency.p50_ms)));
            rows.push(("event to durable, p99", format!("{:.0} ms", latency.p99_ms)));
        }
        if !self.verdict.json_text_columns.is_empty() {
            rows.push(("columns of JSON text", self.verdict.json_text_columns.join(", ")));
        }
        if self.bad_lines.count > 0 {
            rows.push(("input lines skipped", grouped(self.bad_lines.count)));
        }
        rows.push(("missing", grouped(self.verdict.missing)));
        rows.push(("duplicates", grouped(self.verdict.duplicates)));
        rows.push(("altered", grouped(self.verdict.altered)));
        let mut text = String::from("\n");
        for (name, value) in rows {
            // Writing to a String cannot fail.
            let _written = writeln!(text, "  {name:<24} {value:>14}");
        }
        for (line, problem) in &self.bad_lines.named {
            let _written = writeln!(text, "  skipped line {line}: {problem}");
        }
        for example in &self.verdict.examples {
            let _written = writeln!(text, "  ! {example}");
        }
        let sentence = if self.verdict.is_clean() {
            "every record is in the lake exactly once (all files were read back over S3)"
        } else {
            "THE LAKE DIFFERS FROM WHAT WAS SENT"
        };
        let _written = writeln!(text, "\n  {sentence}");
        text
    }
}

/// Where the files are and what to type next.
pub(super) fn next_steps(lake: &Path) -> String {
    let pattern = format!("{}/**/*.parquet", lake.display());
    format!(
        "\n  files      {}\n  \
         duckdb     SELECT count(*) FROM read_parquet('{pattern}', union_by_name = true);\n  \
         pyarrow    python3 -c \"import pyarrow.dataset as d; \
         print(d.dataset('{}').to_table().slice(0, 5))\"\n",
        lake.display(),
        lake.display(),
    )
}

/// The way from the demo to a cluster that stays.
pub(super) const KEEP_GOING: &str = "\n  a playground that stays:\n    \
     lakeward dev up                                   broker, S3, and the lines to paste\n    \
     curl http://127.0.0.1:8083/connectors\n    \
     curl http://127.0.0.1:8083/connectors/lake/status\n    \
     curl -X PUT http://127.0.0.1:8083/connectors/lake/pause\n";

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(missing: u64) -> Figures {
        Figures {
            records: 1_000_000,
            seconds: 2.0,
            cpu_seconds: 0.5,
            peak_rss_bytes: 100_000_000,
            ready_ms: 40.0,
            verdict: Verdict { missing, ..Verdict::default() },
            bad_lines: BadLines::default(),
        }
    }

    #[test]
    fn the_table_says_plainly_when_records_are_missing() {
        assert!(figures(0).table().contains("exactly once"));
        assert!(figures(1).table().contains("DIFFERS"));
        assert!(figures(0).table().contains("2,000,000"));
    }

    #[test]
    fn the_json_has_no_latency_when_none_was_measured() {
        let json = figures(0).json();
        assert_eq!(json["records_per_cpu_second"], 2_000_000.0);
        assert!(json["latency_p50_ms"].is_null());
    }
}
