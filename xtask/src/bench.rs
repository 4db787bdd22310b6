//! `cargo xtask bench`: figures of the release binary, and the criterion benches.
//!
//! It only starts programs and prints what they measured; it measures nothing itself.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::demo::release_binary;
use crate::workspace::{Workspace, cargo};
use crate::{differential, run};

/// Records of `bench demo` when the command line names no number.
const RECORDS_DEFAULT: u64 = 2_000_000;

/// Runs the named bench.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    match arguments.split_first() {
        Some((name, rest)) if name == "demo" => drain(workspace, &DrainOptions::parse(rest)?)?,
        Some((name, rest)) if name == "micro" => {
            let mut command = Command::new(cargo());
            command.args(["bench", "--package", "lakeward-bench"]).current_dir(&workspace.root);
            run::run(command.arg("--").args(rest))?;
        }
        Some((name, rest)) if name == "rest" => rest_figures(workspace, rest)?,
        Some((name, rest)) if name == "transforms" => differential::figures(workspace, rest)?,
        _ => bail!(
            "which bench? `bench demo [--records N] [--json]`, `bench micro [filter]`, `bench rest` \
             or `bench transforms [--only NAME] [--json]`; `cargo xtask help` lists them"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, PartialEq)]
struct DrainOptions {
    records: u64,
    output: Output,
}

#[derive(Debug, PartialEq)]
enum Output {
    Json,
    JsonAndTable,
}

impl DrainOptions {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { records: RECORDS_DEFAULT, output: Output::JsonAndTable };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--json" => options.output = Output::Json,
                "--records" => {
                    let number = rest.next().context("--records needs a number")?.replace('_', "");
                    options.records = number.parse().with_context(|| format!("--records {number}"))?;
                }
                unknown => bail!("unknown argument `{unknown}` of bench demo"),
            }
        }
        Ok(options)
    }
}

fn drain(workspace: &Workspace, options: &DrainOptions) -> anyhow::Result<()> {
    let binary = release_binary(workspace)?;
    let records = options.records.to_string();
    let mut command = Command::new(binary);
    command.args(["bench", "drain", "--records", &records, "--json"]);
    match options.output {
        Output::Json => run::say(last_line(&run::answer(&mut command)?)),
        Output::JsonAndTable => run::run(&mut command)?,
    }
    Ok(())
}

/// The arguments are those of `lakeward bench rest`.
fn rest_figures(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let binary = release_binary(workspace)?;
    let mut command = Command::new(binary);
    command.args(["bench", "rest"]).args(arguments);
    if arguments.iter().any(|argument| argument == "--json") {
        run::say(last_line(&run::answer(&mut command)?));
        return Ok(());
    }
    run::run(&mut command)
}

/// The bench prints its tables first and the JSON object last.
fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_parsed_or_refused() {
        let options = DrainOptions::parse(&words("--records 3_000 --json")).unwrap();
        assert_eq!(options, DrainOptions { records: 3000, output: Output::Json });
        assert!(DrainOptions::parse(&words("--records")).is_err());
        assert!(DrainOptions::parse(&words("--fast")).is_err());
    }

    #[test]
    fn the_json_object_is_the_last_line() {
        assert_eq!(last_line("records 5\n{\"records\":5}\n"), "{\"records\":5}");
    }
}
