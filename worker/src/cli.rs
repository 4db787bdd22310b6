//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::demo::{BenchCommand, DemoArgs};
use crate::dev::DevCommand;

/// Kafka Connect without the JVM: topics become Parquet on S3, and the rest of your Connect cluster goes on
/// as before.
///
/// Worker files and connector configurations are Kafka Connect's own. Log levels come from LAKEWARD_LOG (for
/// example "info,lakeward_sinks=debug"), the log format from LAKEWARD_LOG_FORMAT (text or json).
#[derive(Parser)]
#[command(name = "lakeward", version, about, long_about, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run one worker of a cluster.
    ///
    /// Connectors are kept in Kafka and managed over REST, on port 8083 unless `listeners` says otherwise.
    ConnectDistributed {
        /// Worker file, as Kafka Connect reads it.
        #[arg(value_name = "worker.properties")]
        worker: PathBuf,
    },
    /// Run a single worker that keeps its connectors in memory.
    ConnectStandalone {
        /// Worker file, as Kafka Connect reads it.
        #[arg(value_name = "worker.properties")]
        worker: PathBuf,
        /// Connectors to start: properties files or JSON files.
        #[arg(value_name = "connector.properties|.json")]
        connectors: Vec<PathBuf>,
    },
    /// Measure this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// See it work: records through broker and worker into Parquet on S3, then read back and compared.
    Demo(DemoArgs),
    /// A local playground: embedded broker, schema registry and S3 server.
    #[command(subcommand)]
    Dev(DevCommand),
    /// Print the names of all failpoints, one per line.
    #[cfg(feature = "failpoints")]
    Failpoints,
    /// Print a completion script for your shell.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
}
