//! versitygw: an S3 server over a folder, which checks signatures.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use object_store::aws::{AmazonS3, AmazonS3Builder};

use crate::child::{Child, RunFolder};
use crate::install;
use crate::objects::Objects;
use crate::wait::ready;

const START_PATIENCE: Duration = Duration::from_secs(30);

/// Region every request is signed for.
pub const REGION: &str = "us-east-1";
/// Access key of the tests' store.
pub const ACCESS_KEY: &str = "lakeward-test";
/// Secret of that key; it opens nothing but a child process of a test.
pub const SECRET_KEY: &str = "lakeward-test-secret";

/// A running S3 server; it ends with this value, or with the test process when shared.
#[derive(Debug)]
pub struct Versitygw {
    port: u16,
    folder: RunFolder,
    child: Child,
}

impl Versitygw {
    /// Starts a server on a free port with no bucket.
    pub fn start() -> anyhow::Result<Self> {
        let folder = RunFolder::new("store")?;
        let port = folder.free_port()?;
        for name in ["buckets", "metadata"] {
            fs::create_dir(folder.file(name)).context("creating the store's folders")?;
        }
        let mut command = Command::new(install::versitygw()?);
        command
            .env("ROOT_ACCESS_KEY", ACCESS_KEY)
            .env("ROOT_SECRET_KEY", SECRET_KEY)
            .args(["--region", REGION, "--port", &format!("127.0.0.1:{port}"), "posix"])
            // Metadata beside the data: not every file system has extended attributes.
            .arg("--sidecar")
            .arg(folder.file("metadata"))
            .arg(folder.file("buckets"));
        let mut child = Child::start("versitygw", &command, &folder)?;
        ready("the S3 server", START_PATIENCE, || {
            child.assert_running()?;
            Ok(TcpStream::connect(("127.0.0.1", port)).ok())
        })?;
        Ok(Self { port, folder, child })
    }

    /// The server that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Versitygw> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("versitygw starts"))
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stops the process without ending it, as a store that hangs would; [`Versitygw::thaw`] undoes it.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.child.signal("STOP")
    }

    /// Lets a frozen server run on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.child.signal("CONT")
    }

    /// Creates a bucket with a name no other test uses. The server takes every folder for a bucket.
    pub fn create_bucket(&self, stem: &str) -> anyhow::Result<Objects> {
        let name = crate::unique(stem);
        fs::create_dir(self.folder.file("buckets").join(&name)).context("creating a bucket")?;
        Objects::new(self.client(&name)?, name)
    }

    /// How many multipart uploads of `bucket` were begun and neither completed nor given up: the server keeps
    /// a folder of each.
    pub fn unfinished_uploads(&self, bucket: &str) -> anyhow::Result<usize> {
        let folder = self.folder.file("buckets").join(bucket).join(".sgwtmp/multipart");
        if !folder.exists() {
            return Ok(0);
        }
        let mut count = 0;
        for name in fs::read_dir(folder)? {
            count += fs::read_dir(name?.path())?.count();
        }
        Ok(count)
    }

    fn client(&self, bucket: &str) -> anyhow::Result<AmazonS3> {
        AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_allow_http(true)
            .with_region(REGION)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .with_bucket_name(bucket)
            .build()
            .context("creating the S3 client")
    }
}
