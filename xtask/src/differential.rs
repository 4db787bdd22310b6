//! `cargo xtask differential`: builds and runs the differential test against Apache Kafka's classes.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;

use crate::setup;
use crate::workspace::{Workspace, cargo};

/// Runs the test with `arguments`; its exit code says whether anything differs.
pub(crate) fn differential(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    setup::setup(workspace)?;
    // Through cargo: the program finds the jars from where its package is.
    let status = Command::new(cargo())
        .args(["run", "--quiet", "--package", "lakeward-differential", "--"])
        .args(arguments)
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .status()
        .context("starting cargo run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
