//! Azurite: a server of Azure Blob Storage in memory, which checks signatures.

use std::net::TcpStream;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, ensure};
use object_store::ClientOptions;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{HttpConnector as _, HttpRequest, ReqwestConnector};

use crate::child::{Child, RunFolder};
use crate::objects::Objects;
use crate::wait::ready;
use crate::{block_on, install};

const START_PATIENCE: Duration = Duration::from_secs(60);

/// The account of the tests.
pub const ACCOUNT: &str = "lakewardtest";
/// Key of that account; it opens nothing but a child process of a test.
pub const ACCOUNT_KEY: &str = "bGFrZXdhcmQtdGVzdC1rZXktb2YtYS1jaGlsZC1wcm9jZXNz";

/// A running server; it ends with this value, or with the test process when shared.
#[derive(Debug)]
pub struct Azurite {
    port: u16,
    // Both end with this value.
    _child: Child,
    _folder: RunFolder,
}

impl Azurite {
    /// Starts a server on a free port with no container.
    pub fn start() -> anyhow::Result<Self> {
        let folder = RunFolder::new("azurite")?;
        let port = folder.free_port()?;
        let mut command = Command::new("node");
        command
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{ACCOUNT_KEY}"))
            .arg(install::azurite()?)
            .args(["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"])
            .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        let mut child = Child::start("azurite", &command, &folder)?;
        ready("the Azure server", START_PATIENCE, || {
            child.assert_running()?;
            Ok(TcpStream::connect(("127.0.0.1", port)).ok())
        })?;
        Ok(Self { port, _child: child, _folder: folder })
    }

    /// The server that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("azurite starts"))
    }

    /// The address of the account, `http://host:port/account`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.port)
    }

    /// Creates a container with a name no other test uses.
    pub fn create_container(&self, stem: &str) -> anyhow::Result<Objects> {
        let name = crate::unique(stem);
        let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(ACCOUNT_KEY)?);
        let mut request = HttpRequest::new(String::new().into());
        *request.method_mut() = "PUT".parse()?;
        *request.uri_mut() = format!("{}/{name}?restype=container", self.endpoint()).parse()?;
        request.headers_mut().insert("content-length", 0.into());
        AzureAuthorizer::new(&credential, ACCOUNT).try_authorize(&mut request)?;
        let status = block_on(async {
            let client = ReqwestConnector::default().connect(&plain())?;
            anyhow::Ok(client.execute(request).await?.status())
        })?;
        ensure!(status.as_u16() == 201, "the container was not created: {status}");
        self.container(name)
    }

    /// A container that may not be there yet.
    pub fn container(&self, name: String) -> anyhow::Result<Objects> {
        let client = MicrosoftAzureBuilder::new()
            .with_account(ACCOUNT)
            .with_access_key(ACCOUNT_KEY)
            .with_endpoint(self.endpoint())
            .with_container_name(&name)
            .with_client_options(plain())
            .build()
            .context("creating the Azure client")?;
        Objects::new(client, name)
    }
}

fn plain() -> ClientOptions {
    ClientOptions::new().with_allow_http(true)
}
