//! Accepts connections, and limits each.
//!
//! The accept loop is our own, because two faults need the socket: a reset, and bytes that are no HTTP.

mod socket;
pub(crate) mod write;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::Limits;
use socket::Socket;
pub(crate) use socket::Wire;

/// The time that connections have to end when the server does, by default.
const GRACE: Duration = Duration::from_millis(500);
/// The wait when the system has no descriptors left.
const NO_DESCRIPTORS: Duration = Duration::from_millis(50);

/// Listens on addresses, and serves a router there.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    limits: Limits,
    grace: Duration,
}

/// The address of a client, in the extensions of each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub SocketAddr);

impl Server {
    /// Binds all of these. With port 0 the system chooses one for the first address, which the others then have too.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them cannot be bound, or there is none.
    pub async fn bind(addresses: impl IntoIterator<Item = SocketAddr>) -> io::Result<Self> {
        let mut listeners: Vec<TcpListener> = Vec::new();
        for mut address in addresses {
            if let (0, Some(first)) = (address.port(), listeners.first()) {
                address.set_port(first.local_addr()?.port());
            }
            listeners.push(TcpListener::bind(address).await?);
        }
        if listeners.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no address to listen on"));
        }
        Ok(Self { listeners, limits: Limits::default(), grace: GRACE })
    }

    /// Bounds other than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how long answers that are under way have to end when the server does, half a second by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Returns the addresses on which it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// The first address as a URL, without a trailing slash.
    pub fn url(&self) -> String {
        match self.addresses().first() {
            Some(address) if address.ip().is_unspecified() => {
                let loopback = match address.ip() {
                    IpAddr::V4(_) => "127.0.0.1",
                    IpAddr::V6(_) => "[::1]",
                };
                format!("http://{loopback}:{}", address.port())
            }
            Some(address) => format!("http://{address}"),
            None => String::new(),
        }
    }

    /// Serves until `shutdown` is done, and then lets answers that are under way end within the [grace](Self::grace).
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let places = Arc::new(Semaphore::new(self.limits.max_connections));
        let limits = Arc::new(self.limits);
        let mut loops = JoinSet::new();
        for listener in self.listeners {
            let accept = Accept {
                router: router.clone(),
                limits: Arc::clone(&limits),
                places: Arc::clone(&places),
                stopped: stopped.clone(),
                grace: self.grace,
            };
            loops.spawn(accept.run(listener));
        }
        shutdown.await;
        let _ = stop.send(true);
        while loops.join_next().await.is_some() {}
    }
}

struct Accept {
    router: Router,
    limits: Arc<Limits>,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
    grace: Duration,
}

impl Accept {
    async fn run(self, listener: TcpListener) {
        let mut stopped = self.stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            let stream = tokio::select! {
                accepted = self.next(&listener) => accepted,
                _ = stopped.changed() => break,
            };
            let Some((stream, peer, place)) = stream else { continue };
            let serve = serve(stream, peer, self.router.clone(), Arc::clone(&self.limits), self.stopped.clone());
            connections.spawn(async move {
                serve.await;
                drop(place);
            });
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        let all_end = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.grace, all_end).await;
    }

    /// The next connection, once there is a place for it.
    async fn next(&self, listener: &TcpListener) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => Some((stream, Peer(peer), place)),
            Err(error) if is_of_one_connection(&error) => None,
            Err(_) => {
                tokio::time::sleep(NO_DESCRIPTORS).await;
                None
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve(stream: TcpStream, peer: Peer, router: Router, limits: Arc<Limits>, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let wire = Wire::default();
    let socket = Socket::new(stream, wire.clone(), limits.idle_timeout);
    let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(wire.clone());
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.max_head_bytes.max(8 << 10))
        .half_close(false)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
