//! `cargo xtask iceberg`: builds the worker with the Iceberg sink and runs the tests of that sink. They are
//! no part of `cargo xtask test`: the library behind the sink takes minutes to compile.

use std::process::{Command, ExitCode};

use crate::run::run;
use crate::setup;
use crate::workspace::{Workspace, cargo};

const TESTS: [&str; 9] = [
    "test",
    "--package",
    "lakeward-sinks",
    "--package",
    "lakeward-conformance",
    "--features",
    "lakeward-sinks/sink-iceberg,lakeward-conformance/iceberg",
    "--",
    "iceberg",
];

/// Runs everything; an error names the command that failed.
pub(crate) fn iceberg(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    setup::setup(workspace)?;
    let in_workspace = |arguments: &[&str]| {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&workspace.root);
        command
    };
    run(&mut in_workspace(&["build", "--package", "lakeward-worker", "--features", "iceberg"]))?;
    let binary = workspace.target()?.join("debug").join("lakeward");
    run(in_workspace(&TESTS).env("LAKEWARD_BIN", binary))?;
    Ok(ExitCode::SUCCESS)
}
