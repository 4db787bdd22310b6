//! `lakeward bench rest`: what a large cluster costs one worker: time to start, memory, REST latency.
//!
//! Owns: the order of events. The worker and the embedded broker are child processes, so that the figures are
//! the worker's alone. Must not: count a run in which a request failed.

mod cluster;
mod figures;
mod load;

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use self::cluster::Size;
use self::figures::{Figures, Memory, Phase, Start};
use self::load::Load;
use super::block_on;
use super::children::Worker;
use super::playground::{Afterwards, Playground};
use super::usage::Usage;

/// As in the worker file of demos.
const CONFIG_TOPIC: &str = "connect-configs";
const STATUS_TOPIC: &str = "connect-status";
/// Until every task has its status.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(120);
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
/// Freed memory goes back to the system within this.
const CALM: Duration = Duration::from_secs(5);

/// Settings of the REST bench.
#[derive(Args)]
pub(crate) struct RestArgs {
    /// Connectors in the config topic.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connectors: u32,
    /// Tasks of each connector.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tasks: u32,
    /// How many of the connectors run; the others are paused.
    #[arg(long, default_value_t = 2)]
    running: u32,
    /// Requests per second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Seconds of each of the two times of load.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Connections that ask.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    clients: u32,
    /// A real cluster instead of the embedded broker. Topics with names of their own are made and stay.
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_servers: Option<String>,
    /// Print one JSON object as the last line.
    #[arg(long)]
    json: bool,
    /// Fail when a mark is missed.
    #[arg(long)]
    gate: bool,
}

/// Runs the bench; fails when a request failed or, if asked to, when a mark is missed.
pub(crate) fn run(args: RestArgs) -> ExitCode {
    block_on(Box::pin(bench(args)))
}

async fn bench(args: RestArgs) -> Result<()> {
    ensure!(args.running <= args.connectors, "more connectors run than there are");
    let size = Size { connectors: args.connectors, tasks: args.tasks, running: args.running };
    let load = Load { rate: args.rate, seconds: args.seconds, clients: args.clients };
    let mut playground = Playground::start(None, Afterwards::Remove).await?;
    let mut config_topic = CONFIG_TOPIC.to_owned();
    if let Some(bootstrap) = args.bootstrap_servers {
        let own = format!("-{}", uuid::Uuid::new_v4().simple());
        playground.addresses.broker = bootstrap;
        config_topic += &own;
        // Session timeouts that every broker allows.
        playground.more = format!(
            "group.id=lakeward-bench{own}\nconfig.storage.topic={config_topic}\n\
             status.storage.topic={STATUS_TOPIC}{own}\nstatus.storage.partitions=5\n\
             session.timeout.ms=10000\nheartbeat.interval.ms=3000\n"
        );
    }
    let playground = playground;
    // The first worker makes the topics.
    let worker = playground.worker().await?;
    tokio::time::sleep(CALM).await;
    let idle = memory(worker.pid)?;
    worker.stop().await?;
    tracing::info!("filling the config topic");
    let config_topic_bytes = cluster::fill(&playground.addresses.broker, &config_topic, size).await?;
    let (worker, first) = start(&playground, size).await?;
    worker.stop().await?;
    let (worker, again) = start(&playground, size).await?;
    let phases = [phase(&worker, size, load).await?, phase(&worker, size, load).await?];
    worker.stop().await?;
    let figures = Figures { size, load, config_topic_bytes, idle, first, again, phases };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", figures.table())?;
    if args.json {
        writeln!(out, "{}", figures.json())?;
    }
    out.flush()?;
    if figures.failed() > 0 {
        bail!("{} requests were not answered with a success", figures.failed());
    }
    let missed = figures.missed();
    ensure!(!args.gate || missed.is_empty(), "missed: {}", missed.join("; "));
    Ok(())
}

async fn phase(worker: &Worker, size: Size, load: Load) -> Result<Phase> {
    tracing::info!("asking");
    let before = Usage::of(worker.pid)?;
    let samples = load::run(worker.rest.port(), size, load).await?;
    let after = Usage::of(worker.pid)?;
    tokio::time::sleep(CALM).await;
    Ok(Phase { samples, memory: memory(worker.pid)?, cpu_seconds: after.cpu_seconds - before.cpu_seconds })
}

async fn start(playground: &Playground, size: Size) -> Result<(Worker, Start)> {
    let began = Instant::now();
    let mut worker = playground.worker().await?;
    let (ready_ms, at_ready) = (worker.ready_ms, memory(worker.pid)?);
    // Attempts on a taken port are not the worker's time.
    let lead_ms = began.elapsed().as_secs_f64() * 1000.0 - ready_ms;
    while !is_settled(&worker, size).await? {
        worker.check_alive()?;
        if began.elapsed() > SETTLE_TIMEOUT {
            bail!("not every task has a status after {} s", SETTLE_TIMEOUT.as_secs());
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    let settled_ms = began.elapsed().as_secs_f64() * 1000.0 - lead_ms;
    tokio::time::sleep(CALM).await;
    let cpu_seconds = Usage::of(worker.pid)?.cpu_seconds;
    let settled = memory(worker.pid)?;
    Ok((worker, Start { ready_ms, settled_ms, at_ready, settled, cpu_seconds }))
}

/// Whether the last connector and the last one that runs have their tasks, and all others at least a status.
async fn is_settled(worker: &Worker, size: Size) -> Result<bool> {
    let last_running = size.running.saturating_sub(1);
    for connector in [size.connectors - 1, size.connectors / 2, last_running] {
        let path = format!("/connectors/{}/status", cluster::name(connector));
        let Some(status) = worker.rest.get(&path).await? else { return Ok(false) };
        if !has_settled(&status, if cluster::runs(size, connector) { "RUNNING" } else { "PAUSED" }, size) {
            return Ok(false);
        }
    }
    let all = worker.rest.get("/connectors?expand=status").await?.context("the list is missing")?;
    let all = all.as_object().context("the list is no object")?;
    let state = |name: &str| {
        let runs = (0..size.running).any(|connector| cluster::name(connector) == name);
        if runs { "RUNNING" } else { "PAUSED" }
    };
    let settled = all.iter().filter(|(name, parts)| has_settled(&parts["status"], state(name), size));
    Ok(settled.count() == size.connectors as usize)
}

fn has_settled(status: &Value, state: &str, size: Size) -> bool {
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    status["connector"]["state"] == state
        && tasks.len() == size.tasks as usize
        && tasks.iter().all(|task| task["state"] == state)
}

fn memory(pid: u32) -> Result<Memory> {
    let usage = Usage::of(pid)?;
    Ok(Memory { rss_bytes: usage.rss_bytes, peak_rss_bytes: usage.peak_rss_bytes })
}
