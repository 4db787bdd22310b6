//! Listeners and connections: how many, how long, and how they end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::lobby::{Lobby, Seat};
use super::route::Resource;
use super::tls::TlsSettings;
use super::{Gate, HostNames, Limits, serve};
use crate::error::ControlPlaneError;
use crate::worker_config::{Listener, Scheme, WorkerConfig};

/// A TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
/// The largest request head, bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Which resources a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// `/admin` and `/metrics` alone.
    Admin,
    /// Everything.
    All,
    /// Everything but `/admin`.
    WithoutAdmin,
}

impl Face {
    /// Whether the listener has `resource`.
    pub(super) fn has(self, resource: &Resource) -> bool {
        let is_admin = matches!(resource, Resource::Logger(_) | Resource::Loggers);
        match self {
            Self::Admin => is_admin || *resource == Resource::Metrics,
            Self::All => true,
            Self::WithoutAdmin => !is_admin,
        }
    }
}

/// An open listener.
pub(crate) struct Bound {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    face: Face,
    scheme: Scheme,
    names: Option<Arc<HostNames>>,
}

/// Opens every listener of a worker; reads the files of TLS.
///
/// # Errors
/// Class `Config` when an address cannot be had, or TLS is not set up well.
pub(crate) async fn bind(config: &WorkerConfig) -> Result<Vec<Bound>, ControlPlaneError> {
    let admin = config.admin_listeners();
    let face = if admin.is_some() { Face::WithoutAdmin } else { Face::All };
    let mut bound = Vec::new();
    for (setting, listeners, face) in
        [("listeners", config.listeners(), face), ("admin.listeners", admin.unwrap_or_default(), Face::Admin)]
    {
        for listener in listeners {
            let (tls, names) = match listener.scheme {
                Scheme::Http => (None, None),
                Scheme::Https => acceptor(config, setting).map(|(tls, names)| (Some(tls), Some(names)))?,
            };
            let socket = open(listener).await?;
            bound.push(Bound { socket, tls, face, scheme: listener.scheme, names });
        }
    }
    Ok(bound)
}

fn acceptor(
    config: &WorkerConfig,
    setting: &str,
) -> Result<(TlsAcceptor, Arc<HostNames>), ControlPlaneError> {
    let settings = TlsSettings::new(config.props(), &format!("{setting}.https."));
    let both = settings.server().and_then(|tls| Ok((tls, settings.names()?)));
    match both {
        Ok((tls, names)) => Ok((TlsAcceptor::from(tls), Arc::new(names))),
        Err(problem) => Err(ControlPlaneError::Config {
            problems: vec![format!("Invalid value for configuration {setting}: {problem}")],
        }),
    }
}

async fn open(listener: &Listener) -> Result<TcpListener, ControlPlaneError> {
    let opened = match listener.host.as_str() {
        // One socket for both families where the system has both.
        "" => match TcpListener::bind(("::", listener.port)).await {
            Ok(opened) => Ok(opened),
            Err(_) => TcpListener::bind(("0.0.0.0", listener.port)).await,
        },
        host => TcpListener::bind((host, listener.port)).await,
    };
    let address = format!("{}:{}", listener.host, listener.port);
    opened.map_err(|source| ControlPlaneError::Bind { address, source })
}

/// The running server.
pub(crate) struct RestServer {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    acceptors: Vec<JoinHandle<()>>,
}

impl RestServer {
    /// Serves `listeners` until [`RestServer::shutdown`].
    pub(crate) fn start(listeners: Vec<Bound>, gate: &Gate) -> Self {
        let (stop, stopping) = watch::channel(false);
        let permits = Arc::new(Semaphore::new(usize::from(gate.limits.connections)));
        let room = Room { permits, lobby: Arc::default() };
        let addresses = listeners.iter().filter_map(|listener| listener.socket.local_addr().ok()).collect();
        let acceptors = listeners
            .into_iter()
            .map(|mut listener| {
                let gate = gate.facing(listener.face, listener.scheme, listener.names.take());
                tokio::spawn(accept(listener, gate, room.clone(), stopping.clone()))
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

/// Room for connections, shared by all listeners.
#[derive(Clone)]
struct Room {
    permits: Arc<Semaphore>,
    lobby: Arc<Lobby>,
}

impl Room {
    /// Room for one connection more; `None` never happens while the server runs.
    async fn enter(&self) -> Option<(OwnedSemaphorePermit, Arc<Seat>)> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.lobby.make_room();
                Arc::clone(&self.permits).acquire_owned().await.ok()?
            }
        };
        Some((permit, self.lobby.seat()))
    }
}

async fn accept(listener: Bound, gate: Gate, room: Room, mut stopping: watch::Receiver<bool>) {
    let Limits { connections, shutdown, .. } = gate.limits;
    loop {
        let next = async {
            let accepted = listener.socket.accept().await?;
            Ok::<_, std::io::Error>((room.enter().await, accepted))
        };
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            next = next => match next {
                Ok((Some(place), (stream, peer))) => {
                    let tls = listener.tls.clone();
                    let gate = gate.clone();
                    tokio::spawn(connect((stream, peer.ip()), tls, place, gate, stopping.clone()));
                }
                Ok((None, _)) => break,
                Err(err) => {
                    // Out of file descriptors, mostly: give connections time to end.
                    tracing::warn!(error = %err, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    // Every connection holds a permit until it ends.
    if tokio::time::timeout(shutdown, room.permits.acquire_many(connections.into())).await.is_err() {
        tracing::warn!("requests in flight did not finish in time");
    }
}

/// Resolves when the server stops (also when its handle is gone).
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Shakes hands where it must, then serves the connection to its end.
async fn connect(
    (stream, peer): (TcpStream, IpAddr),
    tls: Option<TlsAcceptor>,
    (permit, seat): (OwnedSemaphorePermit, Arc<Seat>),
    gate: Gate,
    stopping: watch::Receiver<bool>,
) {
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = %err, "cannot switch off delays of a connection");
    }
    let served = async {
        match tls {
            None => serve_connection(stream, peer, gate, Arc::clone(&seat), stopping).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await {
                Ok(Ok(stream)) => serve_connection(stream, peer, gate, Arc::clone(&seat), stopping).await,
                Ok(Err(err)) => tracing::debug!(error = %err, %peer, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            },
        }
    };
    tokio::select! {
        () = served => {}
        () = seat.must_leave() => {
            tracing::debug!(%peer, "a connection without a request gave way to another");
        }
    }
    drop(permit);
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    gate: Gate,
    seat: Arc<Seat>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(gate.limits.head).max_buf_size(HEAD_BYTES_MAX);
    let service = service_fn(move |request| serve(gate.clone(), Arc::clone(&seat), peer, request));
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
}
