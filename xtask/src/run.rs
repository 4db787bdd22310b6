//! Running programs: find them, run them with inherited output, read their answer.
//!
//! Children never get standard input: continuous integration has none, and a prompt would hang for ever.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

/// Prints a line. A closed standard output (`cargo xtask help | head`) is not an error worth reporting.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stdout(), "{}", text.trim_end()).ok();
}

/// Runs a step under a heading and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    say(&format!("==> {name}"));
    let started = Instant::now();
    let outcome = work();
    let word = if outcome.is_ok() { "done" } else { "FAILED" };
    say(&format!("<== {name}: {word} in {:.1} s", started.elapsed().as_secs_f64()));
    outcome
}

/// Runs a command with inherited output; fails when it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = show(command);
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("starting `{shown}`"))?;
    ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// Runs a command and returns its standard output; its standard error is part of the failure.
pub(crate) fn answer(command: &mut Command) -> anyhow::Result<String> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting `{shown}`"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` ended with {}\n{}", output.status, complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The program `name`: from `PATH`, or from a folder where installers put it without touching `PATH`.
pub(crate) fn find_program(name: &str, more_folders: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(more_folders.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

fn show(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let err = run(Command::new("false").arg("--really")).unwrap_err();
        assert!(err.to_string().contains("false --really"), "{err}");
    }

    #[test]
    fn programs_are_found_in_extra_folders() {
        assert!(find_program("no-such-program-anywhere", &["/bin", "/usr/bin"]).is_none());
        assert!(find_program("true", &["/bin", "/usr/bin"]).is_some());
    }
}
