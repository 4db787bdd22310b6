//! The embedded S3 server: signatures are checked, objects are plain files.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

use super::parent;

/// Settings of the embedded S3 server.
#[derive(Args, Clone)]
pub(crate) struct S3Args {
    /// Directory that holds the buckets; created when missing.
    #[arg(long, default_value = "lakeward-s3")]
    dir: PathBuf,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Bucket to create.
    #[arg(long, default_value = "lake")]
    bucket: String,
    /// Access key that clients must use.
    #[arg(long, default_value = super::ACCESS_KEY)]
    access_key: String,
    /// Secret key that clients must use.
    #[arg(long, default_value = super::SECRET_KEY)]
    secret_key: String,
    /// End when standard input ends: for parents that start this as a child.
    #[arg(long, hide = true)]
    child: bool,
}

impl S3Args {
    /// The server of a playground.
    pub(super) fn in_directory(dir: PathBuf, port: u16) -> Self {
        Self {
            dir,
            port,
            bucket: "lake".to_owned(),
            access_key: super::ACCESS_KEY.to_owned(),
            secret_key: super::SECRET_KEY.to_owned(),
            child: false,
        }
    }
}

/// Runs the server until it is told to stop.
pub(crate) async fn run(args: S3Args) -> anyhow::Result<()> {
    let bucket = args.dir.join(&args.bucket);
    std::fs::create_dir_all(&bucket).with_context(|| format!("cannot create {}", bucket.display()))?;
    let files = FileSystem::new(&args.dir)
        .map_err(|err| anyhow::anyhow!("cannot serve {}: {err:?}", args.dir.display()))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(args.access_key.clone(), args.secret_key.clone()));
    let service = builder.build();
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await;
    let listener = listener.with_context(|| format!("port {} is taken; choose another --port", args.port))?;
    let address = listener.local_addr()?.to_string();
    let server = tokio::spawn(serve(listener, service));
    parent::announce(&address)?;
    parent::until_stopped(args.child).await?;
    server.abort();
    Ok(())
}

async fn serve(listener: TcpListener, service: S3Service) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                // Head and body of an answer are two writes: the second would wait 40 ms for the first's ACK.
                if let Err(err) = socket.set_nodelay(true) {
                    tracing::debug!(error = %err, "connection stays slow");
                }
                let service = service.clone();
                tokio::spawn(async move {
                    let served = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                    if let Err(err) = served {
                        tracing::debug!(error = %err, "connection ended");
                    }
                });
            }
            Err(err) => {
                tracing::warn!(error = %err, "connection cannot be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

const ACCEPT_RETRY: std::time::Duration = std::time::Duration::from_millis(50);
