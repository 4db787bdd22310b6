//! One worker process: read the file, start shards and control plane, wait for a signal, drain.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use lakeward_api::config::ConfigMap;
use lakeward_api::offset_store::OffsetStores;
use lakeward_api::runtime::TaskRuntime;
use lakeward_controlplane::{ControlPlane, ControlPlaneError, WorkerConfig, WorkerMode};
use lakeward_dataplane::source::file_store::FileOffsetStores;
use lakeward_dataplane::{Dataplane, DataplaneSettings, TokioBridge};
use lakeward_kafka::log::Isolation;
use lakeward_kafka::offset_store::{KafkaOffsetStores, OffsetTopicSettings};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::plugins;
use crate::settings::ProcessSettings;

/// Which worker to run.
pub(crate) enum Mode {
    /// A worker of a cluster.
    Distributed,
    /// A single worker with connectors given on the command line.
    Standalone {
        /// Connector files.
        connectors: Vec<PathBuf>,
    },
}

/// Kafka Connect's exit code for a worker that cannot start.
const EXIT_STARTUP: u8 = 2;
/// Exit code of a second signal, as shells report an interrupted process.
const EXIT_INTERRUPTED: i32 = 130;

/// Runs a worker until it is told to stop. Exit codes are Kafka Connect's.
pub(crate) fn run(worker: &Path, mode: &Mode) -> ExitCode {
    let worker_mode = match mode {
        Mode::Distributed => WorkerMode::Distributed,
        Mode::Standalone { .. } => WorkerMode::Standalone,
    };
    let config = match WorkerConfig::load(worker, worker_mode) {
        Ok(config) => config,
        Err(err) => return refused(&err),
    };
    for name in config.unknown() {
        tracing::warn!(setting = %name, "unknown worker setting; it is kept for clients and plugins");
    }
    match start(config, mode) {
        Ok(code) => code,
        Err(err) => {
            tracing::error!(error = format!("{err:#}"), "the worker cannot start");
            ExitCode::from(EXIT_STARTUP)
        }
    }
}

fn refused(err: &ControlPlaneError) -> ExitCode {
    tracing::error!(error = err.with_causes(), "the worker cannot start");
    ExitCode::from(err.exit_code())
}

fn start(config: WorkerConfig, mode: &Mode) -> anyhow::Result<ExitCode> {
    let settings = ProcessSettings::from_worker(config.props())
        .map_err(|problems| anyhow::Error::msg(config.hide(&problems)))?;
    lakeward_kafka::oauth::allow_urls(settings.token_urls(config.props()));
    let threads = usize::try_from(settings.bridge_threads)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("bridge")
        .enable_all()
        .build()
        .context("the bridge threads cannot be started")?;
    let registry = plugins::registry();
    let memory = settings.memory();
    memory.show();
    let offsets = offset_stores(config.props(), mode);
    let dataplane = Dataplane::start(DataplaneSettings {
        shards: settings.shards().map_err(anyhow::Error::msg)?,
        worker_config: Arc::new(config.props().clone()),
        plugins: registry.clone(),
        bridge: TokioBridge::new(runtime.handle().clone()),
        in_flight_bytes_max: settings.in_flight_bytes_max(),
        memory,
        spill_directory: settings.spill_directory(),
        offset_flush_interval: settings.offset_flush_interval(),
        offset_flush_timeout: settings.offset_flush_timeout(),
        graceful_timeout: settings.graceful_timeout(),
        offsets: Arc::clone(&offsets),
    })
    .context("the shards cannot be started")?;
    let dataplane: Arc<dyn TaskRuntime> = Arc::new(dataplane);
    let code = runtime.block_on(async {
        let signals = Signals::listen()?;
        let control = match mode {
            Mode::Distributed => ControlPlane::start_distributed(config, registry, dataplane, offsets).await,
            Mode::Standalone { connectors } => {
                ControlPlane::start_standalone(config, connectors, registry, dataplane, offsets).await
            }
        };
        match control {
            Ok(control) => Ok(serve(control, signals).await),
            Err(err) => Ok(refused(&err)),
        }
    });
    // Clients that still wait for a network are not worth waiting for: everything durable is committed.
    runtime.shutdown_background();
    code
}

/// Where source offsets are kept: the cluster's offsets topic, or the file of a standalone worker.
fn offset_stores(props: &ConfigMap, mode: &Mode) -> Arc<dyn OffsetStores> {
    let text = |name: &str| props.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    match mode {
        Mode::Distributed => {
            let is_exact = text("exactly.once.source.support").eq_ignore_ascii_case("enabled");
            let isolation = if is_exact { Isolation::Committed } else { Isolation::Uncommitted };
            let worker = Arc::new(props.clone());
            Arc::new(KafkaOffsetStores::new(OffsetTopicSettings { worker, isolation }))
        }
        Mode::Standalone { .. } => Arc::new(FileOffsetStores::new(text("offset.storage.file.filename"))),
    }
}

/// Serves until a signal or a failure, then drains.
async fn serve(control: ControlPlane, mut signals: Signals) -> ExitCode {
    for address in control.rest_addresses() {
        tracing::info!(%address, "REST listens");
    }
    let failed = tokio::select! {
        failed = control.failed() => Some(failed),
        () = signals.next() => None,
    };
    // The drain has its own deadlines; a second signal does not wait for them.
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("second signal: ending without a drain");
        std::process::exit(EXIT_INTERRUPTED);
    });
    tracing::info!("stopping");
    control.shutdown().await;
    tracing::info!("stopped");
    failed.map_or(ExitCode::SUCCESS, |err| ExitCode::from(err.exit_code()))
}

/// SIGTERM and SIGINT.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
