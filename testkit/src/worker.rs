//! Our worker as a child process: started from Java-style property files, judged through REST, signals and
//! exit codes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::broker::KafkaBroker;
use crate::child::{Child, RunFolder};
use crate::install;
use crate::rest::RestClient;
use crate::wait::{ready, wait_for};

const START_PATIENCE: Duration = Duration::from_secs(60);
const STATE_PATIENCE: Duration = Duration::from_secs(60);

/// Properties by name, in file order; a later entry of the same name wins.
pub type Properties = Vec<(String, String)>;

/// A worker process.
#[derive(Debug)]
pub struct LakewardWorker {
    /// Its REST interface.
    pub rest: RestClient,
    child: Child,
    folder: RunFolder,
    program: Program,
    arguments: Vec<String>,
}

/// The binary of a worker and what its environment says.
#[derive(Clone, Debug)]
struct Program {
    path: PathBuf,
    environment: Vec<(String, String)>,
}

/// `lakeward.memory.limit` of workers whose memory is judged.
pub const MEMORY_LIMIT_BYTES: u64 = 256 << 20;
/// What a process may have beside its limit: decision 0010.
pub const BESIDE_LIMIT_BYTES: u64 = 64 << 20;

/// A `worker.properties` of a cluster of its own on `broker`: unique group and internal topics, no listener.
/// The offset commit interval is short, as tests wait for commits.
pub fn distributed_properties(broker: &KafkaBroker) -> Properties {
    let group = crate::unique("connect");
    let mut properties = vec![
        ("bootstrap.servers".to_owned(), broker.bootstrap().to_owned()),
        ("config.storage.topic".to_owned(), format!("{group}-configs")),
        ("offset.storage.topic".to_owned(), format!("{group}-offsets")),
        ("status.storage.topic".to_owned(), format!("{group}-status")),
        ("group.id".to_owned(), group),
    ];
    for (name, value) in [
        ("config.storage.replication.factor", "1"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("offset.flush.interval.ms", "1000"),
        ("offset.storage.partitions", "1"),
        ("offset.storage.replication.factor", "1"),
        ("status.storage.partitions", "1"),
        ("status.storage.replication.factor", "1"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
    ] {
        properties.push((name.to_owned(), value.to_owned()));
    }
    properties
}

impl Program {
    fn plain() -> anyhow::Result<Self> {
        Ok(Self { path: install::worker()?, environment: Vec::new() })
    }

    fn with(mut self, environment: &[(&str, &str)]) -> Self {
        let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.environment.extend(owned);
        self
    }

    fn start(&self, arguments: &[String], folder: &RunFolder) -> anyhow::Result<Child> {
        let mut command = Command::new(&self.path);
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        Child::start("lakeward", &command, folder)
    }
}

/// The value of `name`.
///
/// # Panics
/// When it is not there.
pub fn property<'a>(properties: &'a Properties, name: &str) -> &'a str {
    let found = properties.iter().rev().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("no property {name}")).1
}

impl LakewardWorker {
    /// Starts `connect-distributed` with `properties` on a free port and waits until it is ready for
    /// requests.
    pub fn start_distributed(properties: &Properties) -> anyhow::Result<Self> {
        let mut worker = Self::spawn(Program::plain()?, "connect-distributed", properties, &[])?;
        worker.wait_until_ready()?;
        Ok(worker)
    }

    /// Starts the build with failpoints, as `connect-distributed` on a free port, with these environment
    /// variables. Does not wait: it may end before it is ready.
    pub fn spawn_with_failpoints(
        properties: &Properties,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let program = Program { path: install::worker_with_failpoints()?, environment: Vec::new() };
        let program = program.with(environment);
        Self::spawn(program, "connect-distributed", properties, &[])
    }

    /// Starts `connect-standalone` with `properties` and connector files (name and content).
    pub fn start_standalone(properties: &Properties, connectors: &[(&str, String)]) -> anyhow::Result<Self> {
        let mut worker = Self::spawn(Program::plain()?, "connect-standalone", properties, connectors)?;
        worker.wait_until_ready()?;
        Ok(worker)
    }

    /// Starts a worker that is expected to end by itself, and returns its exit status and what it printed.
    pub fn run_to_end(properties: &Properties, patience: Duration) -> anyhow::Result<(ExitStatus, String)> {
        let mut worker = Self::spawn(Program::plain()?, "connect-distributed", properties, &[])?;
        let status = worker.child.wait(patience)?;
        Ok((status, worker.child.log()))
    }

