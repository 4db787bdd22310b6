//! The processes of a demo: broker, S3 server and worker, each this binary once more.
//!
//! Owns: starting and ending them. Must not: let one outlive the demo. Every child ends when its standard
//! input ends, which the kernel sees to even if the demo is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::rest::Rest;

const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const READY_PAUSE: Duration = Duration::from_millis(2);
/// Lines of a log that an error message shows.
const LOG_TAIL_LINES: usize = 15;

/// A development server that answers.
pub(super) struct Server {
    /// `host:port`.
    pub(super) address: String,
    _child: Child,
}

impl Server {
    /// Starts `lakeward dev <arguments> --child` with its log in `log`, and waits for its address.
    pub(super) async fn start(arguments: &[&str], log: &Path) -> Result<Self> {
        let mut all = vec!["dev"];
        all.extend(arguments);
        all.push("--child");
        let (child, line) = spawn(&all, log, Dropped::Kill).await?;
        let address = line["address"].as_str().context("the server gave no address")?.to_owned();
        Ok(Self { address, _child: child })
    }
}

/// A worker process that answers REST requests.
pub(super) struct Worker {
    /// Its process id.
    pub(super) pid: u32,
    /// From starting the process to its first REST answer.
    pub(super) ready_ms: f64,
    /// Its REST API.
    pub(super) rest: Rest,
    guard: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts `lakeward connect-distributed <properties>` and waits for its REST API on `rest_port`.
    pub(super) async fn start(properties: &Path, rest_port: u16, log: &Path) -> Result<Self> {
        let path = properties.to_str().context("the demo directory has a name that is not UTF-8")?;
        let started = Instant::now();
        let arguments = ["dev", "guard", "--", "connect-distributed", path];
        let (guard, line) = spawn(&arguments, log, Dropped::CloseInput).await?;
        let pid = line["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        let pid = pid.context("the worker has no process id")?;
        let rest = Rest::new(rest_port);
        let mut worker = Self { pid, ready_ms: 0.0, rest, guard, log: log.to_owned() };
        while !(worker.listens() && worker.rest.answers().await) {
            worker.check_alive()?;
            if started.elapsed() > START_TIMEOUT {
                bail!(
                    "the worker does not answer on port {rest_port}; its log ends with:\n{}",
                    worker.log_tail()
                );
            }
            tokio::time::sleep(READY_PAUSE).await;
        }
        worker.ready_ms = started.elapsed().as_secs_f64() * 1000.0;
        Ok(worker)
    }

    /// True once this worker has its port: before, another process may answer there.
    fn listens(&self) -> bool {
        std::fs::read_to_string(&self.log).is_ok_and(|log| log.contains("REST listens"))
    }

    /// Fails with the end of its log when the worker is gone.
    pub(super) fn check_alive(&mut self) -> Result<()> {
        match self.guard.try_wait()? {
            None => Ok(()),
            Some(_) => bail!("the worker ended; its log ends with:\n{}", self.log_tail()),
        }
    }

    /// Asks the worker to drain (SIGTERM) and waits until it is gone.
    pub(super) async fn stop(mut self) -> Result<()> {
        // Waiting would close the input, and with it the guard would kill the worker before it has drained.
        let _input = self.guard.stdin.take();
        // The shell's own kill: sending a signal from here would need unsafe code.
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.pid)]).status().await?;
        anyhow::ensure!(sent.success(), "the worker could not be told to stop");
        match timeout(STOP_TIMEOUT, self.guard.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(_) => bail!("the worker did not stop cleanly; its log ends with:\n{}", self.log_tail()),
            Err(_) => bail!("the worker did not stop within {} s of SIGTERM", STOP_TIMEOUT.as_secs()),
        }
    }

    fn log_tail(&self) -> String {
        let text = match std::fs::read(&self.log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(err) => return format!("(the log cannot be read: {err})"),
        };
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

/// The servers' own libraries write several lines per request at INFO, which costs more than the requests.
fn quiet(dropped: Dropped) -> Option<(&'static str, &'static str)> {
    (dropped == Dropped::Kill).then_some((crate::logging::LEVEL_VARIABLE, "error"))
}

/// What becomes of a child whose handle is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dropped {
    /// Its standard input ends: a guard must live to end its own child.
    CloseInput,
    /// It is killed.
    Kill,
}

/// Starts this binary with `arguments` and waits for the JSON line it prints when it is ready.
async fn spawn(arguments: &[&str], log: &Path, dropped: Dropped) -> Result<(Child, Value)> {
    let what = arguments.join(" ");
    let log_file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut child = Command::new(std::env::current_exe().context("this program cannot find itself")?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log_file)
        .envs(quiet(dropped))
        .kill_on_drop(dropped == Dropped::Kill)
        .spawn()
        .with_context(|| format!("lakeward {what} cannot be started"))?;
    let out = child.stdout.take().context("standard output was asked for")?;
    let mut lines = BufReader::new(out).lines();
    let line = timeout(START_TIMEOUT, lines.next_line()).await;
    let line = line.with_context(|| format!("lakeward {what} did not become ready"))??;
    let line = line.with_context(|| format!("lakeward {what} ended; see {}", log.display()))?;
    let value =
        serde_json::from_str(&line).with_context(|| format!("lakeward {what} printed no JSON line"))?;
    Ok((child, value))
}
