//! Runs case files: one worker per kind of settings, one case after the other, connectors removed in between.
//!
//! Cases of one worker never run at the same time: creating a connector makes a Java cluster rebalance, and
//! that refuses the requests of everybody else.

use std::time::Duration;

use anyhow::Context;

use super::report::{Finding, Outcome, Report};
use super::script::{Case, Script};
use super::stage::Stage;
use super::target::{Target, Worker};

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
        if !running.as_ref().is_some_and(|(known, _)| known.launch == script.launch) {
            // The old worker goes before the new one comes: two need twice the memory.
            drop(running.take());
            match Worker::start(target, &script.launch) {
                Ok(worker) => running = Some((script, worker)),
                Err(err) => {
                    tell_all(&cases, &format!("no worker: {err:#}"), &mut report, tell);
                    continue;
                }
            }
        }
        let (_, worker) = running.as_mut().context("a worker was started")?;
        let mut stage = Stage::new(worker)?;
        if let Err(err) = stage.prepare(script) {
            tell_all(&cases, &format!("{err:#}"), &mut report, tell);
        } else {
            for case in cases {
                let finding = stage.case(case, target);
                tell(&finding);
                report.findings.push(finding);
            }
        }
        stage.end()?;
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
