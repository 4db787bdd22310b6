//! A worker as a process that can end and start again with the same files and ports.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use lakeward_testkit::child::{Child, RunFolder};
use lakeward_testkit::{install, java};

use super::launch::Mode;
use super::target::Target;

/// An orderly end: tasks stop, the group is left.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// Started or not.
#[derive(Debug)]
pub struct Process {
    command: Command,
    child: Option<Child>,
    folder: RunFolder,
}

impl Process {
    /// Writes the worker file; nothing is started.
    ///
    /// # Errors
    /// A component is not installed.
    pub fn new(
        target: Target,
        mode: Mode,
        folder: RunFolder,
        (properties, options): (&str, &str),
    ) -> anyhow::Result<Self> {
        let file = folder.file("worker.properties");
        fs::write(&file, properties).context("writing worker.properties")?;
        let mut command = match (target, mode) {
            (Target::Java, Mode::Distributed) => java_worker("ConnectDistributed", &folder)?,
            (Target::Java, Mode::Standalone) => java_worker("ConnectStandalone", &folder)?,
            (Target::Lakeward, Mode::Distributed) => our_worker("connect-distributed")?,
            (Target::Lakeward, Mode::Standalone) => our_worker("connect-standalone")?,
        };
        command.arg(&file);
        if !options.is_empty() {
            // The JVM reads the first; whoever starts a worker by Kafka's scripts uses the second.
            command.env("JDK_JAVA_OPTIONS", options).env("KAFKA_OPTS", options);
        }
        Ok(Self { command, child: None, folder })
    }

    /// Starts it; does nothing when it runs.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        if self.child.is_none() {
            self.child = Some(Child::start("worker", &self.command, &self.folder)?);
        }
        Ok(())
    }

    /// Fails with the end of the log when it does not run.
    ///
    /// # Errors
    /// It ended, or was never started.
    pub fn assert_running(&mut self) -> anyhow::Result<()> {
        self.running()?.assert_running()
    }

    /// Ends it as an operator does and waits for its end.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let child = self.running()?;
        child.signal("TERM")?;
        child.wait(END_PATIENCE)?;
        self.child = None;
        Ok(())
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.child = None;
    }

    /// Sends a signal by name.
    ///
    /// # Errors
    /// It does not run.
    pub fn signal(&mut self, name: &str) -> anyhow::Result<()> {
        self.running()?.signal(name)
    }

    fn running(&mut self) -> anyhow::Result<&mut Child> {
        self.child.as_mut().context("the worker does not run")
    }
}

fn java_worker(class: &str, folder: &RunFolder) -> anyhow::Result<Command> {
    java::java(&format!("org.apache.kafka.connect.cli.{class}"), "connect.log", folder)
}

fn our_worker(mode: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(install::worker()?);
    command.arg(mode);
    Ok(command)
}
