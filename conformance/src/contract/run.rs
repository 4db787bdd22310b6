//! Runs case files: one worker per kind of settings, one case after the other, connectors removed in between.
//!
//! Cases of one worker never run at the same time: creating a connector makes a Java cluster rebalance, and
//! that refuses the requests of everybody else.

use std::cell::OnceCell;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::rest::RestClient;

use super::report::{Finding, Outcome, Report};
use super::request::{PATIENCE, is_rebalancing};
use super::script::{Case, Script, Step};
use super::target::{Target, Worker};
use super::variables::Variables;
use super::{action, request};

/// Runs the cases whose name contains one of `only` (all when it is empty); `tell` hears of each.
///
/// # Errors
/// Only when a worker stops answering; a case that does not hold is a finding.
pub fn run(
    scripts: &[Script],
    target: Target,
    only: &[String],
    tell: &mut dyn FnMut(&Finding),
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let wanted = |case: &&Case| only.is_empty() || only.iter().any(|part| case.name.contains(part));
    let mut running: Option<(&Script, Worker)> = None;
    for script in scripts {
        let cases: Vec<&Case> = script.cases.iter().filter(wanted).collect();
        if cases.is_empty() {
            continue;
        }
        let fits = |known: &Script| known.mode == script.mode && known.settings == script.settings;
        if !running.as_ref().is_some_and(|(known, _)| fits(known)) {
            // The old worker goes before the new one comes: two need twice the memory.
            drop(running.take());
            match Worker::start(target, script.mode, &script.settings) {
                Ok(worker) => running = Some((script, worker)),
                Err(err) => {
                    tell_all(&cases, &format!("no worker: {err:#}"), &mut report, tell);
                    continue;
                }
            }
        }
        let (_, worker) = running.as_ref().context("a worker was started")?;
        let folder = RunFolder::new("contract")?;
        let second = OnceCell::new();
        let shared = worker.variables();
        let mut stage = Stage { worker, folder: &folder, shared, kept: Vec::new(), second };
        if let Err(err) = stage.prepare(script) {
            tell_all(&cases, &format!("{err:#}"), &mut report, tell);
        } else {
            for case in cases {
                let finding = stage.case(case, target);
                tell(&finding);
                report.findings.push(finding);
            }
        }
        stage.kept.clear();
        stage.tidy_up().context("removing the connectors of the set-up")?;
    }
    Ok(report)
}

/// None of `cases` can hold, for one reason.
fn tell_all(cases: &[&Case], why: &str, report: &mut Report, tell: &mut dyn FnMut(&Finding)) {
    for case in cases {
        let outcome = Outcome::Failed(why.to_owned());
        let finding = Finding { name: case.name.clone(), outcome, duration: Duration::ZERO };
        tell(&finding);
        report.findings.push(finding);
    }
}

/// Where the cases of one file run.
struct Stage<'a> {
    worker: &'a Worker,
    folder: &'a RunFolder,
    shared: Variables,
    /// Connectors of the set-up.
    kept: Vec<String>,
    /// Joins the cluster of the first when a case asks for it.
    second: OnceCell<Worker>,
}

fn take(step: &Step, rest: &RestClient, variables: &mut Variables) -> anyhow::Result<()> {
    match step {
        Step::Request(one) => request::perform(one, rest, variables),
        Step::Action(one) => action::perform(one, variables),
    }
}

impl Stage<'_> {
    fn prepare(&mut self, script: &Script) -> anyhow::Result<()> {
        let folder = self.folder.file("shared");
        fs::create_dir_all(&folder)?;
        self.shared.set("dir", folder.display().to_string());
        self.shared.set("shared_dir", folder.display().to_string());
        let mut variables = self.shared.clone();
        for step in &script.setup {
            take(step, self.worker.rest(), &mut variables).context("setting up")?;
        }
        self.shared = variables.shared();
        self.kept = self.connectors()?;
        Ok(())
    }

    fn case(&self, case: &Case, target: Target) -> Finding {
        let started = Instant::now();
        let outcome = match &case.only {
            Some(only) if only != target.name() => {
                Outcome::Skipped(format!("accepted difference, holds for {only}: see DIFFERENCES.md"))
            }
            _ => match self.steps(case).and_then(|()| self.tidy_up()) {
                Ok(()) => Outcome::Passed,
                Err(err) => {
                    // What is left would spoil later cases; that it is left is already told.
                    self.tidy_up().ok();
                    Outcome::Failed(format!("{err:#}"))
                }
            },
        };
        Finding { name: case.name.clone(), outcome, duration: started.elapsed() }
    }

    fn steps(&self, case: &Case) -> anyhow::Result<()> {
        let mut variables = self.shared.clone();
        let folder = self.folder.file(&case.name);
        fs::create_dir_all(&folder)?;
        variables.set("dir", folder.display().to_string());
        let mut client = self.worker.rest();
        for (index, step) in case.steps.iter().enumerate() {
            match step {
                Step::Action(one) if one.words == ["first"] => client = self.worker.rest(),
                Step::Action(one) if one.words == ["second"] => client = self.second()?.rest(),
                step => {
                    let outcome = take(step, client, &mut variables);
                    outcome.with_context(|| format!("step {}", index + 1))?;
                }
            }
        }
        Ok(())
    }

    /// The other worker of the cluster; it joins with the first case that asks for it.
    fn second(&self) -> anyhow::Result<&Worker> {
        if let Some(worker) = self.second.get() {
            return Ok(worker);
        }
        let worker = self.worker.another().context("starting the second worker")?;
        Ok(self.second.get_or_init(|| worker))
    }

    fn connectors(&self) -> anyhow::Result<Vec<String>> {
        let answer = self.worker.rest().get("/connectors")?;
        ensure!(answer.status == 200, "GET /connectors answered {}: {}", answer.status, answer.text);
        Ok(serde_json::from_str(&answer.text)?)
    }

    /// Deletes the connectors that a case left.
    fn tidy_up(&self) -> anyhow::Result<()> {
        for name in self.connectors()?.iter().filter(|name| !self.kept.contains(name)) {
            let path = format!("/connectors/{}", encoded(name));
            let deadline = Instant::now() + PATIENCE;
            let mut answer = self.worker.rest().delete(&path)?;
            while is_rebalancing(&answer) && Instant::now() < deadline {
                answer = self.worker.rest().delete(&path)?;
            }
            ensure!(matches!(answer.status, 204 | 404), "DELETE {path}: {}", answer.text);
        }
        Ok(())
    }
}

/// Percent-encoded for a path.
fn encoded(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    name.bytes().map(byte).collect()
}
