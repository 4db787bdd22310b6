//! `cargo xtask tidy`: the repository checks its own rules.
//!
//! Owns the walk over the repository and the report; the rules live in [`source`] (one Rust file at a time),
//! [`graph`] (packages) and [`text`] (every text file). All problems are reported, each with file and line.

mod code;
mod graph;
mod source;
mod text;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::run::say;
use crate::workspace::Workspace;

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Path within the repository.
    path: String,
    /// Line, from 1.
    line: usize,
    /// What is wrong and what would be right.
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Folders that hold no source of ours.
const FOLDERS_SKIPPED: [&str; 3] = [".git", ".lakeward", "target"];
/// Files with these endings are checked as text.
const TEXT_ENDINGS: [&str; 8] = ["json", "md", "properties", "py", "rs", "sh", "toml", "yaml"];

/// Checks everything and prints every problem.
pub(crate) fn tidy(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    collect(&workspace.root, &mut files)?;
    files.sort();
    let mut problems = Vec::new();
    let mut sources = 0;
    for file in &files {
        let path = file.strip_prefix(&workspace.root).unwrap_or(file).to_string_lossy().into_owned();
        let content = fs::read_to_string(file).with_context(|| format!("reading {path}"))?;
        text::check(&path, &content, &mut problems);
        if path.ends_with(".rs") {
            sources += 1;
            source::check(&path, &content, &mut problems);
        }
    }
    graph::check(&workspace.metadata()?, &mut problems);
    for problem in &problems {
        say(&problem.to_string());
    }
    say(&format!("tidy: {sources} source files of {} checked, {} problems", files.len(), problems.len()));
    let clean = problems.is_empty() && sources > 0;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() {
            if !FOLDERS_SKIPPED.contains(&name.as_str()) {
                collect(&path, files)?;
            }
        } else if kind.is_file() && is_text(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Known endings, and the scripts of continuous integration, which have none.
fn is_text(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name);
    let in_ci = folder.is_some_and(|name| name == ".ci");
    in_ci || path.extension().is_some_and(|ending| TEXT_ENDINGS.iter().any(|known| ending == *known))
}
