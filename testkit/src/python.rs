//! Scripts in the installed Python environment (pyarrow), which answer with JSON.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::install;

/// Runs `script` with `arguments` and returns what it printed, which must be one JSON text.
pub fn run(script: &str, arguments: &[String]) -> anyhow::Result<Value> {
    let output = Command::new(install::python()?)
        .args(["-c", script])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("starting Python")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the Python script ended with {}:\n{complaint}", output.status);
    serde_json::from_slice(&output.stdout).context("the Python script did not print JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_answer_with_json_or_fail_with_their_complaint() {
        let answer = run("import sys, json; json.dump(sys.argv[1:], sys.stdout)", &["é".to_owned()]).unwrap();
        assert_eq!(answer, serde_json::json!(["é"]));
        let err = run("raise ValueError('no good')", &[]).unwrap_err();
        assert!(err.to_string().contains("no good"), "{err}");
    }
}
