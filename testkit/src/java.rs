//! Java programs from the jars of Apache Kafka: command lines, logging, and Kafka Connect itself.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::child::{Child, RunFolder};
use crate::install;
use crate::rest::RestClient;
use crate::wait::ready;

/// Kafka Connect loads its plugins by scanning the class path, which takes most of this.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// A command that runs the class `main` of Apache Kafka and logs to `<log>` in `folder`.
pub fn java(main: &str, log: &str, folder: &RunFolder) -> anyhow::Result<Command> {
    let settings = folder.file(&format!("{log}.log4j2.properties"));
    let target = folder.file(log);
    let text = format!(
        "status=error\n\
         appender.file.type=File\n\
         appender.file.name=FILE\n\
         appender.file.fileName={}\n\
         appender.file.layout.type=PatternLayout\n\
         appender.file.layout.pattern=%d %p %c %m%n\n\
         rootLogger.level=INFO\n\
         rootLogger.appenderRefs=file\n\
         rootLogger.appenderRef.file.ref=FILE\n",
        target.display()
    );
    fs::write(&settings, text).context("writing the logging settings")?;
    let mut command = Command::new("java");
    // Tests start and stop often: the first compiler tier and the serial collector start fastest on few
    // cores.
    command.args(["-Xms128m", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]);
    command.arg(install::kafka_class_path()?);
    command.arg(format!("-Dlog4j2.configurationFile={}", settings.display())).arg(main);
    Ok(command)
}

/// A worker of Kafka Connect.
#[derive(Debug)]
pub struct JavaConnect {
    /// Its REST interface.
    pub rest: RestClient,
    child: Child,
    _folder: RunFolder,
}

impl JavaConnect {
    /// Starts a worker with `properties` (all but the listener) and waits until it is ready for requests.
    pub fn start(properties: &[(String, String)]) -> anyhow::Result<Self> {
        Self::start_class("org.apache.kafka.connect.cli.ConnectDistributed", properties)
    }

    /// The same in standalone mode, without connector files.
    pub fn start_standalone(properties: &[(String, String)]) -> anyhow::Result<Self> {
        Self::start_class("org.apache.kafka.connect.cli.ConnectStandalone", properties)
    }

    fn start_class(main: &str, properties: &[(String, String)]) -> anyhow::Result<Self> {
        let folder = RunFolder::new("java-connect")?;
        let port = folder.free_port()?;
        let file = folder.file("worker.properties");
        let mut text: String = properties.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        text.push_str(&format!("listeners=http://127.0.0.1:{port}\n"));
        fs::write(&file, text).context("writing worker.properties")?;
        let mut command = java(main, "connect.log", &folder)?;
        let child = Child::start("connect", command.arg(&file), &folder)?;
        let mut child = child.logs_to(folder.file("connect.log"));
        let rest = RestClient::new(port);
        ready("Kafka Connect", START_PATIENCE, || {
            child.assert_running()?;
            Ok(rest.get("/health").ok().filter(|answer| answer.status == 200).map(|_| ()))
        })?;
        Ok(Self { rest, child, _folder: folder })
    }

    /// SIGKILL, as a crash.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Stops it as an operator would (SIGTERM) and waits for its end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.child.signal("TERM")?;
        self.child.wait(Duration::from_secs(60))?;
        Ok(())
    }
}
