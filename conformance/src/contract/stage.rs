//! Where the cases of one file run: its workers, its folder, and what cases do to them.
//!
//! | action | does |
//! |---|---|
//! | `first`, `second` | later requests go to that worker; the second joins when it is first asked for |
//! | `second starting` | the same, without waiting until the second is ready |
//! | `listener NAME` | later requests go to the port `$NAME` of the settings (default `port`) |
//! | `as WHO` | the certificate of later requests: `client` (default), `nobody`, `stranger` |
//! | `stop`, `kill` | ends the worker in order, or as a crash |
//! | `start`, `start unready` | starts it again and waits until it is ready, or does not wait |
//! | `freeze`, `thaw` | the worker hangs, and goes on |
//! | `freeze broker`, `thaw broker` | the file's own broker hangs, and goes on |

use std::fs;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::rest::RestClient;

use super::report::{Finding, Outcome};
use super::request::{PATIENCE, is_rebalancing};
use super::script::{Case, Manner, Request, Script, Step};
use super::target::{MAIN, Target, Worker};
use super::tls::Identity;
use super::variables::Variables;
use super::{action, request};

/// The workers of a file and what outlives its cases.
pub struct Stage<'a> {
    worker: &'a mut Worker,
    folder: RunFolder,
    shared: Variables,
    /// Connectors of the set-up.
    kept: Vec<String>,
    /// Joins the cluster of the first when a case asks for it.
    second: Option<Worker>,
}

/// Whom a case talks to.
struct Partner {
    is_second: bool,
    listener: String,
    identity: Identity,
}

