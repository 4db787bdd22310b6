//! PostgreSQL: a server with TLS that asks for a password, and a proxy in front of it that loses answers.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::child::{Child, RunFolder};
use crate::iceberg::LostAnswers;
use crate::install;
use crate::wait::ready;
use crate::{block_on, runtime};

const START_PATIENCE: Duration = Duration::from_secs(60);

/// The owner of the server, who may do everything.
pub const USER: &str = "lakeward";
/// The owner's password; it opens nothing but a child process of a test.
pub const PASSWORD: &str = "lakeward-test-secret";

/// Whom the server runs as where root starts it, as it refuses to run as root: `nobody` on most systems.
const NOBODY: u32 = 65_534;

/// A running server with an empty database `postgres`.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    // These end with this value; the folder last.
    _child: Child,
    _folder: RunFolder,
    data: TempDir,
}

impl Postgres {
    /// Starts a server on a free port. Its files are where another user can reach them.
    pub fn start() -> anyhow::Result<Self> {
        let data = TempDir::with_prefix("lakeward-postgres-").context("making a folder")?;
        let folder = RunFolder::new("postgres")?;
        let port = folder.free_port()?;
        let programs = install::postgres()?;
        let place = |name: &str| data.path().join(name);
        for (name, text) in [("password", PASSWORD), ("server.crt", CERTIFICATE), ("server.key", KEY)] {
            fs::write(place(name), text).with_context(|| format!("writing {name}"))?;
            fs::set_permissions(place(name), PermissionsExt::from_mode(0o600))?;
            give_away(&place(name))?;
        }
        give_away(data.path())?;
        let mut init = as_nobody(&programs.join("initdb"));
        init.args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"]);
        init.arg("--no-sync").arg("--pwfile").arg(place("password")).arg("--pgdata").arg(place("data"));
        let output = init.current_dir(data.path()).output().context("starting initdb")?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let mut command = as_nobody(&programs.join("postgres"));
        command.arg("-D").arg(place("data")).current_dir(data.path());
        for setting in [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            "ssl=on",
            &format!("port={port}"),
            &format!("ssl_cert_file={}", place("server.crt").display()),
            &format!("ssl_key_file={}", place("server.key").display()),
            "unix_socket_directories=",
        ] {
            command.args(["-c", setting]);
        }
        let mut child = Child::start("postgres", &command, &folder)?;
        ready("PostgreSQL", START_PATIENCE, || {
            child.assert_running()?;
            Ok(child.log().contains("ready to accept connections").then_some(()))
        })?;
        Ok(Self { port, _child: child, _folder: folder, data })
    }

    /// `host:port`, where the host is named as in the certificate.
    pub fn authority(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The server's certificate, which signs itself.
    pub fn certificate(&self) -> PathBuf {
        self.data.path().join("server.crt")
    }
}

/// Where root starts it, as somebody else.
fn as_nobody(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let id = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    // Another user is no longer tied to the parent: it is said again.
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--pdeathsig", "KILL"]).arg(program);
    command
}

fn give_away(path: &Path) -> anyhow::Result<()> {
    if rustix::process::geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).with_context(|| format!("giving away {}", path.display()))?;
    }
    Ok(())
}

/// A proxy that loses answers to changes of a SQL catalog. It serves until the test process ends, and
/// understands no encrypted connections.
#[derive(Debug)]
pub struct PostgresProxy {
    port: u16,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    kind: Mutex<LostAnswers>,
    left: AtomicU32,
}

/// Commits and creations, as they are sent.
const CHANGES: [&[u8]; 2] = [b"UPDATE iceberg_tables", b"INSERT INTO iceberg_"];
/// How the server says that a statement is over.
const OVER: &[u8] = b"Z\0\0\0\x05";

impl PostgresProxy {
    /// Starts a proxy in front of `server`.
    pub fn start(server: &Postgres) -> anyhow::Result<Self> {
        let listener = block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).context("binding a port")?;
        let port = listener.local_addr()?.port();
        let faults = Arc::new(Faults { kind: Mutex::new(LostAnswers::ToDone), left: AtomicU32::new(0) });
        let (shared, target) = (Arc::clone(&faults), server.port);
        runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let faults = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A connection that breaks is what the client is to see.
                    pass(client, target, &faults).await.ok();
                });
            }
        });
        Ok(Self { port, faults })
    }

    /// `host:port`.
    pub fn authority(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The next `count` commits and creations get no answer.
    pub fn lose_answers(&self, lost: LostAnswers, count: u32) {
        *self.faults.kind.lock().unwrap_or_else(PoisonError::into_inner) = lost;
        self.faults.left.store(count, Ordering::Release);
    }

    /// How many of them are still to come.
    pub fn answers_to_lose(&self) -> u32 {
        self.faults.left.load(Ordering::Acquire)
    }
}

/// Passes on what client and server say until one of them ends, or a fault ends it.
async fn pass(mut client: TcpStream, target: u16, faults: &Faults) -> std::io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    let (mut asked, mut said) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let request = &asked[..read?];
                if request.is_empty() {
                    return Ok(());
                }
                if CHANGES.iter().any(|change| holds(request, change)) && faults.strike() {
                    let kind = *faults.kind.lock().unwrap_or_else(PoisonError::into_inner);
                    if matches!(kind, LostAnswers::ToDone) {
                        server.write_all(request).await?;
                        let mut answer = Vec::new();
                        while !holds(&answer, OVER) && server.read_buf(&mut answer).await? > 0 {}
                    }
                    return Ok(());
                }
                server.write_all(request).await?;
            }
            read = server.read(&mut said) => {
                let answer = &said[..read?];
                if answer.is_empty() {
                    return Ok(());
                }
                client.write_all(answer).await?;
            }
        }
    }
}

impl Faults {
    fn strike(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok()
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// By `openssl req -x509 -nodes`, for `localhost`, valid for a hundred years.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBlTCCATugAwIBAgIURgbEjtIZSR46xOLFA9iQuy4256gwCgYIKoZIzj0EAwIw\n\
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA4MDYyMFoYDzIxMjYxMDI5\n\
    MDgwNjIwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n\
    PQMBBwNCAASZ3pnjEUHnoMrsCx2GkjbBeZsL3cAeSY6fAXLBAox2Bz6AeNgFg4u6\n\
    Ijaq8C86cFSHBOpWGRhcZtUwm0/s7Aooo2kwZzAdBgNVHQ4EFgQUA/5mgDsAuR/2\n\
    zLs9bTsn0kemFggwHwYDVR0jBBgwFoAUA/5mgDsAuR/2zLs9bTsn0kemFggwDwYD\n\
    VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID\n\
    SAAwRQIhAIMFQrcs8spx+WSAkUX47Y4isiGdYnx7J2z/75dV9bopAiAREObTS+VM\n\
    5XzmBDYBeJ6msWnsAjIduaxYtphzJHYiBA==\n\
    -----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgl7kfHviUBWsatRNs\n\
    g3gXYQhb6IGTO/QHuTtSbwkuNv+hRANCAASZ3pnjEUHnoMrsCx2GkjbBeZsL3cAe\n\
    SY6fAXLBAox2Bz6AeNgFg4u6Ijaq8C86cFSHBOpWGRhcZtUwm0/s7Aoo\n\
    -----END PRIVATE KEY-----\n";
