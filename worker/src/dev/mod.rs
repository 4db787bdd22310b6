//! Development aids: an embedded Kafka-compatible broker, an embedded S3 server and a schema registry, alone
//! or together.
//!
//! They are for demos, tests and trying things out, not for data anyone wants to keep. Each runs in a process
//! of its own so that figures about the worker count the worker alone.

pub(crate) mod broker;
mod guard;
mod parent;
mod registry;
pub(crate) mod s3;
mod up;

use std::net::TcpListener;
use std::process::ExitCode;

use clap::Subcommand;

/// Access key of the development S3 server unless another one is given.
pub(crate) const ACCESS_KEY: &str = "lakeward";
/// Secret key of the development S3 server unless another one is given.
pub(crate) const SECRET_KEY: &str = "lakeward-secret";

/// A local playground: the embedded parts alone or together.
#[derive(Subcommand)]
pub(crate) enum DevCommand {
    /// Run the embedded Kafka-compatible broker, in memory.
    Broker(broker::BrokerArgs),
    /// Run a process that ends with its parent.
    #[command(hide = true)]
    Guard(guard::GuardArgs),
    /// Run a schema registry in memory, for development: Confluent's REST interface, nothing kept.
    Registry(registry::RegistryArgs),
    /// Run the embedded S3 server; buckets are sub-directories, objects plain files.
    S3(s3::S3Args),
    /// Run broker, schema registry and S3 server together and print the lines to paste.
    Up(up::UpArgs),
}

/// Runs a development server until it is told to stop.
pub(crate) fn run(command: DevCommand) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => return failed(&err.into()),
    };
    let outcome = runtime.block_on(async {
        match command {
            DevCommand::Broker(args) => broker::run(args).await,
            DevCommand::Guard(args) => guard::run(args).await,
            DevCommand::Registry(args) => registry::run(args).await,
            DevCommand::S3(args) => s3::run(args).await,
            DevCommand::Up(args) => up::run(args).await,
        }
    });
    // The servers hold connections; nothing in them is worth waiting for.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => failed(&err),
    }
}

fn failed(err: &anyhow::Error) -> ExitCode {
    tracing::error!(error = format!("{err:#}"), "development server stopped");
    ExitCode::from(2)
}

/// `port`, or a free one when it is 0.
pub(crate) fn port_or_free(port: u16) -> std::io::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
