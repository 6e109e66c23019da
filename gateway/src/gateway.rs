//! Starts and stops a gateway.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_layer::Layer;
use tracklane_axum::{RequestContextLayer, TrustedProxies};
use tracklane_ingest::{Ingest, Limits, Peer, Server};

use crate::catalog::Catalog;
use crate::config::{self, ConfigError, LogConfig, ServerConfig};
use crate::jetstream::{self, CreatedStreams};
use crate::paths::UsualPaths;
use crate::receive::receive;
use crate::signal::signalled;
use crate::state::{StartError, State, make_all, places};
use crate::{admin, reload};

/// Bytes of a head: more than any SDK sends, and little for each of many connections.
const HEAD_BYTES: usize = 16 << 10;
/// The time that answers under way have at the end.
const GRACE: Duration = Duration::from_secs(10);

/// A gateway that runs.
///
/// Start it on a tokio runtime with several threads. [`stop`](Self::stop) ends it. A dropped gateway runs until its
/// runtime ends.
#[derive(Debug)]
pub struct Gateway {
    state: Arc<State>,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    drain_delay: Duration,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Checks a configuration file, its plugins included, and starts nothing.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn check(path: impl AsRef<Path>, catalog: &Catalog) -> Result<(), ConfigError> {
        let read = config::read(path.as_ref())?;
        make_all(&read, catalog).map(drop)
    }

    /// Makes the missing streams of JetStream that the log of a configuration needs: one for each partition, and one
    /// for each destination. No other function makes streams. So a stream that is missing later has been deleted,
    /// together with its events.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used, its log is not JetStream, or NATS is missing or refuses.
    pub async fn create_streams(path: impl AsRef<Path>, catalog: &Catalog) -> Result<CreatedStreams, StartError> {
        let path = path.as_ref();
        let read = config::read(path)?;
        let made = make_all(&read, catalog)?;
        match &read.config.log {
            LogConfig::JetStream(config) => Ok(jetstream::create_streams(config, &places(&made)).await?),
            LogConfig::Disk(_) => Err(StartError::NoStreams { path: path.to_owned() }),
        }
    }

    /// Starts the gateway that a configuration file describes. It is ready when this returns.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used, or an address cannot be listened on.
    pub async fn start(path: impl AsRef<Path>, catalog: Catalog) -> Result<Self, StartError> {
        let path = path.as_ref().to_owned();
        let read = config::read(&path)?;
        let state = Arc::new(State::start(path, &read, catalog).await?);
        let server = read.config.server.clone();
        let public = bind(&server.listen).await?.limits(limits(&server)).grace(GRACE);
        let private = match server.admin {
            Some(address) => Some(bind(&[address]).await?),
            None => None,
        };
        let (stop, stopped) = watch::channel(false);
        let (addresses, admin) = (public.addresses(), private.as_ref().and_then(|s| s.addresses().first().copied()));
        let router = public_router(&state, &server)?;
        let mut tasks = vec![tokio::spawn(public.serve(router, until(stopped.clone())))];
        if let Some(private) = private {
            tasks.push(tokio::spawn(private.serve(admin::private(&state), until(stopped.clone()))));
        }
        tasks.push(tokio::spawn(reload::watch(Arc::clone(&state), read.text, stopped)));
        Ok(Self { state, addresses, admin, drain_delay: server.drain_delay, stop, tasks })
    }

    /// Returns the addresses that accept events.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the address for health and metrics.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Works until the process gets SIGTERM or Ctrl-C, and then stops in good order.
    pub async fn run_until_signalled(self) {
        signalled().await;
        self.stop().await;
    }

    /// Stops in order: reports that it is not ready, continues for `drain_delay`, answers the requests in progress, and
    /// closes the pipelines. Undelivered events stay on the disk.
    pub async fn stop(self) {
        self.state.readiness.store(false, Ordering::Release);
        tokio::time::sleep(self.drain_delay).await;
        self.state.ending.store(true, Ordering::Release);
        self.stop.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
        self.state.close().await;
    }
}

pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

pub(crate) async fn bind(addresses: &[SocketAddr]) -> Result<Server, StartError> {
    let bound = Server::bind(addresses.iter().copied()).await;
    bound.map_err(|source| StartError::Listen { addresses: addresses.to_vec(), source })
}

fn limits(server: &ServerConfig) -> Limits {
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    limits.max_body_bytes = bytes(server.max_body);
    limits.max_total_bytes = bytes(server.body_bytes());
    limits.max_head_bytes = HEAD_BYTES;
    limits.max_connections = server.max_connections;
    limits
}

/// The tracking API and health, with the sender's address known.
fn public_router(state: &Arc<State>, server: &ServerConfig) -> Result<Router, StartError> {
    let shared = Arc::clone(state);
    let service = tower::service_fn(move |request| receive(Arc::clone(&shared), request));
    let router = Ingest::new(service).limits(limits(server)).without_rules().pixels_with_status().router();
    let mut layer = RequestContextLayer::new().peer_address(|extensions| Some(extensions.get::<Peer>()?.0.ip()));
    if !server.trusted_proxies.is_empty() {
        layer = layer.trust_proxies(TrustedProxies::new(&server.trusted_proxies)?);
    }
    let inner = layer.layer(router.merge(admin::health(state)));
    Ok(Router::new().fallback_service(UsualPaths(inner)))
}
