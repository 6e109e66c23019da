//! A client with the log behind it: spools, from which it sends events in the background, or streams of JetStream, from
//! which workers read them.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tower_layer::layer_fn;
use tower_service::Service;
use tracklane::plugin::{Answer, Batch, BatchService, Destination, Registration, RetryPolicy, Verdict};
use tracklane::{Analytics, BoxError, CallError, Event, Receipt, SettingsError};
use tracklane_spool::{Spool, SpoolStats};

use crate::catalog::Catalog;
use crate::config::{ConfigError, ConfigErrors, DiskConfig, PipelineConfig, PipelineTables, PluginTable};
use crate::jetstream;
use crate::layout::Layout;
use crate::log::Log;

/// Events on their way to the disk at most: those of a few thousand requests.
const MAX_EVENTS: usize = 200_000;
/// The time between two looks for events that an operator has put back.
const ADOPT_EVERY: Duration = Duration::from_secs(5);
/// The pause of a destination that refuses its credentials.
const UNAUTHORIZED: Duration = Duration::from_secs(60);
/// The time for a pipeline to end.
const CLOSE: Duration = Duration::from_secs(15);

/// A pipeline that runs.
pub(crate) struct Pipeline {
    client: Analytics,
    spools: Vec<(String, Spool)>,
    /// What it was made of.
    pub(crate) fingerprint: u64,
}

/// The checked parts of a pipeline.
pub(crate) struct Parts {
    plugins: Vec<Registration>,
    destinations: Vec<(Destination, bool)>,
    fingerprint: u64,
}

impl Parts {
    /// The names of the destinations.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.destinations.iter().map(|(destination, _)| destination.name())
    }

    /// The destinations, and whether each wants the events in their order.
    pub(crate) fn into_destinations(self) -> Vec<(Destination, bool)> {
        self.destinations
    }

    /// Makes every plugin, and starts none.
    pub(crate) fn make(
        config: &PipelineConfig,
        tables: &PipelineTables,
        catalog: &Catalog,
    ) -> Result<Self, ConfigError> {
        let mut errors = ConfigErrors::default();
        let mut plugins = Vec::with_capacity(config.plugins.len());
        for (plugin, table) in config.plugins.iter().zip(&tables.plugins) {
            plugins.extend(errors.check(catalog.make_plugin(&plugin.plugin, table)));
        }
        let mut destinations = Vec::with_capacity(config.destinations.len());
        let mut names = BTreeSet::new();
        for (destination, table) in config.destinations.iter().zip(&tables.destinations) {
            let made = catalog.make_destination(&destination.plugin, table);
            let named = made.and_then(|made| check_name(&made, &mut names, table).map(|()| made));
            destinations.extend(errors.check(named).map(|made| (made, destination.in_order)));
        }
        errors.or(Self { plugins, destinations, fingerprint: tables.fingerprint })
    }
}

impl Pipeline {
    /// Starts it on the current runtime. What waits on the disk is sent from now on. Events of `max_bytes` may be on their
    /// way to the log.
    pub(crate) fn start(
        name: &str,
        parts: Parts,
        max_bytes: usize,
        log: &Log,
        layout: &Layout,
    ) -> Result<Self, SettingsError> {
        // On the threads that serve requests: from a request to the log and back, an event changes none but the disk's.
        let mut builder = Analytics::builder().without_library().runtime(Handle::current());
        builder = builder.max_queue_size(MAX_EVENTS).max_queue_bytes(max_bytes);
        for plugin in parts.plugins {
            builder = builder.plugin(plugin);
        }
        let in_front = match log {
            Log::Disk(disk) => spools_in_front(parts.destinations, disk, name, layout),
            Log::JetStream(streams) => {
                let config = streams.config();
                let directory = layout.spool(name, jetstream::NAME);
                let spool = spool(directory.clone(), config.max_spill_bytes, config.max_age);
                let destination = jetstream::destination(streams, name, &spool, directory);
                vec![(spool, destination)]
            }
        };
        let mut spools = Vec::with_capacity(in_front.len());
        for (spool, destination) in in_front {
            spools.push((destination.name().to_owned(), spool));
            builder = builder.plugin(destination);
        }
        Ok(Self { client: builder.build()?, spools, fingerprint: parts.fingerprint })
    }

