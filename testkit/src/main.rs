//! `lakeward-kill-test`: runs the kill test and ends with one JSON line; not 0 when a record is missing or
//! doubled. `cargo xtask kill-test` builds what it needs and calls it.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use lakeward_testkit::kill::{Mode, Options, run};

const SEED_DEFAULT: u64 = 1;
const USAGE: &str = "usage: kill-test --minutes M [--seed S] [--mode all|NAME,NAME]";

fn main() -> ExitCode {
    match try_main() {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn try_main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        writeln!(std::io::stdout(), "{USAGE}").context("printing the usage")?;
        return Ok(ExitCode::SUCCESS);
    }
    let summary = run(&parse(&arguments)?)?;
    writeln!(std::io::stdout(), "{}", summary.json()).context("printing the summary")?;
    Ok(if summary.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn parse(arguments: &[String]) -> anyhow::Result<Options> {
    let mut options = Options { time: Duration::ZERO, seed: SEED_DEFAULT, modes: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = rest.next().with_context(|| format!("{argument} needs a value"))?;
        match argument.as_str() {
            "--minutes" => {
                let minutes: f64 = value.parse().with_context(|| format!("--minutes {value}"))?;
                let time = Duration::try_from_secs_f64(minutes * 60.0);
                options.time = time.with_context(|| format!("--minutes {value}"))?;
            }
            "--mode" if value == "all" => options.modes = Mode::ALL.to_vec(),
            "--mode" => {
                for name in value.split(',') {
                    let mode = name.parse()?;
                    ensure!(!options.modes.contains(&mode), "--mode {name} is there twice");
                    options.modes.push(mode);
                }
            }
            "--seed" => options.seed = value.parse().with_context(|| format!("--seed {value}"))?,
            unknown => bail!("unknown argument `{unknown}`; {USAGE}"),
        }
    }
    ensure!(!options.time.is_zero(), "--minutes says how long faults go on");
    if options.modes.is_empty() {
        options.modes = Mode::TOGETHER.to_vec();
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> anyhow::Result<Options> {
        parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_parsed_or_refused() {
        let options = parsed("--minutes 0.5 --seed 9 --mode count,source").unwrap();
        assert_eq!((options.time, options.seed), (Duration::from_secs(30), 9));
        assert_eq!(options.modes, [Mode::Count, Mode::Source]);
        assert_eq!(parsed("--minutes 1").unwrap().modes, Mode::TOGETHER);
        assert_eq!(parsed("--minutes 1 --mode all").unwrap().modes, Mode::ALL);
        for wrong in ["", "--minutes", "--minutes x", "--minutes 1 --mode nothing", "--fast 1"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
