//! The records of a demo: generated, or loaded from a file.
//!
//! Owns: the thread that produces and remembers what it sent. Must not: run on an async thread; the client
//! blocks.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use lakeward_loadgen::event::{EventGenerator, EventId};
use lakeward_loadgen::input::{BadLines, JsonLines};
use lakeward_loadgen::producer::CountingProducer;
use lakeward_loadgen::store::Lake;
use lakeward_loadgen::verify::{LoadedRecords, Verdict, verify_events, verify_loaded};

/// Every run has the same events but for their times.
const SEED: u64 = 20;
/// Events between two looks at the clock when nothing limits the rate.
const CLOCK_STEP: u64 = 64;
/// 2023-11-14T22:00:00Z: where hours that events are spread over begin.
const FIRST_HOUR_MS: i64 = 1_699_999_200_000;

/// Where records come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Generated events: how many, how many per second (as fast as possible without a rate), and over how
    /// many hours their times go round (0 for the time of sending).
    Events { records: u64, per_second: Option<f64>, hours: u64 },
    /// Lines of a file.
    File(PathBuf),
}

impl Source {
    /// The value of `lakeward.schema` that fits the records.
    pub(super) fn schema(&self) -> &'static str {
        match self {
            Self::Events { .. } => lakeward_loadgen::event::EVENT_SCHEMA,
            Self::File(_) => "infer",
        }
    }

    /// How many records there will be, if that is known beforehand.
    pub(super) fn expected(&self) -> Option<u64> {
        match self {
            Self::Events { records, .. } => Some(*records),
            Self::File(_) => None,
        }
    }
}

/// What is in the topic.
pub(super) struct Fed {
    /// Acknowledged end per partition.
    pub(super) ends: Vec<i64>,
    /// Lines of the input that were skipped.
    pub(super) bad_lines: BadLines,
    expectation: Expectation,
}

enum Expectation {
    Events(EventGenerator),
    Loaded(LoadedRecords),
}

impl Fed {
    /// Records in the topic.
    pub(super) fn records(&self) -> u64 {
        self.ends.iter().map(|end| end.unsigned_abs()).sum()
    }

    /// Re-reads the lake and compares.
    pub(super) async fn verify(self, lake: &Lake) -> Result<Verdict> {
        match self.expectation {
            Expectation::Events(generator) => verify_events(lake, generator, &self.ends).await,
            Expectation::Loaded(loaded) => verify_loaded(lake, loaded).await,
        }
    }

    /// The same for a further reader of generated events; loaded records can be compared only once.
    pub(super) async fn verify_again(&self, lake: &Lake) -> Result<Verdict> {
        match &self.expectation {
            Expectation::Events(generator) => verify_events(lake, *generator, &self.ends).await,
            Expectation::Loaded(_) => anyhow::bail!("loaded records are compared once"),
        }
    }
}

/// Sends every record of `source` and waits for the last acknowledgement. Blocks.
pub(super) fn feed(mut producer: CountingProducer, source: &Source, partitions: u32) -> Result<Fed> {
    let partitions = u64::from(partitions);
    match source {
        Source::Events { records, per_second, hours } => {
            let generator = EventGenerator::new(SEED);
            feed_events(
                &mut producer,
                generator,
                &Plan { records: *records, partitions, per_second: *per_second, hours: *hours },
            )?;
            let ends = producer.finish()?;
            Ok(Fed { ends, bad_lines: BadLines::default(), expectation: Expectation::Events(generator) })
        }
        Source::File(path) => {
            let mut lines = JsonLines::open(path)?;
            let mut loaded = LoadedRecords::default();
            let mut count = 0;
            while let Some(line) = lines.next_line()? {
                producer.send(i32::try_from(count % partitions)?, &line.text)?;
                loaded.note(&line.value, line.number);
                count += 1;
            }
            ensure!(count > 0, "{} has no line that is a JSON object", path.display());
            let bad_lines = lines.bad_lines().clone();
            let ends = producer.finish()?;
            Ok(Fed { ends, bad_lines, expectation: Expectation::Loaded(loaded) })
        }
    }
}

struct Plan {
    records: u64,
    partitions: u64,
    per_second: Option<f64>,
    hours: u64,
}

fn feed_events(producer: &mut CountingProducer, generator: EventGenerator, plan: &Plan) -> Result<()> {
    let started = Instant::now();
    let started_ms = epoch_ms()?;
    let mut time_ms = started_ms;
    let mut text = Vec::with_capacity(512);
    for index in 0..plan.records {
        if let Some(rate) = plan.per_second {
            // Open loop: the event carries the time it was meant for, so that a stall counts against every
            // event in it.
            let intended = Duration::from_secs_f64(index as f64 / rate);
            if let Some(early) = intended.checked_sub(started.elapsed()) {
                std::thread::sleep(early);
            }
            time_ms = started_ms + i64::try_from(intended.as_millis())?;
        } else if index % CLOCK_STEP == 0 {
            time_ms = epoch_ms()?;
        }
        if let Some(hour) = (index / plan.partitions).checked_rem(plan.hours) {
            time_ms = FIRST_HOUR_MS + i64::try_from(hour)? * 3_600_000;
        }
        let partition = i32::try_from(index % plan.partitions)?;
        text.clear();
        generator.write(EventId { partition, sequence: index / plan.partitions }, time_ms, &mut text);
        producer.send(partition, &text)?;
    }
    Ok(())
}

fn epoch_ms() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_millis())?)
}
