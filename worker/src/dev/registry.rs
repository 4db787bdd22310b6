//! The development schema registry: Confluent's REST interface, kept in memory.

use std::sync::{Arc, Mutex};

use anyhow::Context;
use clap::Args;
use lakeward_api::config::Password;
use lakeward_registry::{Store, server};
use tokio::net::TcpListener;

use super::parent;

/// Settings of the development schema registry.
#[derive(Args, Clone)]
pub(crate) struct RegistryArgs {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// User that clients must name, as user:password; anybody may ask without.
    #[arg(long, value_name = "user:password")]
    basic_auth: Option<String>,
    /// End when standard input ends: for parents that start this as a child.
    #[arg(long, hide = true)]
    child: bool,
}

impl RegistryArgs {
    /// The registry of a playground.
    pub(super) fn on_port(port: u16) -> Self {
        Self { port, basic_auth: None, child: false }
    }
}

/// Runs the registry until it is told to stop. Its schemas end with it.
pub(crate) async fn run(args: RegistryArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await;
    let listener = listener.with_context(|| {
        format!("the schema registry cannot listen on port {}; choose another port", args.port)
    })?;
    let address = listener.local_addr()?.to_string();
    let options = server::Options { basic_auth: args.basic_auth.map(Password::new), ..Default::default() };
    let store: Arc<Mutex<Store>> = Arc::default();
    let server = tokio::spawn(server::serve_with(listener, store, options));
    parent::announce(&address)?;
    parent::until_stopped(args.child).await?;
    server.abort();
    Ok(())
}
