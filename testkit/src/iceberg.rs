//! A REST catalog of Apache Iceberg: the handlers of Java's library, with metadata in memory or in a SQL
//! database. It asks who they are under one of its two addresses, and may lose answers to commits. Tables are
//! made and read by pyiceberg, which shares no code with either side.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use crate::child::{Child, RunFolder};
use crate::install;
use crate::python;
use crate::rest::RestClient;
use crate::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use crate::wait::ready;

/// The program is compiled when it starts.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// The name of the SQL catalog.
pub const SQL_CATALOG: &str = "test";

/// A running catalog; it ends with this value, or with the test process when shared.
#[derive(Debug)]
pub struct IcebergCatalog {
    rest: RestClient,
    // Both end with this value.
    _child: Child,
    _folder: RunFolder,
}

/// Commits whose answer is lost.
#[derive(Clone, Copy, Debug)]
pub enum LostAnswers {
    /// They take place.
    ToDone,
    /// They do not.
    ToUndone,
}

impl IcebergCatalog {
    /// Starts a catalog on a free port with no table. Tables without a location are in a bucket of its own of
    /// the shared store.
    pub fn start() -> anyhow::Result<Self> {
        let warehouse = Versitygw::shared().create_bucket("warehouse")?;
        Self::start_in(&format!("s3://{}", warehouse.bucket()))
    }

    /// The same with tables without a location below `warehouse`.
    pub fn start_in(warehouse: &str) -> anyhow::Result<Self> {
        Self::start_with(install::iceberg_class_path()?, "memory", &[format!("warehouse={warehouse}")])
    }

    /// Starts Java's SQL catalog [`SQL_CATALOG`] with these properties; metadata goes to the local file
    /// system.
    pub fn start_sql(properties: &[(String, String)]) -> anyhow::Result<Self> {
        let pairs: Vec<String> = properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self::start_with(install::jdbc_class_path()?, "sql", &pairs)
    }

    fn start_with(class_path: String, kind: &str, properties: &[String]) -> anyhow::Result<Self> {
        let folder = RunFolder::new("iceberg")?;
        let port = folder.free_port()?;
        let mut command = Command::new("java");
        command
            .args(["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(class_path)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("java/IcebergCatalog.java"))
            .args([&port.to_string(), kind])
            .args(properties);
        let mut child = Child::start("iceberg-catalog", &command, &folder)?;
        let rest = RestClient::new(port);
        ready("the Iceberg catalog", START_PATIENCE, || {
            child.assert_running()?;
            Ok(rest.get("/v1/config").ok().filter(|answer| answer.status == 200).map(|_| ()))
        })?;
        Ok(Self { rest, _child: child, _folder: folder })
    }

    /// The catalog that all tests of this process share. It ends with the process.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<IcebergCatalog>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Arc::new(Self::start().expect("the catalog starts"))))
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.rest.authority())
    }

    /// The next `count` commits of `table` get no answer. With a namespace and `.*`, that is so for requests
    /// that make tables there.
    pub fn lose_answers(&self, table: &str, lost: LostAnswers, count: u32) -> anyhow::Result<()> {
        let kind = match lost {
            LostAnswers::ToDone => "answered",
            LostAnswers::ToUndone => "refused",
        };
        self.rest.post_empty(&format!("/faults/{table}/{kind}/{count}"))?.expect_status(200);
        Ok(())
    }

    /// How many of them are still to come.
    pub fn answers_to_lose(&self, table: &str) -> anyhow::Result<u64> {
        let left = self.rest.get(&format!("/faults/{table}"))?.expect_status(200);
        left.json().as_u64().context("the catalog says a number")
    }

    /// The address under which the catalog wants tokens, of the client `us` with the secret `s3cr3t`.
    pub fn secured_endpoint(&self) -> String {
        format!("{}/secured", self.endpoint())
    }

    /// Tokens that were given.
    pub fn tokens_given(&self) -> anyhow::Result<u64> {
        let given = self.rest.get("/tokens")?.expect_status(200);
        given.json().as_u64().context("the catalog says a number")
    }

    /// Runs a Python script: `catalog` and `json` are there, `args` are the arguments, and `answer(value)`
    /// prints what is returned.
    pub fn python(&self, script: &str, args: &[&str]) -> anyhow::Result<Value> {
        self.python_with_store(&Versitygw::shared().endpoint(), script, args)
    }

    /// The same where tables are in the S3 server at `store`.
    pub fn python_with_store(&self, store: &str, script: &str, args: &[&str]) -> anyhow::Result<Value> {
        let script = format!("{PREAMBLE}{script}");
        let mut arguments =
            vec![self.endpoint(), store.to_owned(), ACCESS_KEY.to_owned(), SECRET_KEY.to_owned()];
        arguments.push(REGION.to_owned());
        arguments.extend(args.iter().map(|arg| (*arg).to_owned()));
        python::run(&script, &arguments)
    }
}

const PREAMBLE: &str = "
import json, sys, warnings
warnings.simplefilter('ignore')
from pyiceberg.catalog import load_catalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import *
from pyiceberg.types import *
uri, endpoint, access_key, secret_key, region, *args = sys.argv[1:]
catalog = load_catalog('test', **{
    'type': 'rest', 'uri': uri, 's3.endpoint': endpoint, 's3.access-key-id': access_key,
    's3.secret-access-key': secret_key, 's3.region': region,
    'py-io-impl': 'pyiceberg.io.pyarrow.PyArrowFileIO',
})
def answer(value):
    json.dump(value, sys.stdout, default=str)
";
