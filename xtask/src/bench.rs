//! `cargo xtask bench`: figures of the release binary, and the criterion benches.
//!
//! It only starts programs and prints what they measured; it measures nothing itself.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::demo::release_binary;
use crate::run;
use crate::workspace::{Workspace, cargo};

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
        _ => bail!("which bench? `bench demo [--records N] [--json]` or `bench micro [filter]`"),
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
    let text = run::answer(Command::new(binary).args(["bench", "drain", "--records", &records, "--json"]))?;
    run::say(&text);
    if options.output == Output::JsonAndTable {
        let result: Value = serde_json::from_str(&text).context("the bench did not answer with JSON")?;
        run::say(&table(&result));
    }
    Ok(())
}

/// One aligned line per figure; members of inner objects are shown under dotted names.
fn table(result: &Value) -> String {
    let mut rows = Vec::new();
    flatten("", result, &mut rows);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, figure)| format!("{name:<width$}  {figure}\n")).collect()
}

fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (member, inner) in members {
                let dotted = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                flatten(&dotted, inner, rows);
            }
        }
        Value::String(text) => rows.push((name.to_owned(), text.clone())),
        other => rows.push((name.to_owned(), other.to_string())),
    }
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
    fn tables_align_dotted_names() {
        let result = serde_json::json!({"records": 5, "lag": {"p99_ms": 1.5}});
        assert_eq!(table(&result), "records     5\nlag.p99_ms  1.5\n");
    }
}
