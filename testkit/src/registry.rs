//! The binary's own development schema registry as a child process: Confluent's cannot be installed from a
//! package registry.

use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::child::{Child, RunFolder};
use crate::install;
use crate::rest::RestClient;
use crate::wait::ready;

const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running registry; it ends with this value.
#[derive(Debug)]
pub struct SchemaRegistry {
    /// Its REST interface.
    pub rest: RestClient,
    child: Child,
    // Removed after the child has ended.
    _folder: RunFolder,
}

impl SchemaRegistry {
    /// Starts an empty registry on a free port.
    pub fn start() -> anyhow::Result<Self> {
        let folder = RunFolder::new("registry")?;
        let port = folder.free_port()?;
        let mut command = Command::new(install::worker()?);
        command.args(["dev", "registry", "--port", &port.to_string()]);
        let mut child = Child::start("registry", &command, &folder)?;
        let rest = RestClient::new(port);
        ready("the schema registry", START_PATIENCE, || {
            child.assert_running()?;
            Ok(rest.get("/subjects").ok().filter(|answer| answer.status == 200).map(|_| ()))
        })?;
        Ok(Self { rest, child, _folder: folder })
    }

    /// `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.rest.authority())
    }

    /// Registers an Avro schema and returns its id.
    pub fn register_avro(&self, subject: &str, schema: &Value) -> anyhow::Result<u32> {
        self.register(subject, &json!({"schema": schema.to_string()}))
    }

    /// Registers what `request` holds (`schema`, `schemaType`, `references`) and returns its id.
    pub fn register(&self, subject: &str, request: &Value) -> anyhow::Result<u32> {
        let answer = self.rest.post(&format!("/subjects/{subject}/versions"), request)?;
        let id = answer.expect_status(200).json()["id"].as_u64().context("the answer has no id")?;
        u32::try_from(id).context("the id is a number of 32 bits")
    }

    /// Stops the process without ending it, as a registry that hangs would.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.child.signal("STOP")
    }

    /// Lets a frozen registry run on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.child.signal("CONT")
    }
}

/// A payload in the registry's framing: a zero byte, the schema id, the data.
pub fn framed(id: u32, data: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], data].concat()
}
