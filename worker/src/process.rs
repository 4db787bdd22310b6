//! One worker process: read the file, start shards and control plane, wait for a signal, drain.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

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

/// Runs a worker until it is told to stop. Exit codes are Kafka Connect's.
pub(crate) fn run(_worker: &Path, _mode: &Mode) -> ExitCode {
    ExitCode::FAILURE
}
