//! Azurite: the Azure Blob Storage server of the tests, from the registry of npm. It checks signatures.

use std::path::Path;
use std::process::Command;

use super::Install;
use crate::run::run;

/// The last release that runs on every Node.js still in use; later ones ask for 22.
const PACKAGE: &str = "azurite@3.35.0";

/// `.lakeward/azurite`: the package with what it needs.
pub(super) fn install() -> Install {
    Install { folder: "azurite", version: PACKAGE.to_owned(), install: fetch }
}

fn fetch(folder: &Path) -> anyhow::Result<()> {
    let quiet = ["--no-audit", "--no-fund", "--no-save", "--omit=dev", "--loglevel=error"];
    run(Command::new("npm").args(["install", "--prefix"]).arg(folder).args(quiet).arg(PACKAGE))?;
    run(Command::new("node").arg(folder.join("node_modules/azurite/dist/src/blob/main.js")).arg("--version"))
}
