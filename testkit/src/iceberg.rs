//! A REST catalog of Apache Iceberg: the handlers of Java's library, with metadata in memory. It asks nobody
//! who they are. Tables are made and read by pyiceberg, which shares no code with either side.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use crate::child::{Child, RunFolder};
use crate::install;
use crate::python;
use crate::rest::RestClient;
use crate::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use crate::wait::{free_port, ready};

/// The program is compiled when it starts.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// A running catalog; it ends with this value, or with the test process when shared.
#[derive(Debug)]
pub struct IcebergCatalog {
    rest: RestClient,
    // Both end with this value.
    _child: Child,
    _folder: RunFolder,
}

impl IcebergCatalog {
    /// Starts a catalog on a free port with no table.
    pub fn start() -> anyhow::Result<Self> {
        let folder = RunFolder::new("iceberg")?;
        let port = free_port()?;
        let mut command = Command::new("java");
        command
            .args(["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(install::iceberg_class_path()?)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("java/IcebergCatalog.java"))
            .args([&port.to_string(), "s3://nowhere"]);
        let mut child = Child::start("iceberg-catalog", &command, &folder)?;
        let rest = RestClient::new(port);
        ready("the Iceberg catalog", START_PATIENCE, || {
            child.assert_running()?;
            Ok(rest.get("/v1/config").ok().filter(|answer| answer.status == 200).map(|_| ()))
        })?;
        Ok(Self { rest, _child: child, _folder: folder })
    }

    /// The catalog that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<IcebergCatalog> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("the catalog starts"))
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.rest.authority())
    }

    /// Runs a Python script: `catalog` and `json` are there, `args` are the arguments, and `answer(value)`
    /// prints what is returned.
    pub fn python(&self, script: &str, args: &[&str]) -> anyhow::Result<Value> {
        let script = format!("{PREAMBLE}{script}");
        let store = Versitygw::shared().endpoint();
        let mut arguments = vec![self.endpoint(), store, ACCESS_KEY.to_owned(), SECRET_KEY.to_owned()];
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
