//! Starts, reloads and stops a gateway.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_layer::Layer;
use tracklane::SettingsError;
use tracklane_axum::{InvalidNetwork, RequestContextLayer, TrustedProxies};
use tracklane_ingest::{Ingest, Limits, Peer, Server};

use crate::catalog::Catalog;
use crate::config::{self, Config, ConfigError, LogConfig, Read, ServerConfig};
use crate::layout::Layout;
use crate::metrics::RequestCounts;
use crate::paths::UsualPaths;
use crate::pipeline::{Parts, Pipeline};
use crate::receive::receive;
use crate::rejects::Rejects;
use crate::sources::{Source, SourceCounts, Sources};
use crate::{admin, reload};

/// How long answers that are under way may take at the end.
const GRACE: Duration = Duration::from_secs(10);

/// A gateway that runs.
///
/// Start it on a tokio runtime of several threads. It ends by [`stop`](Self::stop); one that is dropped goes on until its
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

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A pipeline cannot be built.
    #[error("the pipeline {pipeline:?} cannot start")]
    Pipeline {
        /// Its name.
        pipeline: String,
        /// Why.
        source: SettingsError,
    },
    /// A network of `trusted_proxies` is none.
    #[error(transparent)]
    Proxies(#[from] InvalidNetwork),
    /// An address cannot be listened on.
    #[error("cannot listen on {addresses:?}")]
    Listen {
        /// The addresses.
        addresses: Vec<SocketAddr>,
        /// Why.
        source: io::Error,
    },
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

    /// Starts the gateway that a configuration file describes. It is ready when this returns.
    ///
    /// # Errors
    ///
    /// If the file cannot be used, or an address cannot be listened on.
    pub async fn start(path: impl AsRef<Path>, catalog: Catalog) -> Result<Self, StartError> {
        let path = path.as_ref().to_owned();
        let read = config::read(&path)?;
        let state = Arc::new(State::start(path, &read, catalog)?);
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
        tasks.push(tokio::spawn(reload::watch(Arc::clone(&state), stopped)));
        Ok(Self { state, addresses, admin, drain_delay: server.drain_delay, stop, tasks })
    }

    /// Where it takes events.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it tells how it goes.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Works until the process is told to end (SIGTERM, Ctrl-C), and then stops in good order.
    pub async fn run_until_signalled(self) {
        signalled().await;
        self.stop().await;
    }

    /// Stops in good order: says that it is not ready, goes on for `drain_delay`, answers what is under way, and closes
    /// the pipelines. What is not delivered by then stays on the disk.
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

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn bind(addresses: &[SocketAddr]) -> Result<Server, StartError> {
    let bound = Server::bind(addresses.iter().copied()).await;
    bound.map_err(|source| StartError::Listen { addresses: addresses.to_vec(), source })
}

fn limits(server: &ServerConfig) -> Limits {
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    limits.max_body_bytes = bytes(server.max_body);
    limits.max_total_bytes = bytes(server.max_memory);
    limits.max_connections = server.max_connections;
    limits
}

/// The tracking API and health, with the sender's address known.
fn public_router(state: &Arc<State>, server: &ServerConfig) -> Result<Router, StartError> {
    let shared = Arc::clone(state);
    let service = tower::service_fn(move |request| receive(Arc::clone(&shared), request));
    let router = Ingest::new(service).limits(limits(server)).without_smells().pixels_with_status().router();
    let mut layer = RequestContextLayer::new().peer_address(|extensions| Some(extensions.get::<Peer>()?.0.ip()));
    if !server.trusted_proxies.is_empty() {
        layer = layer.trust_proxies(TrustedProxies::new(&server.trusted_proxies)?);
    }
    let inner = layer.layer(router.merge(admin::health(state)));
    Ok(Router::new().fallback_service(UsualPaths(inner)))
}

/// What every request needs.
pub(crate) struct State {
    pub(crate) path: PathBuf,
    pub(crate) requests: RequestCounts,
    pub(crate) started: Instant,
    /// Whether the file is the one that is in force.
    pub(crate) is_current: AtomicBool,
    catalog: Catalog,
    server: ServerConfig,
    log: LogConfig,
    live: ArcSwap<Live>,
    readiness: AtomicBool,
    ending: AtomicBool,
    counts: Mutex<BTreeMap<String, Arc<SourceCounts>>>,
}

/// What a reload replaces, all at once.
pub(crate) struct Live {
    pub(crate) sources: Sources,
    pub(crate) pipelines: BTreeMap<String, Arc<Pipeline>>,
    rejects: BTreeMap<String, Rejects>,
}

impl State {
    fn start(path: PathBuf, read: &Read, catalog: Catalog) -> Result<Self, StartError> {
        let made = make_all(read, &catalog)?;
        let Config { server, log, .. } = read.config.clone();
        let state = Self {
            path,
            requests: RequestCounts::default(),
            started: Instant::now(),
            is_current: AtomicBool::new(true),
            catalog,
            server,
            log,
            live: ArcSwap::from_pointee(Live {
                sources: Sources::default(),
                pipelines: BTreeMap::new(),
                rejects: BTreeMap::new(),
            }),
            readiness: AtomicBool::new(true),
            ending: AtomicBool::new(false),
            counts: Mutex::default(),
        };
        let mut pipelines = BTreeMap::new();
        for (name, parts) in made {
            pipelines.insert(name.clone(), state.start_pipeline(&name, parts)?);
        }
        state.put_in_force(read, pipelines);
        Ok(state)
    }

    pub(crate) fn live(&self) -> arc_swap::Guard<Arc<Live>> {
        self.live.load()
    }

    /// Whether a balancer should send requests here.
    pub(crate) fn is_ready(&self) -> bool {
        self.readiness.load(Ordering::Acquire)
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// The counts of every source that there is or was.
    pub(crate) fn counts(&self) -> BTreeMap<String, Arc<SourceCounts>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn layout(&self) -> Layout {
        let LogConfig::Disk(disk) = &self.log;
        Layout::new(disk.directory.clone())
    }

    /// Puts the file as it is now in force. What is wrong with it leaves everything as it is.
    pub(crate) async fn reload(&self) -> Result<(), StartError> {
        let read = config::read(&self.path)?;
        if read.config.server != self.server || read.config.log != self.log {
            let problem = "[server] or [log] has changed, which needs a restart; what was read before stays in force";
            return Err(ConfigError::new(&self.path, problem).into());
        }
        let mut made = make_all(&read, &self.catalog)?;
        let before = self.live.load_full();
        let mut pipelines = BTreeMap::new();
        for (name, pipeline) in &before.pipelines {
            let fingerprint = read.pipelines.get(name).map(|tables| tables.fingerprint);
            if fingerprint == Some(pipeline.fingerprint) {
                made.remove(name);
                pipelines.insert(name.clone(), Arc::clone(pipeline));
            } else {
                // The same folder is the next one's: this one lets go of it first. Requests get 429 meanwhile.
                pipeline.close().await;
            }
        }
        for (name, parts) in made {
            pipelines.insert(name.clone(), self.start_pipeline(&name, parts)?);
        }
        self.put_in_force(&read, pipelines);
        Ok(())
    }

    async fn close(&self) {
        let pipelines = self.live.load_full();
        let closing: Vec<_> = pipelines.pipelines.values().map(|pipeline| pipeline.close()).collect();
        for closing in closing {
            closing.await;
        }
    }

    fn start_pipeline(&self, name: &str, parts: Parts) -> Result<Arc<Pipeline>, StartError> {
        let LogConfig::Disk(disk) = &self.log;
        let started = Pipeline::start(name, parts, disk, &self.layout());
        started.map(Arc::new).map_err(|source| StartError::Pipeline { pipeline: name.to_owned(), source })
    }

    fn put_in_force(&self, read: &Read, pipelines: BTreeMap<String, Arc<Pipeline>>) {
        let before = self.live.load_full();
        let (mut sources, mut kept) = (Sources::default(), BTreeMap::new());
        for (name, source) in &read.config.sources {
            // A pipeline that a source names is there: the file was checked.
            let Some(pipeline) = pipelines.get(&source.pipeline) else { continue };
            let known = before.rejects.get(name).cloned();
            let rejects = known.unwrap_or_else(|| Rejects::start(self.layout().rejected(name)));
            kept.insert(name.clone(), rejects.clone());
            sources.add(&source.keys, Source::new(name, source, Arc::clone(pipeline), rejects, self.counts_of(name)));
        }
        self.live.store(Arc::new(Live { sources, pipelines, rejects: kept }));
    }

    fn counts_of(&self, source: &str) -> Arc<SourceCounts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counts.entry(source.to_owned()).or_default())
    }
}

/// The parts of every pipeline.
fn make_all(read: &Read, catalog: &Catalog) -> Result<BTreeMap<String, Parts>, ConfigError> {
    let mut made = BTreeMap::new();
    for (name, pipeline) in &read.config.pipelines {
        let Some(tables) = read.pipelines.get(name) else { continue };
        made.insert(name.clone(), Parts::make(pipeline, tables, catalog)?);
    }
    Ok(made)
}

/// Waits until the process is told to end.
async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("path", &self.path).finish_non_exhaustive()
    }
}
