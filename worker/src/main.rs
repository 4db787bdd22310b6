//! The `lakeward` binary: command line and wiring. Logic lives in the libraries.

mod cli;
mod demo;
mod dev;
mod logging;
mod plugins;
mod process;
mod settings;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use process::Mode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Kafka Connect's exit code for a wrong command line.
const EXIT_USAGE: u8 = 1;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) => {
            let code = if help.use_stderr() { EXIT_USAGE } else { 0 };
            // Nothing can be done about a standard stream that is gone.
            drop(help.print());
            return ExitCode::from(code);
        }
    };
    logging::init();
    match cli.command {
        Command::ConnectDistributed { worker } => process::run(&worker, &Mode::Distributed),
        Command::ConnectStandalone { worker, connectors } => {
            process::run(&worker, &Mode::Standalone { connectors })
        }
        Command::Bench(demo::BenchCommand::Drain(args)) => demo::bench::run(args),
        Command::Bench(demo::BenchCommand::Flat(args)) => demo::flat::run(args),
        Command::Bench(demo::BenchCommand::Rest(args)) => demo::rest_bench::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Dev(command) => dev::run(command),
        #[cfg(feature = "failpoints")]
        Command::Failpoints => {
            use std::io::Write as _;
            let names = lakeward_api::failpoint::NAMES.join("\n");
            let printed = writeln!(std::io::stdout(), "{names}");
            if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "lakeward", &mut std::io::stdout());
            ExitCode::SUCCESS
        }
    }
}