impl<'a> Stage<'a> {
    /// An empty stage.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(worker: &'a mut Worker) -> anyhow::Result<Self> {
        let shared = worker.variables();
        let folder = RunFolder::new("contract")?;
        Ok(Self { worker, folder, shared, kept: Vec::new(), second: None })
    }

    /// Runs the set-up of a file.
    ///
    /// # Errors
    /// What did not come true.
    pub fn prepare(&mut self, script: &Script) -> anyhow::Result<()> {
        let folder = self.folder.file("shared");
        fs::create_dir_all(&folder)?;
        self.shared.set("dir", folder.display().to_string());
        self.shared.set("shared_dir", folder.display().to_string());
        let mut variables = self.shared.clone();
        self.steps(&script.setup, &mut variables).context("setting up")?;
        self.shared = variables.shared();
        self.kept = self.connectors()?;
        Ok(())
    }

    /// Runs one case.
    pub fn case(&mut self, case: &Case, target: Target) -> Finding {
        let started = Instant::now();
        let outcome = match &case.only {
            Some(only) if only != target.name() => {
                Outcome::Skipped(format!("accepted difference, holds for {only}: see DIFFERENCES.md"))
            }
            _ => match self.whole_case(case) {
                Ok(()) => Outcome::Passed,
                Err(err) => {
                    // What is left would spoil later cases; that it is left is already told.
                    self.recover().and_then(|()| self.tidy_up()).ok();
                    Outcome::Failed(format!("{err:#}"))
                }
            },
        };
        Finding { name: case.name.clone(), outcome, duration: started.elapsed() }
    }

    /// Deletes the connectors of the set-up.
    ///
    /// # Errors
    /// The worker does not answer.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.kept.clear();
        self.tidy_up().context("removing the connectors of the set-up")
    }

    fn whole_case(&mut self, case: &Case) -> anyhow::Result<()> {
        let mut variables = self.shared.clone();
        let folder = self.folder.file(&case.name);
        fs::create_dir_all(&folder)?;
        variables.set("dir", folder.display().to_string());
        self.steps(&case.steps, &mut variables)?;
        self.tidy_up()
    }

    fn steps(&mut self, steps: &[Step], variables: &mut Variables) -> anyhow::Result<()> {
        let mut partner =
            Partner { is_second: false, listener: MAIN.to_owned(), identity: Identity::default() };
        let mut client = self.client(&partner)?;
        for (index, step) in steps.iter().enumerate() {
            let outcome = match step {
                Step::Request(one) if one.manner == Manner::Together => {
                    // The first of neighbours sends them all.
                    let is_first = index == 0 || together(&steps[index - 1]).is_none();
                    let group: Vec<_> = steps[index..].iter().map_while(together).collect();
                    if is_first { request::perform_together(&group, &client, variables) } else { Ok(()) }
                }
                Step::Request(one) => request::perform(one, &client, variables),
                Step::Action(one) => match self.direct(&one.words, &mut partner) {
                    Ok(true) => self.client(&partner).map(|chosen| client = chosen),
                    Ok(false) => action::perform(one, self.worker.broker(), variables),
                    Err(err) => Err(err.context(format!("@ {}", one.words.join(" ")))),
                },
            };
            outcome.with_context(|| format!("step {}", index + 1))?;
        }
        Ok(())
    }

    /// Performs what concerns workers; false when the action is another.
    fn direct(&mut self, words: &[String], partner: &mut Partner) -> anyhow::Result<bool> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["first"] => partner.is_second = false,
            ["second", ref how @ ..] => {
                partner.is_second = true;
                self.join(how.is_empty())?;
            }
            ["listener", name] => name.clone_into(&mut partner.listener),
            ["as", who] => partner.identity = Identity::named(who)?,
            ["stop"] => self.chosen(partner)?.process().stop()?,
            ["kill"] => self.chosen(partner)?.process().kill(),
            ["start", ref how @ ..] => {
                let worker = self.chosen(partner)?;
                worker.start_again()?;
                if how.is_empty() {
                    worker.wait_until_ready()?;
                }
            }
            ["freeze"] => self.chosen(partner)?.process().signal("STOP")?,
            ["thaw"] => self.chosen(partner)?.process().signal("CONT")?,
            ["freeze", "broker"] => self.worker.broker().freeze()?,
            ["thaw", "broker"] => self.worker.broker().thaw()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The other worker joins, unless it runs.
    fn join(&mut self, must_be_ready: bool) -> anyhow::Result<()> {
        if self.second.is_none() {
            let mut worker = self.worker.another()?;
            worker.start_again()?;
            if must_be_ready {
                worker.wait_until_ready().context("starting the second worker")?;
            }
            self.second = Some(worker);
        }
        Ok(())
    }

    fn chosen(&mut self, partner: &Partner) -> anyhow::Result<&mut Worker> {
        if partner.is_second {
            self.second.as_mut().context("there is no second worker")
        } else {
            Ok(self.worker)
        }
    }

    fn client(&mut self, partner: &Partner) -> anyhow::Result<RestClient> {
        self.chosen(partner)?.client(&partner.listener, partner.identity)
    }

    /// Whatever a case that failed left frozen or stopped goes on.
    fn recover(&mut self) -> anyhow::Result<()> {
        self.worker.broker().thaw()?;
        for worker in [Some(&mut *self.worker), self.second.as_mut()].into_iter().flatten() {
            worker.start_again()?;
            worker.process().signal("CONT")?;
            worker.wait_until_ready()?;
        }
        Ok(())
    }

    fn connectors(&self) -> anyhow::Result<Vec<String>> {
        let answer = self.worker.ask("GET", "/connectors")?;
        if self.worker.is_closed_to_us(&answer) {
            return Ok(Vec::new());
        }
        ensure!(answer.status == 200, "GET /connectors answered {}: {}", answer.status, answer.text);
        Ok(serde_json::from_str(&answer.text)?)
    }

    /// Deletes the connectors that a case left.
    fn tidy_up(&self) -> anyhow::Result<()> {
        for name in self.connectors()?.iter().filter(|name| !self.kept.contains(name)) {
            let path = format!("/connectors/{}", encoded(name));
            let deadline = Instant::now() + PATIENCE;
            let mut answer = self.worker.ask("DELETE", &path)?;
            while is_rebalancing(&answer) && Instant::now() < deadline {
                answer = self.worker.ask("DELETE", &path)?;
            }
            if !matches!(answer.status, 204 | 404) {
                bail!("DELETE {path}: {}", answer.text);
            }
        }
        Ok(())
    }
}

/// The request of a step that is sent together with its neighbours.
fn together(step: &Step) -> Option<&Request> {
    match step {
        Step::Request(request) if request.manner == Manner::Together => Some(request),
        _ => None,
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
