//! The two kinds of worker, started from the same files.

use std::collections::BTreeMap;
use std::fs;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::rest::{Answer, RestClient};
use lakeward_testkit::wait::ready;
use lakeward_testkit::worker::{Properties, distributed_properties};

use super::files;
use super::launch::{Launch, Mode};
use super::process::Process;
use super::tls::Identity;
use super::variables::Variables;

/// Java scans its class path for plugins, which takes most of this.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// The listener that every worker has.
pub const MAIN: &str = "port";
/// What settings call the ports of a worker.
const PORTS: [&str; 3] = [MAIN, "second_port", "admin_port"];

/// Which worker is under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Apache Kafka Connect: what the suite is proven with.
    Java,
    /// Our worker.
    Lakeward,
}

impl Target {
    /// As on the command line and in `only` lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Lakeward => "lakeward",
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "java" => Ok(Self::Java),
            "lakeward" => Ok(Self::Lakeward),
            unknown => bail!("no target is called {unknown}; there are java and lakeward"),
        }
    }
}

/// A worker and what it was started with.
#[derive(Debug)]
pub struct Worker {
    target: Target,
    launch: Launch,
    /// `None` stands for the shared broker.
    own_broker: Option<Arc<KafkaBroker>>,
    /// What all workers of the cluster have.
    cluster: Properties,
    settings: Properties,
    ports: BTreeMap<&'static str, u16>,
    process: Process,
}

impl Worker {
    /// Starts a worker with a cluster of its own and waits until it is ready.
    ///
    /// # Errors
    /// The worker did not become ready; its log is part of the error.
    pub fn start(target: Target, launch: &Launch) -> anyhow::Result<Self> {
        let own_broker = launch.has_own_broker.then(KafkaBroker::start).transpose()?.map(Arc::new);
        let broker = own_broker.as_deref().unwrap_or_else(|| KafkaBroker::shared());
        let cluster = match launch.mode {
            Mode::Distributed => distributed_properties(broker),
            Mode::Standalone => standalone_properties(broker),
        };
        let mut worker = Self::prepare(target, launch.clone(), own_broker, cluster)?;
        worker.start_again()?;
        worker.wait_until_ready()?;
        Ok(worker)
    }

    /// A further worker of the same cluster, not started.
    ///
    /// # Errors
    /// Its files cannot be written.
    pub fn another(&self) -> anyhow::Result<Self> {
        let (launch, broker) = (self.launch.clone(), self.own_broker.clone());
        Self::prepare(self.target, launch, broker, self.cluster.clone())
    }

    fn prepare(
        target: Target,
        launch: Launch,
        own_broker: Option<Arc<KafkaBroker>>,
        cluster: Properties,
    ) -> anyhow::Result<Self> {
        let folder = RunFolder::new("contract-worker")?;
        let mut variables = Variables::default();
        let mut ports = BTreeMap::new();
        for name in PORTS {
            let port = folder.free_port()?;
            ports.insert(name, port);
            variables.set(name, port.to_string());
        }
        variables.set("run", folder.path().display().to_string());
        variables.set("contract", files::folder()?.display().to_string());
        for (name, lines) in &launch.files {
            let text: String = lines.iter().map(|line| format!("{}\n", variables.expand(line))).collect();
            fs::write(folder.file(name), text).context("writing a file of the worker")?;
        }
        let mut settings = vec![("listeners".to_owned(), format!("http://127.0.0.1:{}", ports[MAIN]))];
        settings.extend(cluster.iter().cloned());
        let own = launch.settings.iter().map(|(name, value)| (name.clone(), variables.expand(value)));
        settings.extend(own);
        let text: String = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let options = launch.options.as_ref().map(|options| variables.expand(options)).unwrap_or_default();
        let process = Process::new(target, launch.mode, folder, (&text, &options))?;
        Ok(Self { target, launch, own_broker, cluster, settings, ports, process })
    }

    /// Its broker.
    pub fn broker(&self) -> &KafkaBroker {
        self.own_broker.as_deref().unwrap_or_else(|| KafkaBroker::shared())
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it when it does not run.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process.start()
    }

    /// Waits until it says that it is healthy.
    ///
    /// # Errors
    /// It ended, or took too long.
    pub fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = START_PATIENCE;
        ready("the worker", deadline, || {
            self.process.assert_running()?;
            let answer = self.ask("GET", "/health").ok();
            Ok(answer.filter(|answer| answer.status == 200 || self.is_closed_to_us(answer)).map(|_| ()))
        })
    }

    /// Whether the runner, which has no login, is refused as everybody is.
    pub fn is_closed_to_us(&self, answer: &Answer) -> bool {
        answer.status == 401 && self.launch.login.is_none()
    }

    /// A client of one of its listeners; encrypted when the listener is.
    ///
    /// # Errors
    /// There is no such listener, or no such certificate.
    pub fn client(&self, listener: &str, identity: Identity) -> anyhow::Result<RestClient> {
        let port = *self.ports.get(listener).with_context(|| format!("no listener is called {listener}"))?;
        let is_encrypted = self.settings.iter().rev().any(|(name, value)| {
            name.ends_with("listeners")
                && value
                    .split(',')
                    .any(|url| url.starts_with("https://") && url.ends_with(&format!(":{port}")))
        });
        if is_encrypted {
            let config = identity.config(&files::folder()?.join("tls"))?;
            return Ok(RestClient::encrypted(port, config));
        }
        Ok(RestClient::new(port))
    }

    /// A request of the runner itself: with its login and its certificate.
    ///
    /// # Errors
    /// There was no answer.
    pub fn ask(&self, method: &str, path: &str) -> anyhow::Result<Answer> {
        let login = self.login();
        let headers: Vec<(&str, &str)> =
            login.iter().map(|login| ("authorization", login.as_str())).collect();
        self.client(MAIN, Identity::Client)?.send(method, path, &headers, None)
    }

    /// The header of those who may ask.
    fn login(&self) -> Option<String> {
        self.launch.login.as_ref().map(|login| format!("Basic {}", STANDARD.encode(login)))
    }

    /// What case files call the worker's own values.
    pub fn variables(&self) -> Variables {
        let mut variables = Variables::default();
        for (name, port) in
            [("authority", MAIN), ("second_authority", PORTS[1]), ("admin_authority", PORTS[2])]
        {
            variables.set(name, format!("127.0.0.1:{}", self.ports[port]));
        }
        variables.set("login", self.login().unwrap_or_default());
        for (name, property) in [
            ("bootstrap", "bootstrap.servers"),
            ("config_topic", "config.storage.topic"),
            ("group", "group.id"),
            ("offset_topic", "offset.storage.topic"),
            ("status_topic", "status.storage.topic"),
        ] {
            let value = self.cluster.iter().rfind(|(known, _)| known == property);
            variables.set(name, value.map(|(_, value)| value.clone()).unwrap_or_default());
        }
        variables
    }
}

fn standalone_properties(broker: &KafkaBroker) -> Properties {
    [
        ("bootstrap.servers", broker.bootstrap()),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("offset.flush.interval.ms", "1000"),
        ("offset.storage.file.filename", "standalone.offsets"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
