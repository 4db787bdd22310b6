//! The two kinds of worker, started from the same files.

use std::str::FromStr;

use anyhow::bail;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties};

use super::script::Mode;
use super::variables::Variables;

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

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    properties: Properties,
}

#[derive(Debug)]
enum Process {
    Java(JavaConnect),
    Lakeward(LakewardWorker),
}

impl Worker {
    /// Starts a worker with a cluster of its own, with `settings` beside the usual ones.
    ///
    /// # Errors
    /// The worker did not become ready; its log is part of the error.
    pub fn start(target: Target, mode: Mode, settings: &[(String, String)]) -> anyhow::Result<Self> {
        let broker = KafkaBroker::shared();
        let mut properties = match mode {
            Mode::Distributed => distributed_properties(broker),
            Mode::Standalone => standalone_properties(broker),
        };
        properties.extend(settings.iter().cloned());
        Self::start_with(target, mode, properties)
    }

    /// A further worker of the same cluster.
    ///
    /// # Errors
    /// The worker did not become ready.
    pub fn another(&self) -> anyhow::Result<Self> {
        let target = match self.process {
            Process::Java(_) => Target::Java,
            Process::Lakeward(_) => Target::Lakeward,
        };
        Self::start_with(target, Mode::Distributed, self.properties.clone())
    }

    fn start_with(target: Target, mode: Mode, properties: Properties) -> anyhow::Result<Self> {
        let process = match (target, mode) {
            (Target::Java, Mode::Distributed) => Process::Java(JavaConnect::start(&properties)?),
            (Target::Java, Mode::Standalone) => Process::Java(JavaConnect::start_standalone(&properties)?),
            (Target::Lakeward, Mode::Distributed) => {
                Process::Lakeward(LakewardWorker::start_distributed(&properties)?)
            }
            (Target::Lakeward, Mode::Standalone) => {
                Process::Lakeward(LakewardWorker::start_standalone(&properties, &[])?)
            }
        };
        Ok(Self { process, properties })
    }

    /// Its REST interface.
    pub fn rest(&self) -> &RestClient {
        match &self.process {
            Process::Java(worker) => &worker.rest,
            Process::Lakeward(worker) => &worker.rest,
        }
    }

    /// What case files call the worker's own values.
    pub fn variables(&self) -> Variables {
        let mut variables = Variables::default();
        variables.set("authority", self.rest().authority());
        for (name, property) in [
            ("bootstrap", "bootstrap.servers"),
            ("config_topic", "config.storage.topic"),
            ("group", "group.id"),
            ("offset_topic", "offset.storage.topic"),
            ("status_topic", "status.storage.topic"),
        ] {
            let value = self.properties.iter().rfind(|(known, _)| known == property);
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
