//! `lakeward-differential`: runs the differential test from the command line. `cargo xtask differential`
//! builds and starts it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use lakeward_differential::bench::{self, WithJava};
use lakeward_differential::run::{Options, Report, run};
use lakeward_differential::{TARGETS, Target};

/// That of the worker, so that figures are those of the worker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Cases when the command line names neither a number nor a time.
const ITEMS_DEFAULT: u64 = 100_000;

const HELP: &str = "\
Usage: cargo xtask differential [options]

Runs seeded cases through Apache Kafka's classes and ours and prints what differs.

  --cases N      cases in all (default 100000)
  --seconds N    run for that long instead
  --seed S       seed (default 1)
  --only NAME    targets whose name contains NAME; may be repeated
  --replay N     only case N of each target, as printed with a difference
  --every        prints every difference as it came and whole, also the accepted ones
  --list         names of the targets

Usage: cargo xtask bench transforms [options]

Records per CPU second in Apache Kafka's classes and in ours, from the same batches.

  --only NAME    subjects whose name contains NAME; may be repeated
  --warm-up-ms N CPU time before figures count (default 2000)
  --cpu-ms N     CPU time while they count (default 1000)
  --without-java only our side, for a profiler
  --json         only the JSON object
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == "bench" => figures(rest),
        _ => start(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut options = Options { seed: 1, items: ITEMS_DEFAULT, duration: None, replay: None, every: false };
    let mut only: Vec<&str> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--cases" => options.items = number(value()?)?,
            "--seconds" => options.duration = Some(Duration::from_secs(number(value()?)?)),
            "--seed" => options.seed = number(value()?)?,
            "--only" => only.push(value()?),
            "--replay" => options.replay = Some(number(value()?)?),
            "--every" => options.every = true,
            "--list" => {
                TARGETS.iter().for_each(|target| say(target.name));
                return Ok(ExitCode::SUCCESS);
            }
            "--help" | "-h" => {
                say(HELP);
                return Ok(ExitCode::SUCCESS);
            }
            unknown => bail!("unknown argument `{unknown}`\n{HELP}"),
        }
    }
    let wanted = |target: &&Target| only.is_empty() || only.iter().any(|part| target.name.contains(part));
    let targets: Vec<&'static Target> = TARGETS.iter().filter(wanted).collect();
    ensure!(!targets.is_empty(), "no target is called {only:?}; --list names them");
    let started = Instant::now();
    let report = run(&targets, options)?;
    print(&report, started.elapsed());
    Ok(if report.differences() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn figures(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let ms = |text: &str| number(text).map(Duration::from_millis);
    let mut options = bench::Options {
        only: Vec::new(),
        duration: Duration::from_secs(1),
        warm_up: Duration::from_secs(2),
        java: WithJava::Yes,
    };
    let mut is_json = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--only" => options.only.push(value()?.clone()),
            "--warm-up-ms" => options.warm_up = ms(value()?)?,
            "--cpu-ms" => options.duration = ms(value()?)?,
            "--without-java" => options.java = WithJava::No,
            "--json" => is_json = true,
            unknown => bail!("unknown argument `{unknown}`\n{HELP}"),
        }
    }
    // People see each figure when it is there; a file gets the table once.
    let is_live = std::io::stderr().is_terminal();
    let figures = bench::run(&options, &mut |figure| {
        if is_live {
            eprintln!("{}", bench::line(figure));
        }
    })?;
    if !is_json {
        say(&bench::table(&figures));
    }
    say(&bench::json(&figures));
    Ok(ExitCode::SUCCESS)
}

fn number(text: &str) -> anyhow::Result<u64> {
    text.replace('_', "").parse().with_context(|| format!("`{text}` is no number"))
}

fn print(report: &Report, elapsed: Duration) {
    for line in &report.lines {
        say(line);
    }
    for count in &report.targets {
        let failures = count.failures * 100 / count.items.max(1);
        say(&format!(
            "{:<22} {:>8} cases, {failures:>2} % exceptions, {} new differences",
            count.name, count.items, count.new
        ));
    }
    for (name, known) in &report.known {
        say(&format!("accepted {name}: {} ({})", known.items, known.reason));
    }
    say(&format!("seconds: {:.1}", elapsed.as_secs_f64()));
    say(&format!("{} cases, {} differences", report.items(), report.differences()));
}

/// Prints a line. A closed standard output is not an error worth reporting.
fn say(text: &str) {
    writeln!(std::io::stdout(), "{}", text.trim_end()).ok();
}
