//! End-to-end latency: how long after its event time a record was durable.
//!
//! Owns: the histogram and its percentiles. Must not: read clocks; both times are arguments.

use hdrhistogram::Histogram;

/// Longest latency that is told apart: one hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;

/// Latencies of records; bounded memory (about 200 KB) whatever the count.
#[derive(Clone, Debug)]
pub struct Latencies {
    microseconds: Histogram<u64>,
}

/// The figures a summary shows, in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyFigures {
    /// Median.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Worst.
    pub worst_ms: f64,
}

impl Latencies {
    /// An empty histogram with three significant digits.
    pub fn new() -> Self {
        let microseconds = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)
            .expect("the bounds are constants hdrhistogram accepts");
        Self { microseconds }
    }

    /// Counts a record of event time `event_ms` that was durable at `durable_us` (µs since the epoch). A
    /// durable time before the event time counts as the smallest latency.
    pub fn record(&mut self, event_ms: i64, durable_us: i64) {
        let latency = durable_us.saturating_sub(event_ms.saturating_mul(1000)).max(1);
        self.microseconds.saturating_record(latency.unsigned_abs());
    }

    /// The percentiles; `None` when nothing was counted.
    pub fn figures(&self) -> Option<LatencyFigures> {
        if self.microseconds.is_empty() {
            return None;
        }
        let at = |quantile| self.microseconds.value_at_quantile(quantile) as f64 / 1000.0;
        Some(LatencyFigures { p50_ms: at(0.5), p99_ms: at(0.99), worst_ms: at(1.0) })
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.figures(), None);
        for ms in 1..=100 {
            latencies.record(1_000, (1_000 + ms) * 1000);
        }
        let figures = latencies.figures().expect("counted");
        assert!((figures.p50_ms - 50.0).abs() < 0.5, "{figures:?}");
        assert!((figures.p99_ms - 99.0).abs() < 0.5, "{figures:?}");
    }

    #[test]
    fn a_clock_that_ran_backwards_is_the_smallest_latency() {
        let mut latencies = Latencies::new();
        latencies.record(2_000, 1_000_000);
        assert!(latencies.figures().expect("counted").p99_ms < 0.01);
    }
}
