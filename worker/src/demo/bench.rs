//! `lakeward bench drain`: how much work a full topic is for the worker.
//!
//! Owns: runs over one preloaded topic, each with a fresh worker process, consumer group and bucket. Must
//! not: count a run whose oracle failed.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use lakeward_loadgen::producer::{Acknowledged, CountingProducer};
use lakeward_loadgen::topic::{self, CommittedOffsets};
use serde_json::{Value, json};

use super::connector::{SinkPlan, Spread, TOPIC, s3_sink};
use super::feed::{Fed, Source, feed};
use super::playground::{Afterwards, Playground};
use super::summary::Figures;
use super::usage::Usage;
use super::watch::{CommittedWatch, Progress, Watched};
use super::{block_on, judge};

/// Settings of the drain bench.
#[derive(Args)]
pub(crate) struct DrainArgs {
    /// Events in the topic before the worker starts.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    partitions: u32,
    /// Tasks of the connector.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    tasks: u32,
    /// Spread the events of each topic-partition over this many output partitions (hours of their time);
    /// files then have --rows-per-file rows.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    output_partitions: Option<u32>,
    /// Rows of each file; acts with --output-partitions.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    rows_per_file: u32,
    /// `lakeward.memory.limit` of the worker.
    #[arg(long)]
    memory_limit: Option<u64>,
    /// How often the topic is drained.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
}

/// Runs the bench; fails when any run loses, repeats or changes a record.
pub(crate) fn run(args: DrainArgs) -> ExitCode {
    block_on(Box::pin(drain_and_tell(args)))
}

async fn drain_and_tell(args: DrainArgs) -> Result<()> {
    let summary = drain(&args).await?;
    if args.json {
        writeln!(std::io::stdout().lock(), "{summary}")?;
    }
    Ok(())
}

impl DrainArgs {
    /// Settings of one measurement of [`super::flat`].
    pub(super) fn flat(records: u64, rows_per_file: u32, runs: u32, shape: (u32, u32)) -> Self {
        let (partitions, output_partitions) = shape;
        Self {
            records,
            partitions,
            tasks: 1,
            output_partitions: Some(output_partitions),
            rows_per_file,
            memory_limit: None,
            runs,
            json: false,
        }
    }

    /// How records are spread over files, if they are.
    fn spread(&self) -> Option<Spread> {
        let output_partitions = self.output_partitions?;
        let rows_per_file = self.rows_per_file;
        let cut = u64::from(output_partitions) * u64::from(rows_per_file);
        let has_tail = !self.records.is_multiple_of(cut * u64::from(self.partitions));
        Some(Spread { output_partitions, rows_per_file, has_tail })
    }
}

/// Drains a topic as often as asked for and answers the figures.
pub(super) async fn drain(args: &DrainArgs) -> Result<Value> {
    let mut playground = Playground::start(None, Afterwards::Remove).await?;
    if let Some(limit) = args.memory_limit {
        playground.more = format!("lakeward.memory.limit={limit}\n");
    }
    let broker = playground.addresses.broker.clone();
    let partitions = i32::try_from(args.partitions)?;
    topic::create(&broker, TOPIC, partitions).await?;
    let producer = CountingProducer::new(&broker, TOPIC, partitions)?;
    let acknowledged = std::sync::Arc::clone(producer.acknowledged());
    let hours = args.output_partitions.map_or(0, u64::from);
    let source = Source::Events { records: args.records, per_second: None, hours };
    let count = args.partitions;
    let started = Instant::now();
    let mut fed = tokio::task::spawn_blocking(move || feed(producer, &source, count)).await??;
    tracing::info!("{} events preloaded in {:.2} s", fed.records(), started.elapsed().as_secs_f64());
    let mut runs = Vec::new();
    for run in 1..=args.runs {
        let (figures, back) = run_once(&playground, args, &acknowledged, run, fed).await?;
        fed = back;
        let mut out = std::io::stdout().lock();
        writeln!(out, "run {run}{}", figures.table())?;
        judge(&figures)?;
        runs.push(figures);
    }
    let mut out = std::io::stdout().lock();
    let median = median_of(&runs, Figures::records_per_cpu_second);
    writeln!(out, "median of {} runs: {median:.0} records per CPU-second", runs.len())?;
    let all: Vec<_> = runs.iter().map(Figures::json).collect();
    Ok(json!({
        "records": args.records,
        "topic_partitions": args.partitions,
        "output_partitions": args.output_partitions,
        "records_per_cpu_second": median.round(),
        "seconds": median_of(&runs, |figures| figures.seconds),
        "peak_rss_bytes": median_of(&runs, |figures| figures.peak_rss_bytes as f64),
        "runs": all,
    }))
}

async fn run_once(
    playground: &Playground,
    args: &DrainArgs,
    acknowledged: &std::sync::Arc<Acknowledged>,
    run: u32,
    fed: Fed,
) -> Result<(Figures, Fed)> {
    let name = format!("drain-{run}");
    let lake = playground.bucket(&name)?;
    let mut worker = playground.worker().await?;
    let schema = lakeward_loadgen::event::EVENT_SCHEMA;
    let plan = SinkPlan { name: &name, bucket: &name, tasks: args.tasks, schema, spread: args.spread() };
    let broker = &playground.addresses.broker;
    let offsets =
        CommittedOffsets::new(broker, &format!("connect-{name}"), TOPIC, i32::try_from(args.partitions)?)?;
    let watched = Watched {
        connector: &name,
        committed: CommittedWatch::start(offsets, args.partitions),
        acknowledged: std::sync::Arc::clone(acknowledged),
        lake: &lake,
        progress: Progress::start(Some(args.records)),
    };
    let before = Usage::of(worker.pid)?;
    let started = Instant::now();
    worker.rest.create(&s3_sink(&playground.addresses, &plan)).await?;
    let fed = watched.until_durable(&mut worker, None, Some(fed)).await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = Usage::of(worker.pid)?;
    // Deleted while its worker lives: the next run's worker must not start it again.
    worker.rest.delete(&name).await?;
    let ready_ms = worker.ready_ms;
    worker.stop().await?;
    let verdict = fed.verify_again(&playground.lake(&name)?).await?;
    let figures = Figures {
        records: fed.records(),
        seconds,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        peak_rss_bytes: after.peak_rss_bytes,
        ready_ms,
        verdict,
        bad_lines: fed.bad_lines.clone(),
    };
    Ok((figures, fed))
}

/// The middle value; of an even count the lower one.
fn median_of(runs: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(figure).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
