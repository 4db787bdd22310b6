//! Listeners and connections: how many, how long, and how they end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use super::{Gate, serve};
use crate::error::ControlPlaneError;
use crate::worker_config::Listener;

/// Connections served at once; more wait in the backlog of the system.
const CONNECTIONS_MAX: usize = 512;
/// The largest request head, bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Opens every listener.
///
/// # Errors
/// Class `Config` when an address cannot be had.
pub(crate) async fn bind(listeners: &[Listener]) -> Result<Vec<TcpListener>, ControlPlaneError> {
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let opened = match listener.host.as_str() {
            // One socket for both families where the system has both.
            "" => match TcpListener::bind(("::", listener.port)).await {
                Ok(opened) => Ok(opened),
                Err(_) => TcpListener::bind(("0.0.0.0", listener.port)).await,
            },
            host => TcpListener::bind((host, listener.port)).await,
        };
        let address = format!("{}:{}", listener.host, listener.port);
        bound.push(opened.map_err(|source| ControlPlaneError::Bind { address, source })?);
    }
    Ok(bound)
}

/// The running server.
pub(crate) struct RestServer {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    acceptors: Vec<JoinHandle<()>>,
}

impl RestServer {
    /// Serves `listeners` until [`RestServer::shutdown`].
    pub(crate) fn start(listeners: Vec<TcpListener>, gate: &Gate) -> Self {
        let (stop, stopping) = watch::channel(false);
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        let acceptors = listeners
            .into_iter()
            .map(|listener| {
                tokio::spawn(accept(listener, gate.clone(), Arc::clone(&permits), stopping.clone()))
            })
            .collect();
        Self { addresses, stop, acceptors }
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Takes no new connections and lets requests in flight finish.
    pub(crate) async fn shutdown(self) {
        self.stop.send_replace(true);
        for acceptor in self.acceptors {
            if let Err(err) = acceptor.await {
                tracing::error!(error = %err, "a listener ended badly");
            }
        }
    }
}

async fn accept(
    listener: TcpListener,
    gate: Gate,
    permits: Arc<Semaphore>,
    mut stopping: watch::Receiver<bool>,
) {
    let limit = gate.limits.shutdown;
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            (permit, accepted) = next => match (permit, accepted) {
                (Ok(permit), Ok((stream, _))) => {
                    tokio::spawn(connect(stream, permit, gate.clone(), stopping.clone()));
                }
                (_, Err(err)) => {
                    // Out of file descriptors, mostly: give connections time to end.
                    tracing::warn!(error = %err, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                (Err(_), _) => break,
            },
        }
    }
    drop(listener);
    // Every connection holds a permit until it ends.
    if tokio::time::timeout(limit, permits.acquire_many(CONNECTIONS_MAX as u32)).await.is_err() {
        tracing::warn!("requests in flight did not finish in time");
    }
}

/// Resolves when the server stops (also when its handle is gone).
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn connect(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    gate: Gate,
    mut stopping: watch::Receiver<bool>,
) {
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = %err, "cannot switch off delays of a connection");
    }
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(gate.limits.head).max_buf_size(HEAD_BYTES_MAX);
    let service = service_fn(move |request| serve(gate.clone(), request));
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(err) = ended {
        tracing::debug!(error = %err, "a connection ended early");
    }
    drop(permit);
}
