//! `cargo xtask kill-test`: builds the worker with failpoints and the kill test, and runs it.
//!
//! The build shares every dependency with the tests of the workspace: same selection of packages, same
//! profile, same folder for what is between source and program. Only the crates that have failpoints are
//! compiled a second time, and their programs go to a folder of their own.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context;

use crate::workspace::{Workspace, cargo};
use crate::{run, setup};

/// What tests need beyond the usual build: the Iceberg sink and its tests.
pub(crate) const FEATURES: &str = "lakeward-conformance/iceberg,lakeward-worker/iceberg";

/// Builds, then runs with `arguments`; its exit code says whether everything was stored once.
pub(crate) fn kill_test(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    setup::setup(workspace)?;
    build(workspace)?;
    if arguments == ["--minutes", "0"] {
        run::say(&format!("built {}", worker(workspace)?.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let status = command(workspace)?.args(arguments).stdin(Stdio::null()).status();
    let status = status.context("starting the kill test")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds both programs. A test target is among them because with one cargo chooses the features of
/// dependencies as it does for all tests of the workspace.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<()> {
    let mut build = Command::new(cargo());
    build
        .args(["build", "--workspace", "--features", FEATURES, "--features", "lakeward-worker/failpoints"])
        .args(["--bin", "lakeward", "--bin", "lakeward-kill-test", "--test", "components"])
        .arg("--target-dir")
        .arg(programs(workspace)?)
        .env("CARGO_BUILD_BUILD_DIR", workspace.target()?)
        .current_dir(&workspace.root);
    run::run(&mut build)
}

/// The kill test as [`build`] has built it, without arguments. It finds installed components from where its
/// package is.
pub(crate) fn command(workspace: &Workspace) -> anyhow::Result<Command> {
    let mut command = Command::new(programs(workspace)?.join("debug").join("lakeward-kill-test"));
    command
        .env("CARGO_MANIFEST_DIR", workspace.root.join("testkit"))
        .env("LAKEWARD_FAILPOINTS_BIN", worker(workspace)?)
        .current_dir(&workspace.root);
    Ok(command)
}

/// The worker with failpoints.
pub(crate) fn worker(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    Ok(programs(workspace)?.join("debug").join("lakeward"))
}

fn programs(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    Ok(workspace.target()?.join("failpoints"))
}
