//! Starts and stops a worker.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::admin::{self, Told};
use super::partition::{Counts, Partition};
use super::share::{self, Share, Turn};
use super::suspect::Suspects;
use super::targets::{SharedTargets, Targets};
use super::{reader, release};
use crate::catalog::Catalog;
use crate::config::{self, LogConfig};
use crate::gateway::{bind, until};
use crate::jetstream::{JetStream, park_stream, stream_name};
use crate::pipeline::Parts;
use crate::signal::signalled;
use crate::state::{StartError, make_all, places};

/// The time that the tasks have to end.
const END: Duration = Duration::from_secs(20);
/// The time that the clients have to close after them.
const CLOSE: Duration = Duration::from_secs(5);
/// The time from one look at closed gates to the next, and the time that they wait for events on the way.
const LOOK: Duration = Duration::from_secs(1);
const ON_THE_WAY: Duration = Duration::from_secs(5);

/// Delivers the events of a log in JetStream, on a tokio runtime with several threads. Any number of workers can run:
/// JetStream gives each partition to one of them.
///
/// [`stop`](Self::stop) ends it. A dropped worker runs until its runtime ends.
#[derive(Debug)]
pub struct Worker {
    targets: SharedTargets,
    behind_park: SharedTargets,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    admin_address: Option<SocketAddr>,
}

impl Worker {
    /// Starts the worker for the log of a configuration file, which is that of the gateways.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used, its log is not JetStream, or the log is missing or wrong.
    pub async fn start(path: impl AsRef<Path>, catalog: Catalog) -> Result<Self, StartError> {
        let path = path.as_ref();
        let read = config::read(path)?;
        let LogConfig::JetStream(config) = &read.config.log else {
            return Err(StartError::NoStreams { path: path.to_owned() });
        };
        let made = make_all(&read, &catalog)?;
        let places = places(&made);
        let log = JetStream::open_for_reading(config, &places).await?;
        let started = |made: BTreeMap<String, Parts>, park_after| {
            let destinations = made.into_iter().map(|(name, parts)| (name, parts.into_destinations()));
            let started = Targets::start(destinations, config.max_age, park_after);
            started.map(Arc::new).map_err(|source| StartError::Pipeline { pipeline: "worker".to_owned(), source })
        };
        let targets = started(made, Some(config.park_after))?;
        // Separate clients try the parked events, as long as that takes.
        let behind_park = started(make_all(&read, &catalog)?, None)?;
        let (stop, stopped) = watch::channel(false);
        let admin = match read.config.worker.admin {
            Some(address) => Some(bind(&[address]).await?),
            None => None,
        };
        let name = format!("{:016x}", fastrand::u64(..));
        let (counts, suspects) = (Arc::new(Counts::default()), Arc::new(Suspects::of(name.clone())));
        let (share, shared) = watch::channel(Share::new());
        let mut tasks = Vec::new();
        let mut partition = |stream, targets: &SharedTargets, keep| {
            let (log, targets, counts) = (Arc::clone(&log), Arc::clone(targets), Arc::clone(&counts));
            let turn = Turn { stream: tasks.len(), share: shared.clone(), stopped: stopped.clone() };
            let (suspects, trouble) = (Arc::clone(&suspects), Mutex::default());
            let partition = Partition { log, stream, targets, keep, counts, suspects, trouble };
            tasks.push(tokio::spawn(reader::run(Arc::new(partition), turn)));
        };
        for number in 0..config.partitions {
            partition(stream_name(&config.name, number), &targets, config.keep);
        }
        for (pipeline, destination) in &places {
            partition(park_stream(&config.name, pipeline, destination), &behind_park, Duration::ZERO);
        }
        let keep_share = share::keep(Arc::clone(&log), name, tasks.len(), share);
        tasks.push(tokio::spawn(work_until(stopped.clone(), keep_share)));
        let serve_releases = release::serve(Arc::clone(&log), Arc::clone(&behind_park));
        tasks.push(tokio::spawn(work_until(stopped.clone(), serve_releases)));
        tasks.push(tokio::spawn(open_gates(Arc::clone(&log), Arc::clone(&targets), stopped.clone())));
        let admin_address = admin.as_ref().and_then(|admin| admin.addresses().first().copied());
        if let Some(admin) = admin {
            let (targets, behind_park) = (Arc::clone(&targets), Arc::clone(&behind_park));
            let router = admin::router(Told { targets, behind_park, counts });
            tasks.push(tokio::spawn(admin.serve(router, until(stopped))));
        }
        Ok(Self { targets, behind_park, stop, tasks, admin_address })
    }

    /// Returns the address of health and metrics.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Works until the process receives SIGTERM or Ctrl-C, and then stops in order.
    pub async fn run_until_signalled(self) {
        signalled().await;
        self.stop().await;
    }

    /// Stops in order: stops reading, waits for the outcomes of the messages in progress, and acknowledges them.
    /// Another worker delivers the messages without an outcome.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(END, futures_util::future::join_all(self.tasks)).await;
        self.targets.close(CLOSE).await;
        self.behind_park.close(CLOSE).await;
    }
}

/// Works until the worker is stopped.
async fn work_until(stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = until(stopped) => {}
    }
}

/// Opens each gate behind which nothing is parked any more.
async fn open_gates(log: Arc<JetStream>, targets: SharedTargets, mut stopped: watch::Receiver<bool>) {
    while tokio::time::timeout(LOOK, stopped.wait_for(|stopped| *stopped)).await.is_err() {
        for (pipeline, target) in targets.all() {
            let Some(gate) = target.gate.as_ref().filter(|gate| gate.is_closed()) else { continue };
            let is_empty = async || log.is_park_empty(pipeline, &target.name).await.unwrap_or(false);
            if !is_empty().await {
                continue;
            }
            // Events in progress may still be parked.
            let Ok(_nothing_on_the_way) = tokio::time::timeout(ON_THE_WAY, gate.emptied()).await else { continue };
            if is_empty().await {
                gate.open();
            }
        }
    }
}
