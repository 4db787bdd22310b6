//! Statistics over the last few samples of time.
//!
//! A window is `metrics.num.samples` samples of `metrics.sample.window.ms`. A sample begins with the first
//! value after the one before is full, and counts as long as its last value is younger than the whole window;
//! so there is one more sample than the window has. Reading changes nothing.
//!
//! Source: `SampledStat`, `Rate`, `Frequencies`, Kafka 4.1.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Samples beyond this are merged into longer ones: the window stays as long.
const SAMPLES_MAX: u64 = 64;

/// The shape of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    samples: u64,
    sample_ms: u64,
}

impl Window {
    /// `samples` samples of `sample_ms` ms; each at least 1.
    pub fn new(samples: u64, sample_ms: u64) -> Self {
        let (samples, sample_ms) = (samples.max(1), sample_ms.max(1));
        if samples <= SAMPLES_MAX {
            return Self { samples, sample_ms };
        }
        Self { samples: SAMPLES_MAX, sample_ms: sample_ms.saturating_mul(samples) / SAMPLES_MAX }
    }

    fn total_ms(self) -> u64 {
        self.sample_ms.saturating_mul(self.samples)
    }
}

impl Default for Window {
    /// Kafka's: 2 samples of 30 s.
    fn default() -> Self {
        Self::new(2, 30_000)
    }
}

#[derive(Debug, Default)]
struct Sample {
    start_ms: AtomicU64,
    last_ms: AtomicU64,
    /// 0: not in use.
    count: AtomicU64,
    sum: Number,
    max: Number,
    min: Number,
}

/// An `f64`.
#[derive(Debug, Default)]
struct Number(AtomicU64);

impl Number {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }
}

impl Sample {
    fn begin(&self, now_ms: u64) {
        self.count.store(0, Ordering::Relaxed);
        self.start_ms.store(now_ms, Ordering::Relaxed);
        self.sum.set(0.0);
        self.max.set(f64::NEG_INFINITY);
        self.min.set(f64::INFINITY);
    }

    fn add(&self, value: f64, now_ms: u64) {
        self.sum.set(self.sum.get() + value);
        self.max.set(self.max.get().max(value));
        self.min.set(self.min.get().min(value));
        self.last_ms.store(now_ms, Ordering::Relaxed);
        self.count.store(self.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// Values over a window. One thread records, any thread reads.
#[derive(Debug)]
pub struct Windowed {
    window: Window,
    current: AtomicUsize,
    samples: Box<[Sample]>,
}

/// What is in the window at one moment.
struct Content {
    count: u64,
    sum: f64,
    max: f64,
    min: f64,
    oldest_ms: u64,
}

impl Windowed {
    /// Nothing recorded yet.
    pub fn new(window: Window) -> Self {
        let samples = (0..=window.samples).map(|_| Sample::default()).collect();
        Self { window, current: AtomicUsize::new(0), samples }
    }

    /// Adds a value. `now_ms` must not go backwards.
    pub fn record(&self, value: f64, now_ms: u64) {
        let current = self.current.load(Ordering::Relaxed);
        let sample = &self.samples[current];
        if sample.count.load(Ordering::Relaxed) == 0 {
            sample.begin(now_ms);
            return sample.add(value, now_ms);
        }
        if now_ms.saturating_sub(sample.start_ms.load(Ordering::Relaxed)) < self.window.sample_ms {
            return sample.add(value, now_ms);
        }
        let next = (current + 1) % self.samples.len();
        self.samples[next].begin(now_ms);
        self.samples[next].add(value, now_ms);
        self.current.store(next, Ordering::Relaxed);
    }

    fn content(&self, now_ms: u64) -> Content {
        let mut content =
            Content { count: 0, sum: 0.0, max: f64::NEG_INFINITY, min: f64::INFINITY, oldest_ms: now_ms };
        for sample in &self.samples {
            let count = sample.count.load(Ordering::Relaxed);
            let age_ms = now_ms.saturating_sub(sample.last_ms.load(Ordering::Relaxed));
            if count == 0 || age_ms >= self.window.total_ms() {
                continue;
            }
            content.count += count;
            content.sum += sample.sum.get();
            content.max = content.max.max(sample.max.get());
            content.min = content.min.min(sample.min.get());
            content.oldest_ms = content.oldest_ms.min(sample.start_ms.load(Ordering::Relaxed));
        }
        content
    }

    /// Sum per second. Time that is missing for a whole window counts as passed, but for the sample at hand.
    pub fn rate(&self, now_ms: u64) -> f64 {
        let content = self.content(now_ms);
        let elapsed_ms = now_ms - content.oldest_ms;
        let missing = (self.window.samples - 1).saturating_sub(elapsed_ms / self.window.sample_ms);
        let window_ms = elapsed_ms.saturating_add(missing.saturating_mul(self.window.sample_ms)).max(1);
        content.sum / (window_ms as f64 / 1000.0)
    }

    /// Average of the values; NaN when there is none.
    pub fn avg(&self, now_ms: u64) -> f64 {
        let content = self.content(now_ms);
        if content.count == 0 { f64::NAN } else { content.sum / content.count as f64 }
    }

    /// Largest value; NaN when there is none.
    pub fn max(&self, now_ms: u64) -> f64 {
        let content = self.content(now_ms);
        if content.count == 0 { f64::NAN } else { content.max }
    }

    /// Smallest value; NaN when there is none.
    pub fn min(&self, now_ms: u64) -> f64 {
        let content = self.content(now_ms);
        if content.count == 0 { f64::NAN } else { content.min }
    }
}

/// A rate and the total since the beginning.
#[derive(Debug)]
pub struct Meter {
    recent: Windowed,
    total: AtomicU64,
}

impl Meter {
    /// From 0.
    pub fn new(window: Window) -> Self {
        Self { recent: Windowed::new(window), total: AtomicU64::new(0) }
    }

    /// `count` more.
    pub fn add(&self, count: u64, now_ms: u64) {
        self.recent.record(count as f64, now_ms);
        self.total.store(self.total() + count, Ordering::Relaxed);
    }

    /// Per second, over the window.
    pub fn rate(&self, now_ms: u64) -> f64 {
        self.recent.rate(now_ms)
    }

    /// Since the beginning.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// Successes and failures over a window.
#[derive(Debug)]
pub struct Outcomes(Windowed);

impl Outcomes {
    /// None yet.
    pub fn new(window: Window) -> Self {
        Self(Windowed::new(window))
    }

    /// One more success.
    pub fn success(&self, now_ms: u64) {
        self.0.record(1.0, now_ms);
    }

    /// One more failure.
    pub fn failure(&self, now_ms: u64) {
        self.0.record(0.0, now_ms);
    }

    /// Share of successes, 0 to 1; 0 when there is no outcome.
    pub fn success_share(&self, now_ms: u64) -> f64 {
        let share = self.0.avg(now_ms);
        if share.is_nan() { 0.0 } else { share }
    }

    /// Share of failures, 0 to 1; 0 when there is no outcome.
    pub fn failure_share(&self, now_ms: u64) -> f64 {
        let share = self.0.avg(now_ms);
        if share.is_nan() { 0.0 } else { 1.0 - share }
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
