//! The embedded broker.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use nisshi_broker::broker::Builder;
use url::Url;
use uuid::Uuid;

use super::parent;

/// Settings of the embedded broker.
#[derive(Args, Clone)]
pub(crate) struct BrokerArgs {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 9092)]
    port: u16,
    /// End when standard input ends: for parents that start this as a child.
    #[arg(long, hide = true)]
    child: bool,
}

impl BrokerArgs {
    /// The broker of a playground.
    pub(super) fn on_port(port: u16) -> Self {
        Self { port, child: false }
    }
}

/// Runs the broker until it is told to stop.
pub(crate) async fn run(args: BrokerArgs) -> anyhow::Result<()> {
    let port = super::port_or_free(args.port)?;
    let server = tokio::spawn(serve(port));
    let address = format!("127.0.0.1:{port}");
    tokio::select! {
        ended = server => return ended.context("the broker panicked")?,
        ready = answers(&address) => ready?,
    }
    parent::announce(&address)?;
    Ok(parent::until_stopped(args.child).await?)
}

/// The builder before anything is set.
type UnsetBuilder = Builder<
    PhantomData<i32>,
    PhantomData<String>,
    PhantomData<Uuid>,
    PhantomData<Url>,
    PhantomData<Url>,
    PhantomData<Url>,
>;

async fn serve(port: u16) -> anyhow::Result<()> {
    let listener = Url::parse(&format!("tcp://127.0.0.1:{port}"))?;
    let mut broker = UnsetBuilder::default()
        .node_id(1)
        .cluster_id("lakeward-development")
        .incarnation_id(Uuid::new_v4())
        .advertised_listener(listener.clone())
        .storage(Url::parse("memory://lakeward/")?)
        .listener(listener)
        .silent(true)
        .build()
        .await
        .context("the embedded broker could not be set up")?;
    let port_in_use = || format!("the embedded broker cannot listen on port {port}; choose another --port");
    broker.serve(tokio::time::Instant::now()).await.with_context(port_in_use)
}

/// Resolves when the broker accepts connections.
pub(super) async fn answers(address: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + READY_TIMEOUT;
    while tokio::net::TcpStream::connect(address).await.is_err() {
        anyhow::ensure!(Instant::now() < deadline, "the server on {address} did not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

const READY_TIMEOUT: Duration = Duration::from_secs(20);