    /// Hands an event over. The receipt resolves when it is safe.
    pub(crate) fn send(&self, event: Event) -> Result<Receipt, CallError> {
        self.client.send_with_receipt(event)
    }

    /// What waits for each destination, and what became of the rest.
    pub(crate) fn stats(&self) -> impl Iterator<Item = (&str, SpoolStats)> {
        self.spools.iter().map(|(name, spool)| (name.as_str(), spool.stats()))
    }

    /// Ends it. What is not delivered by then stays on the disk.
    pub(crate) async fn close(&self) {
        // Not `close_blocking` in a blocking task: that is on the client's own runtime, where nobody waits for the end of
        // the spools.
        drop(self.client.close(CLOSE).await);
    }
}

/// The name of a destination is a folder, and its label in metrics.
fn check_name(made: &Destination, names: &mut BTreeSet<String>, table: &PluginTable) -> Result<(), ConfigError> {
    let name = made.name();
    if name.chars().any(char::is_control) {
        return Err(table.error(format!("the name {name:?} holds control characters")));
    }
    if !names.insert(name.to_owned()) {
        return Err(table.error(format!("two destinations are named {name:?}; give one another `name`")));
    }
    Ok(())
}

/// Each destination with a spool of its own.
fn spools_in_front(
    destinations: Vec<(Destination, bool)>,
    disk: &DiskConfig,
    pipeline: &str,
    layout: &Layout,
) -> Vec<(Spool, Destination)> {
    let with_spool = |(destination, in_order): (Destination, bool)| {
        let spool = spool(layout.spool(pipeline, destination.name()), disk.max_bytes, disk.max_age);
        let destination = if in_order { patient(destination, disk.max_age) } else { destination };
        // One write at a time. Events that come meanwhile go into the next, so one sync serves many requests.
        let destination = spool.in_front_of(destination).max_in_flight(1);
        (spool, destination)
    };
    destinations.into_iter().map(with_spool).collect()
}

fn spool(directory: PathBuf, max_bytes: u64, max_age: Duration) -> Spool {
    Spool::new(directory)
        .flush_at(1)
        .flush_interval(Duration::from_millis(1))
        .max_bytes(max_bytes)
        .max_age(max_age)
        .adopt_every(ADOPT_EVERY)
        .refuse_unwritten()
        .keep_refused()
}

/// The destination with its batches one after the other, each tried until it is taken or refused, or too old: whatever
/// is behind it waits.
pub(crate) fn patient(destination: Destination, max_age: Duration) -> Destination {
    persistent(destination, max_age).max_in_flight(1)
}

/// The destination with each batch tried until it is taken or refused, or too old.
pub(crate) fn persistent(destination: Destination, max_age: Duration) -> Destination {
    let retry = RetryPolicy::new().max_retries(u32::MAX).max_total_backoff(max_age).max_rate_limit(max_age);
    destination.retry(retry).layer(layer_fn(|inner| Patient { inner }))
}

/// A destination that waits while its credentials are refused, as if it were down.
struct Patient {
    inner: BatchService,
}

impl Service<Batch> for Patient {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let answer = self.inner.call(batch);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.verdict() != Verdict::Unauthorized {
                return Ok(answer);
            }
            let mut waiting = Answer::new(Verdict::Pause(UNAUTHORIZED));
            if let Some(status) = answer.status() {
                waiting = waiting.with_status(status);
            }
            Ok(waiting.with_error("the destination refuses the credentials; events wait, and it is tried again"))
        })
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("spools", &self.spools).finish_non_exhaustive()
    }
}