    fn spawn(
        program: Program,
        mode: &str,
        properties: &Properties,
        connectors: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let folder = RunFolder::new("worker")?;
        let port = folder.free_port()?;
        let mut text: String = properties.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        text.push_str(&format!("listeners=http://127.0.0.1:{port}\n"));
        let file = folder.file("worker.properties");
        fs::write(&file, text).context("writing worker.properties")?;
        let mut arguments = vec![mode.to_owned(), file.display().to_string()];
        for (name, content) in connectors {
            let file: PathBuf = folder.file(name);
            fs::write(&file, content).context("writing a connector file")?;
            arguments.push(file.display().to_string());
        }
        let child = program.start(&arguments, &folder)?;
        Ok(Self { rest: RestClient::new(port), child, folder, program, arguments })
    }

    /// Waits until it answers that it is ready for requests.
    pub fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let (child, rest) = (&mut self.child, &self.rest);
        ready("the worker", START_PATIENCE, || {
            child.assert_running()?;
            Ok(rest.get("/health").ok().filter(|answer| answer.status == 200).map(|_| ()))
        })
        .with_context(|| format!("the worker's log ends with:\n{}", self.child.log_tail()))
    }

    /// Starts the same worker again (same files, same port) after it ended or was killed.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.child.ended()?.is_none() {
            bail!("the worker still runs");
        }
        self.start_over()?;
        self.wait_until_ready()
    }

    /// Kills it if it still runs and starts it again with other environment variables. Does not wait: it may
    /// end before it is ready.
    pub fn respawn(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<()> {
        self.program.environment.clear();
        self.program = self.program.clone().with(environment);
        self.start_over()
    }

    fn start_over(&mut self) -> anyhow::Result<()> {
        // Forgets the old process before the new one writes its pid file.
        self.child.kill();
        self.child = self.program.start(&self.arguments, &self.folder)?;
        Ok(())
    }

    /// The exit status if it has ended.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.ended()
    }

    /// Waits for its end.
    pub fn wait_for_end(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        self.child.wait(patience)
    }

    /// Stops the process without ending it, as a machine that hangs; [`LakewardWorker::thaw`] undoes it.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.child.signal("STOP")
    }

    /// Lets a frozen worker run on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.child.signal("CONT")
    }

    /// SIGKILL, as a crash.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// SIGTERM and the exit status that follows.
    pub fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.signal("TERM")?;
        self.child.wait(Duration::from_secs(60))
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        self.child.log()
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it ever held (`VmHWM`), in bytes.
    pub fn peak_memory_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("VmHWM is not a number")?;
        Ok(kib * 1024)
    }

    /// Creates a connector and returns the answer's body.
    ///
    /// # Panics
    /// When the answer is not 201.
    pub fn create(&self, name: &str, config: &Value) -> Value {
        let body = serde_json::json!({"name": name, "config": config});
        self.rest.post("/connectors", &body).expect("the worker answers").expect_status(201).json()
    }

    /// Waits until the connector and exactly `tasks` tasks are in `state`, and returns the status.
    pub fn wait_for_state(&self, name: &str, state: &str, tasks: usize) -> Value {
        self.wait_for_status(name, &format!("{tasks} tasks {state}"), |status| {
            let found = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
            let tasks_fit = found.len() == tasks && found.iter().all(|task| task["state"] == state);
            tasks_fit && status["connector"]["state"] == state
        })
    }

    /// Waits until task 0 is FAILED and returns its trace.
    pub fn wait_for_failure(&self, name: &str) -> String {
        let status =
            self.wait_for_status(name, "task 0 FAILED", |status| status["tasks"][0]["state"] == "FAILED");
        status["tasks"][0]["trace"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the status of a connector satisfies `fits`, and returns it.
    pub fn wait_for_status(&self, name: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/connectors/{name}/status");
        wait_for(&format!("{name}: {what}"), STATE_PATIENCE, || {
            let answer = self.rest.get(&path).map_err(|err| format!("{err:#}"))?;
            let status = answer.json();
            if answer.status == 200 && fits(&status) { Ok(status) } else { Err(answer.text) }
        })
    }
}
