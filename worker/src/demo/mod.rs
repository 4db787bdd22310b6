//! `lakeward demo`: from nothing to Parquet on S3, measured and proven.
//!
//! Owns: the order of events. The embedded broker and S3 server and the worker are child processes, so that
//! the figures are the worker's alone; this process produces the records and later re-reads every file. Must
//! not: believe the worker; a run is good only if the oracle says so.

pub(crate) mod bench;
mod children;
mod connector;
mod feed;
pub(crate) mod flat;
mod playground;
mod rest;
pub(crate) mod rest_bench;
mod summary;
mod usage;
mod watch;

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use lakeward_loadgen::producer::CountingProducer;
use lakeward_loadgen::topic::{self, CommittedOffsets};

use connector::{SinkPlan, TOPIC, s3_sink};
use feed::{Source, feed};
use playground::{Afterwards, Playground};
use summary::{Figures, KEEP_GOING, next_steps};
use usage::Usage;
use watch::{CommittedWatch, Progress, Watched};

const CONNECTOR: &str = "lake";
const BUCKET: &str = "lake";

/// Measurements of this machine.
#[derive(clap::Subcommand)]
pub(crate) enum BenchCommand {
    /// Drain a topic that was filled beforehand.
    Drain(bench::DrainArgs),
    /// What a record costs with 1 and many topic-partitions and output partitions.
    Flat(flat::FlatArgs),
    /// Start over a large config topic, then ask over REST.
    Rest(rest_bench::RestArgs),
}

/// Settings of the demo.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// How many events to generate.
    #[arg(long, default_value_t = 1_000_000, conflicts_with = "input")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,
    /// Events per second; as fast as possible without it.
    #[arg(long, conflicts_with = "input")]
    rate: Option<u32>,
    /// Your own records instead: a file with one JSON object per line (.jsonl, also .gz or .zst).
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Directory to work in; the system's temporary directory by default.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Keep the files.
    #[arg(long)]
    keep: bool,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    partitions: u32,
    /// Tasks of the connector.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    tasks: u32,
}

/// Where the development servers listen, as `host:port`.
pub(crate) struct Address {
    /// The broker.
    broker: String,
    /// The S3 server.
    store: String,
}

/// Runs the demo; fails on any difference between what was sent and what is in the lake.
pub(crate) fn run(args: DemoArgs) -> ExitCode {
    block_on(Box::pin(demo(args)))
}

/// Runs `work` until it ends or Ctrl-C drops it, which ends all children and removes the directory.
fn block_on(work: impl Future<Output = Result<()>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => {
            tracing::error!(error = %err, "no threads could be started");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    });
    // An interrupted producer may still wait for its broker.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!("{err:#}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(args: DemoArgs) -> Result<()> {
    let source = match &args.input {
        Some(path) => Source::File(path.clone()),
        None => Source::Events { records: args.records, per_second: args.rate.map(f64::from), hours: 0 },
    };
    let afterwards = if args.keep { Afterwards::Keep } else { Afterwards::Remove };
    let playground = Playground::start(args.dir.as_deref(), afterwards).await?;
    let broker = playground.addresses.broker.clone();
    let partitions = i32::try_from(args.partitions)?;
    topic::create(&broker, TOPIC, partitions).await?;
    let mut worker = playground.worker().await?;
    tracing::info!("worker is ready after {:.0} ms, REST on {}", worker.ready_ms, worker.rest.url());
    let lake = playground.bucket(BUCKET)?;
    let schema = source.schema();
    let plan = SinkPlan { name: CONNECTOR, bucket: BUCKET, tasks: args.tasks, schema, spread: None };
    worker.rest.create(&s3_sink(&playground.addresses, &plan)).await?;

    let started = Instant::now();
    let producer = CountingProducer::new(&broker, TOPIC, partitions)?;
    let offsets = CommittedOffsets::new(&broker, &format!("connect-{CONNECTOR}"), TOPIC, partitions)?;
    let watched = Watched {
        connector: CONNECTOR,
        committed: CommittedWatch::start(offsets, args.partitions),
        acknowledged: std::sync::Arc::clone(producer.acknowledged()),
        lake: &lake,
        progress: Progress::start(source.expected()),
    };
    let count = args.partitions;
    let feeding = tokio::task::spawn_blocking(move || feed(producer, &source, count));
    let fed = watched.until_durable(&mut worker, Some(feeding), None).await?;
    let seconds = started.elapsed().as_secs_f64();
    let usage = Usage::of(worker.pid)?;
    let ready_ms = worker.ready_ms;
    worker.stop().await?;

    tracing::info!("reading every file back over S3");
    let records = fed.records();
    let bad_lines = fed.bad_lines.clone();
    let verdict = fed.verify(&playground.lake(BUCKET)?).await?;
    let figures = Figures {
        records,
        seconds,
        cpu_seconds: usage.cpu_seconds,
        peak_rss_bytes: usage.peak_rss_bytes,
        ready_ms,
        verdict,
        bad_lines,
    };
    let mut text = figures.table();
    match afterwards {
        Afterwards::Keep => text.push_str(&next_steps(&lake)),
        Afterwards::Remove => text.push_str("\n  the files are removed now; run with --keep to query them\n"),
    }
    text.push_str(KEEP_GOING);
    report(&figures, &text, args.json)
}

/// Prints the outcome; an unclean verdict is an error after the figures are out.
fn report(figures: &Figures, text: &str, json: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    if json {
        writeln!(out, "{}", figures.json())?;
    }
    out.flush()?;
    judge(figures)
}

fn judge(figures: &Figures) -> Result<()> {
    let verdict = &figures.verdict;
    if !verdict.is_clean() {
        bail!("{} missing, {} duplicates, {} altered", verdict.missing, verdict.duplicates, verdict.altered);
    }
    Ok(())
}
