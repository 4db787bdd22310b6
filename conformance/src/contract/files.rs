//! The case files: every `*.cases` of `conformance/contract/`, in the order of their names.
//!
//! They are read when the suite starts, so that a case can be written without compiling anything.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};

use super::differences;
use super::script::Script;

/// Reads and checks all files.
///
/// # Errors
/// Names the file and line that means nothing, a name that two cases have, or a difference without its row.
pub fn read() -> anyhow::Result<Vec<Script>> {
    let (package, folder) = (package()?, folder()?);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "cases") {
            files.push(path);
        }
    }
    files.sort();
    let mut scripts = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        scripts.push(Script::parse(&text).with_context(|| path.display().to_string())?);
    }
    refuse_equal_names(&scripts)?;
    let table = fs::read_to_string(package.join("DIFFERENCES.md")).context("reading DIFFERENCES.md")?;
    differences::check(&scripts, &table)?;
    Ok(scripts)
}

/// The names of the cases that are known not to hold for ours yet: rows of `conformance/OPEN.md`.
///
/// # Errors
/// When the file cannot be read, or a row names no case.
pub fn open(scripts: &[Script]) -> anyhow::Result<Vec<String>> {
    let table = fs::read_to_string(package()?.join("OPEN.md")).context("reading OPEN.md")?;
    let names: Vec<String> = differences::names(&table).into_iter().map(str::to_owned).collect();
    for name in &names {
        let mut cases = scripts.iter().flat_map(|script| &script.cases);
        ensure!(cases.any(|case| case.name == *name), "a row of OPEN.md names {name}, which is no case");
    }
    Ok(names)
}

fn package() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    package.map(PathBuf::from).context("CARGO_MANIFEST_DIR is not set: run the suite through cargo")
}

/// Where the case files are, and the certificates in `tls` below it.
///
/// # Errors
/// The suite was not started through cargo.
pub fn folder() -> anyhow::Result<PathBuf> {
    Ok(package()?.join("contract"))
}

fn refuse_equal_names(scripts: &[Script]) -> anyhow::Result<()> {
    let mut names: Vec<&str> =
        scripts.iter().flat_map(|script| &script.cases).map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("two cases are called {}", pair[0]),
        None => Ok(()),
    }
}
