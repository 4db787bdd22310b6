//! `cargo xtask conformance`: builds the worker and runs the contract suite against it or against Java's.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;

use crate::workspace::{Workspace, cargo};
use crate::{run, setup};

/// Runs the suite with `arguments`; its exit code says whether every case held.
pub(crate) fn conformance(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let is_json = arguments.iter().any(|argument| argument == "--json");
    if !is_json {
        setup::setup(workspace)?;
    }
    let is_java = arguments.windows(2).any(|pair| pair[0] == "--target" && pair[1] == "java");
    if !is_java {
        let mut build = Command::new(cargo());
        run::run(build.args(["build", "--quiet", "-p", "lakeward-worker"]).current_dir(&workspace.root))?;
    }
    let mut command = Command::new(cargo());
    command.args(["run", "--quiet", "--package", "lakeward-conformance", "--"]).args(arguments);
    let status = command.current_dir(&workspace.root).stdin(Stdio::null()).status();
    let status = status.context("starting cargo run")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The suite as `cargo test` has built it, without arguments. It finds the case files from where its package
/// is.
pub(crate) fn built(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut command = Command::new(workspace.target()?.join("debug").join("lakeward-conformance"));
    command.env("CARGO_MANIFEST_DIR", workspace.root.join("conformance")).current_dir(&workspace.root);
    Ok(command)
}
