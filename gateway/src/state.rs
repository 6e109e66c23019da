//! The state that every request needs, and its replacement by a reload.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use tracklane::SettingsError;
use tracklane_axum::InvalidNetwork;

use crate::catalog::Catalog;
use crate::config::{self, Config, ConfigError, ConfigErrors, LogConfig, Read, ServerConfig};
use crate::jetstream::{JetStream, LogError, Place};
use crate::layout::Layout;
use crate::log::Log;
use crate::pipeline::{Parts, Pipeline};
use crate::rejects::Rejects;
use crate::requests::RequestCounts;
use crate::sources::{Source, SourceCounts, Sources};

/// The reason why a gateway cannot start.
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
        /// The error.
        source: SettingsError,
    },
    /// The directory of the log cannot be written.
    #[error("the log cannot be written to {directory:?}")]
    Log {
        /// The directory.
        directory: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The log in JetStream cannot be used.
    #[error("the log in JetStream cannot be used")]
    JetStream(#[from] LogError),
    /// The command is for another log than the configuration has.
    #[error("{path:?} has no [log.jetstream]: there are no streams to make")]
    NoStreams {
        /// The file.
        path: PathBuf,
    },
    /// A network of `trusted_proxies` is none.
    #[error(transparent)]
    Proxies(#[from] InvalidNetwork),
    /// An address cannot be listened on.
    #[error("cannot listen on {addresses:?}")]
    Listen {
        /// The addresses.
        addresses: Vec<SocketAddr>,
        /// The error.
        source: io::Error,
    },
}

/// The state that every request needs.
pub(crate) struct State {
    pub(crate) path: PathBuf,
    pub(crate) requests: RequestCounts,
    pub(crate) started: Instant,
    /// Set if the file is the one in force.
    pub(crate) is_current: AtomicBool,
    catalog: Catalog,
    server: ServerConfig,
    log_config: LogConfig,
    log: Log,
    live: ArcSwap<Live>,
    pub(crate) readiness: AtomicBool,
    pub(crate) ending: AtomicBool,
    counts: Mutex<BTreeMap<String, Arc<SourceCounts>>>,
}

/// The part that a reload replaces, all at once.
pub(crate) struct Live {
    pub(crate) sources: Sources,
    pub(crate) pipelines: BTreeMap<String, Arc<Pipeline>>,
    rejects: BTreeMap<String, Rejects>,
}

impl State {
    pub(crate) async fn start(path: PathBuf, read: &Read, catalog: Catalog) -> Result<Self, StartError> {
        let made = make_all(read, &catalog)?;
        let Config { server, log: log_config, .. } = read.config.clone();
        let directory = log_config.directory();
        try_to_write(directory).map_err(|source| StartError::Log { directory: directory.to_owned(), source })?;
        let log = Log::open(&log_config).await?;
        let state = Self {
            path,
            requests: RequestCounts::default(),
            started: Instant::now(),
            is_current: AtomicBool::new(true),
            catalog,
            server,
            log_config,
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
            pipelines.insert(name.clone(), state.start_pipeline(&name, parts, read.pipelines.len())?);
        }
        state.put_in_force(read, pipelines);
        Ok(state)
    }

    pub(crate) fn live(&self) -> arc_swap::Guard<Arc<Live>> {
        self.live.load()
    }

    /// Returns whether a balancer should send requests here.
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
        Layout::new(self.log_config.directory().to_owned())
    }

    /// The log, if it is in JetStream.
    pub(crate) fn jetstream(&self) -> Option<&JetStream> {
        match &self.log {
            Log::JetStream(streams) => Some(streams),
            Log::Disk(_) => None,
        }
    }

    /// Puts the current file in force. An error in it leaves everything unchanged.
    pub(crate) async fn reload(&self) -> Result<(), StartError> {
        let read = config::read(&self.path)?;
        if read.config.server != self.server || read.config.log != self.log_config {
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
            pipelines.insert(name.clone(), self.start_pipeline(&name, parts, read.pipelines.len())?);
        }
        self.put_in_force(&read, pipelines);
        Ok(())
    }

    pub(crate) async fn close(&self) {
        let pipelines = self.live.load_full();
        let closing: Vec<_> = pipelines.pipelines.values().map(|pipeline| pipeline.close()).collect();
        for closing in closing {
            closing.await;
        }
    }

    /// Starts one of so many pipelines, which share the memory for events.
    fn start_pipeline(&self, name: &str, parts: Parts, of: usize) -> Result<Arc<Pipeline>, StartError> {
        let max_bytes = usize::try_from(self.server.body_bytes()).unwrap_or(usize::MAX) / of.max(1);
        let started = Pipeline::start(name, parts, max_bytes, &self.log, &self.layout());
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

/// Returns whether a gateway could keep anything there: better to be known now than at the first event.
fn try_to_write(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let path = directory.join("written-at-the-start");
    std::fs::File::create(&path)?.sync_all()?;
    std::fs::remove_file(path)
}

/// The parts of every pipeline.
pub(crate) fn make_all(read: &Read, catalog: &Catalog) -> Result<BTreeMap<String, Parts>, ConfigError> {
    let (mut made, mut errors) = (BTreeMap::new(), ConfigErrors::default());
    for (name, pipeline) in &read.config.pipelines {
        let Some(tables) = read.pipelines.get(name) else { continue };
        made.extend(errors.check(Parts::make(pipeline, tables, catalog)).map(|parts| (name.clone(), parts)));
    }
    errors.or(made)
}

/// Every destination, by its pipeline and its name.
pub(crate) fn places(made: &BTreeMap<String, Parts>) -> Vec<Place> {
    let of_pipeline = |(pipeline, parts): (&String, &Parts)| {
        let names: Vec<Place> = parts.names().map(|name| (pipeline.clone(), name.to_owned())).collect();
        names
    };
    made.iter().flat_map(of_pipeline).collect()
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("path", &self.path).finish_non_exhaustive()
    }
}
