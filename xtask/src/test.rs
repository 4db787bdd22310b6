//! `cargo xtask test`: everything continuous integration runs, with one closing line of counts.
//!
//! Steps that compute run one after the other; the contract suite, which waits, runs beside the tests.
//! A step that fails does not stop the later ones, so that one run reports all problems; only a failed set-up
//! does, because without it every later failure would be misleading.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::conformance;
use crate::kill_test::{self, FEATURES};
use crate::run::{run, say, step};
use crate::setup;
use crate::tally::Tally;
use crate::tidy;
use crate::workspace::{Workspace, cargo};

/// Enough for a dozen faults on a slow machine; the same order of faults in every run.
const KILL_TEST_MINUTES: &str = "3";
const HANDOVER_MINUTES: &str = "2";
const KILL_TEST_SEED: &str = "1";

/// Everything, the Iceberg sink among it.
const TESTS: [&str; 4] = ["test", "--workspace", "--features", FEATURES];

/// Runs all steps; the last line printed is `N passed, M failed`.
pub(crate) fn test(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    step("setup", || setup::setup(workspace))?;
    let mut failed_steps = Vec::new();
    let mut check = |name: &'static str, work: &dyn Fn() -> anyhow::Result<()>| {
        if let Err(err) = step(name, work) {
            say(&format!("error: {name}: {err:#}"));
            failed_steps.push(name);
        }
    };
    check("tidy", &|| {
        ensure!(tidy::tidy(workspace)? == ExitCode::SUCCESS, "the repository breaks its own rules");
        Ok(())
    });
    check("format", &|| run(&mut cargo_in(workspace, &["fmt", "--all", "--", "--check"])));
    check("lints", &|| {
        let arguments = ["--all-targets", "--features", FEATURES, "--", "-D", "warnings"];
        run(&mut cargo_in(workspace, &[&["clippy", "--workspace"], &arguments[..]].concat()))
    });
    // What users build has no Iceberg sink.
    check("the usual build", &|| run(&mut cargo_in(workspace, &["check", "--workspace"])));
    // The same selection as the tests: another one would compile the dependencies a second time.
    check("build", &|| run(&mut cargo_in(workspace, &[&TESTS[..], &["--no-run"]].concat())));
    check("build with failpoints", &|| kill_test::build(workspace));
    check("kill test", &|| {
        run(kill_test::command(workspace)?.args(["--minutes", KILL_TEST_MINUTES, "--seed", KILL_TEST_SEED]))
    });
    check("kill test, hand-over", &|| {
        let arguments = ["--minutes", HANDOVER_MINUTES, "--seed", KILL_TEST_SEED, "--mode", "handover"];
        run(kill_test::command(workspace)?.args(arguments))
    });
    let (mut tally, outcome, contract) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| Contract::run(workspace));
        let (tally, outcome) = tests(workspace);
        (tally, outcome, beside.join().expect("counting lines does not panic"))
    });
    if let Err(err) = outcome {
        say(&format!("error: tests: {err:#}"));
        // A crash or a compile error fails no single test; it must not look like success.
        tally.failed = tally.failed.max(1);
    }
    tally += contract.told();
    if !failed_steps.is_empty() {
        say(&format!("failed steps, counted as one failure each: {}", failed_steps.join(", ")));
        tally.failed += u64::try_from(failed_steps.len()).expect("a handful of steps");
    }
    say(&format!("{} passed, {} failed", tally.passed, tally.failed));
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tests at a time: most of the black-box tests' time is waiting, for brokers, sessions and rotations.
const TEST_THREADS: (&str, &str) = ("RUST_TEST_THREADS", "4");

/// Runs the tests of the workspace, passing their output through while counting.
fn tests(workspace: &Workspace) -> (Tally, anyhow::Result<()>) {
    let mut tally = Tally::default();
    let outcome = step("tests", || {
        let mut command = cargo_in(workspace, &[&TESTS[..], &["--no-fail-fast"]].concat());
        let (threads, count_max) = TEST_THREADS;
        if std::env::var_os(threads).is_none() {
            command.env(threads, count_max);
        }
        command
            .env("LAKEWARD_BIN", worker(workspace)?)
            .env("LAKEWARD_FAILPOINTS_BIN", kill_test::worker(workspace)?);
        let status = count(&mut command, Tally::of_line, &mut tally, &mut say)?;
        ensure!(status.success(), "cargo test ended with {status}");
        if tally.passed == 0 {
            bail!("no test ran");
        }
        ensure!(tally.ignored == 0, "{} tests are ignored; every test must run", tally.ignored);
        Ok(())
    });
    (tally, outcome)
}

/// The contract suite against our worker. It waits for most of its time (a broker that hangs, sessions that
/// end), so it runs beside the tests; what it says is told after them. The suite is proven with Java's by
/// `cargo xtask conformance`.
struct Contract {
    lines: Vec<String>,
    tally: Tally,
    outcome: anyhow::Result<()>,
    took: Duration,
}

impl Contract {
    fn run(workspace: &Workspace) -> Self {
        let (began, mut lines, mut tally) = (Instant::now(), Vec::new(), Tally::default());
        let mut run = || {
            let mut command = conformance::built(workspace)?;
            command.args(["--target", "lakeward", "--gate"]).env("LAKEWARD_BIN", worker(workspace)?);
            let mut keep = |line: &str| lines.push(line.to_owned());
            let status = count(&mut command, Tally::of_contract_line, &mut tally, &mut keep)?;
            ensure!(status.success(), "the contract suite ended with {status}");
            Ok(())
        };
        let outcome = run();
        Self { lines, tally, outcome, took: began.elapsed() }
    }

    /// Says what it said; cases that are known not to hold yet are rows of `conformance/OPEN.md` and count as
    /// failed, without failing the run.
    fn told(mut self) -> Tally {
        say("==> contract, beside the tests");
        self.lines.iter().for_each(|line| say(line));
        let word = if self.outcome.is_ok() { "done" } else { "FAILED" };
        say(&format!("<== contract: {word} in {:.1} s", self.took.as_secs_f64()));
        match self.outcome {
            Err(err) => {
                say(&format!("error: contract: {err:#}"));
                self.tally.failed = self.tally.failed.max(1);
            }
            Ok(()) if self.tally.failed > 0 => {
                let open = self.tally.failed;
                say(&format!("{open} cases of the contract are open: see conformance/OPEN.md"));
                self.tally.failed = 0;
            }
            Ok(()) => {}
        }
        self.tally
    }
}

/// Runs a command, handing its lines to `tell` while `read` counts the closing ones.
fn count(
    command: &mut Command,
    read: fn(&str) -> Option<Tally>,
    tally: &mut Tally,
    tell: &mut dyn FnMut(&str),
) -> anyhow::Result<ExitStatus> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("starting the tests")?;
    let output = child.stdout.take().context("the tests have no output")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("reading the output of the tests")?;
        let line = String::from_utf8_lossy(&line);
        tell(&line);
        if let Some(part) = read(&line) {
            *tally += part;
        }
    }
    child.wait().context("waiting for the tests")
}

/// The worker as the build of the tests leaves it.
pub(crate) fn worker(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    Ok(workspace.target()?.join("debug").join("lakeward"))
}

fn cargo_in(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo());
    command.args(arguments).current_dir(&workspace.root);
    command
}
