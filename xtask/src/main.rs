//! The single door for developers: `cargo xtask <command>`.
//!
//! Owns: command dispatch and the help text. It has no native dependencies, so that it compiles anywhere
//! within seconds and can install what everything else needs. It must hold no product logic.

mod bench;
mod conformance;
mod demo;
mod differential;
mod iceberg;
mod kill_test;
mod run;
mod setup;
mod tally;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::bail;

use crate::workspace::Workspace;

const HELP: &str = "\
Developer commands of Lakeward.

Usage: cargo xtask <command> [arguments]

  demo [arguments]     build the release binary and run `lakeward demo`: embedded broker and object store,
                       a worker with REST on 127.0.0.1:8083, live progress, and a proof that no record
                       was lost
  test                 set up, check the repository, formatting and lints, then run every test against real
                       Kafka and a real S3 server; ends with one line `N passed, M failed`
  conformance [--target lakeward|java] [--only NAME] [--json]
                       the contract of a Kafka Connect worker as black-box cases, against ours (default) or
                       Java's; ends with `N passed, F failed, S skipped`
  differential [--cases N] [--seconds N] [--seed S] [--only NAME]
                       run seeded cases through Apache Kafka's own classes and ours, and print what differs
  iceberg              build the worker with its feature `iceberg` and run the tests of that sink against a
                       catalog of Java's library
  kill-test --minutes M [--seed S] [--mode all|NAME,NAME]
                       workers die, hang and drain under load at every failpoint and at random, with Apache
                       Kafka and an S3 server; ends with one JSON line, and fails when a record is missing
                       or stored twice. Modes: count, dead-letters, iceberg, interval, parts, schedule,
                       source, wallclock, which run together, and handover; `--minutes 0` only builds
  setup                install what the tests need (Java, Maven, Apache Kafka, an S3 server, PostgreSQL,
                       pyarrow) into .lakeward/ of the workspace; instant when everything is there
  tidy                 check the repository's own rules: sizes, module docs, dependency directions, unsafe
  bench demo [--records N] [--json]
                       drain a preloaded topic with the release binary and print the figures
  bench micro [filter] run the criterion benches
  bench rest [--connectors N] [--tasks N] [--running N] [--rate N] [--seconds N] [--json]
                       start over a config topic of 1,000 connectors with 10,000 tasks, then ask over REST:
                       time to ready, memory, latencies
  bench transforms [--only NAME] [--json]
                       records per CPU second in every converter and transform, Apache Kafka's and ours;
                       a table, and one JSON object in the last line
  help                 this text

Everything is installed under .lakeward/ and built under target/; deleting both folders undoes all of it,
except for system packages, which `setup` installs through apt only when it runs as root.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match command {
        "bench" => bench::bench(&Workspace::locate()?, rest),
        "conformance" => conformance::conformance(&Workspace::locate()?, rest),
        "demo" => demo::demo(&Workspace::locate()?, rest),
        "differential" => differential::differential(&Workspace::locate()?, rest),
        "help" | "--help" | "-h" => {
            run::say(HELP);
            Ok(ExitCode::SUCCESS)
        }
        "iceberg" => iceberg::iceberg(&Workspace::locate()?),
        "kill-test" => kill_test::kill_test(&Workspace::locate()?, rest),
        "setup" => {
            setup::setup(&Workspace::locate()?)?;
            Ok(ExitCode::SUCCESS)
        }
        "test" => test::test(&Workspace::locate()?),
        "tidy" => tidy::tidy(&Workspace::locate()?),
        unknown => bail!("unknown command `{unknown}`; `cargo xtask help` lists the commands"),
    }
}
