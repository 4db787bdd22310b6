//! `cargo xtask demo`: builds the release binary and becomes `lakeward demo`.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::run;
use crate::workspace::{Workspace, cargo};

/// Replaces this process by the demo, so that signals reach it directly.
pub(crate) fn demo(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let binary = release_binary(workspace)?;
    let err = Command::new(&binary).arg("demo").args(arguments).exec();
    Err(err).with_context(|| format!("starting {}", binary.display()))
}

/// Builds the worker with optimisations and returns its path.
pub(crate) fn release_binary(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    run::run(
        Command::new(cargo())
            .args(["build", "--release", "--package", "lakeward-worker"])
            .current_dir(&workspace.root),
    )?;
    Ok(workspace.target()?.join("release").join("lakeward"))
}
