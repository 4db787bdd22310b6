//! `cargo xtask differential`: builds and runs the differential test against Apache Kafka's classes.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;

use crate::workspace::{Workspace, cargo};
use crate::{run, setup};

/// Runs the test with `arguments`; its exit code says whether anything differs.
pub(crate) fn differential(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    setup::setup(workspace)?;
    let mut command = program(workspace, &["run", "--quiet"]);
    let status = command.args(arguments).stdin(Stdio::null()).status().context("starting cargo run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures both sides with the optimised program; `arguments` are those of its bench.
pub(crate) fn figures(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let is_json = arguments.iter().any(|argument| argument == "--json");
    if !is_json {
        setup::setup(workspace)?;
    }
    let mut command = program(workspace, &["run", "--quiet", "--release"]);
    run::run(command.arg("bench").args(arguments))
}

/// The program through cargo: it finds the jars from where its package is.
fn program(workspace: &Workspace, how: &[&str]) -> Command {
    let mut command = Command::new(cargo());
    command.args(how).args(["--package", "lakeward-differential", "--"]).current_dir(&workspace.root);
    command
}
