//! `lakeward-conformance`: the contract suite from the command line. `cargo xtask conformance` builds and
//! starts it.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use lakeward_conformance::contract::report::Finding;
use lakeward_conformance::contract::target::Target;
use lakeward_conformance::contract::{files, run};

const HELP: &str = "\
Usage: cargo xtask conformance --target lakeward|java [options]

Runs the contract of a Kafka Connect worker against ours or against Java's.

  --target NAME  which worker (default lakeward)
  --only NAME    cases whose name contains NAME; may be repeated
  --gate         succeed when exactly the cases of OPEN.md fail
  --json         one JSON object with all findings instead of the lines
  --list         names of the cases
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match start(&arguments) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut target = Target::Lakeward;
    let mut only: Vec<String> = Vec::new();
    let (mut is_json, mut is_list, mut is_gate) = (false, false, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--target" => target = value()?.parse()?,
            "--only" => only.push(value()?.clone()),
            "--gate" => is_gate = true,
            "--json" => is_json = true,
            "--list" => is_list = true,
            "--help" | "-h" => {
                say(HELP);
                return Ok(ExitCode::SUCCESS);
            }
            unknown => bail!("unknown argument `{unknown}`\n{HELP}"),
        }
    }
    let scripts = files::read()?;
    if is_list {
        scripts.iter().flat_map(|script| &script.cases).for_each(|case| say(&case.name));
        return Ok(ExitCode::SUCCESS);
    }
    let mut tell = |finding: &Finding| {
        if !is_json {
            say(&finding.text());
        }
    };
    let report = run::run(&scripts, target, &only, &mut tell)?;
    ensure!(!report.findings.is_empty(), "no case is called {only:?}; --list names them");
    if is_json {
        say(&report.json(target.name()).to_string());
    } else {
        say(&report.closing());
    }
    if is_gate {
        let surprises = report.surprises(&files::open(&scripts)?);
        ensure!(surprises.is_empty(), "{}", surprises.join("; "));
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a line. A closed standard output is not an error worth reporting.
fn say(text: &str) {
    writeln!(std::io::stdout(), "{}", text.trim_end()).ok();
}
