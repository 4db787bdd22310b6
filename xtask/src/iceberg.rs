//! `cargo xtask iceberg`: builds the worker with the Iceberg sink and runs the tests of that sink, which
//! `cargo xtask test` runs among all others.

use std::process::{Command, ExitCode};

use crate::kill_test::FEATURES;
use crate::run::run;
use crate::setup;
use crate::test::worker;
use crate::workspace::{Workspace, cargo};

/// Runs everything; an error names the command that failed.
pub(crate) fn iceberg(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    setup::setup(workspace)?;
    let in_workspace = |arguments: &[&str]| {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&workspace.root);
        command
    };
    // The same selection as that of `cargo xtask test`: another one would compile the dependencies a second
    // time.
    let of_all = |command| [command, "--workspace", "--features", FEATURES, "--lib", "--test", "suite"];
    run(in_workspace(&of_all("build")).args(["--bin", "lakeward"]))?;
    run(in_workspace(&of_all("test")).args(["--", "iceberg"]).env("LAKEWARD_BIN", worker(workspace)?))?;
    Ok(ExitCode::SUCCESS)
}
