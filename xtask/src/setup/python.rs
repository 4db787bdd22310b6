//! A Python environment with pyarrow and pyiceberg: the independent readers that files and tables are checked
//! with.

use std::path::Path;
use std::process::Command;

use super::Install;
use crate::run::run;

/// Any of them reads our files; the pin only keeps runs comparable.
const PACKAGES: [&str; 2] = ["pyarrow>=15,<26", "pyiceberg>=0.9,<0.13"];

/// `.lakeward/python`: a virtual environment.
pub(super) fn install() -> Install {
    Install { folder: "python", version: PACKAGES.join(" "), install: create }
}

fn create(folder: &Path) -> anyhow::Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let python = folder.join("bin").join("python");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--only-binary", ":all:"])
        .args(PACKAGES))?;
    run(Command::new(&python).args(["-c", "import pyarrow.parquet, pyiceberg.catalog"]))
}
