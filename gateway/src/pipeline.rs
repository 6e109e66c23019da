//! A client with a spool in front of each destination. Stored events are safe, and are sent in the background.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::layer_fn;
use tower_service::Service;
use tracklane::plugin::{Answer, Batch, BatchService, Destination, Registration, RetryPolicy, Verdict};
use tracklane::{Analytics, BoxError, CallError, Event, Receipt, SettingsError};
use tracklane_spool::{Spool, SpoolStats};

use crate::catalog::Catalog;
use crate::config::{ConfigError, DiskConfig, PipelineConfig, PipelineTables};
use crate::layout::Layout;

/// Events on their way to the disk at most: those of a few thousand requests.
const MAX_EVENTS: usize = 200_000;
/// Their bytes.
const MAX_BYTES: usize = 128 << 20;
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
    /// Makes every plugin, and starts none.
    pub(crate) fn make(
        config: &PipelineConfig,
        tables: &PipelineTables,
        catalog: &Catalog,
    ) -> Result<Self, ConfigError> {
        let mut plugins = Vec::with_capacity(config.plugins.len());
        for (plugin, table) in config.plugins.iter().zip(&tables.plugins) {
            plugins.push(catalog.make_plugin(&plugin.plugin, table)?);
        }
        let mut destinations = Vec::with_capacity(config.destinations.len());
        let mut names = BTreeSet::new();
        for (destination, table) in config.destinations.iter().zip(&tables.destinations) {
            let made = catalog.make_destination(&destination.plugin, table)?;
            if !names.insert(made.name().to_owned()) {
                let name = made.name();
                return Err(table.error(format!("two destinations are named {name:?}; give one another `name`")));
            }
            destinations.push((made, destination.in_order));
        }
        Ok(Self { plugins, destinations, fingerprint: tables.fingerprint })
    }
}

impl Pipeline {
    /// Starts it. What waits on the disk is sent from now on.
    pub(crate) fn start(name: &str, parts: Parts, disk: &DiskConfig, layout: &Layout) -> Result<Self, SettingsError> {
        let mut builder = Analytics::builder().max_queue_size(MAX_EVENTS).max_queue_bytes(MAX_BYTES);
        for plugin in parts.plugins {
            builder = builder.plugin(plugin);
        }
        let mut spools = Vec::with_capacity(parts.destinations.len());
        for (destination, in_order) in parts.destinations {
            let spool = spool(disk, layout, name, destination.name());
            spools.push((destination.name().to_owned(), spool.clone()));
            let destination = if in_order { patient(destination, disk.max_age) } else { destination };
            // One write at a time. Events that come meanwhile go into the next, so one sync serves many requests.
            builder = builder.plugin(spool.in_front_of(destination).max_in_flight(1));
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
        let client = self.client.clone();
        let _ = tokio::task::spawn_blocking(move || drop(client.close_blocking(CLOSE))).await;
    }
}

fn spool(disk: &DiskConfig, layout: &Layout, pipeline: &str, destination: &str) -> Spool {
    Spool::new(layout.spool(pipeline, destination))
        .flush_at(1)
        .flush_interval(Duration::from_millis(1))
        .max_bytes(disk.max_bytes)
        .max_age(disk.max_age)
        .adopt_every(ADOPT_EVERY)
        .refuse_unwritten()
        .keep_refused()
}

/// The destination with its batches one after the other, each tried until it is taken or refused, or too old: whatever
/// is behind it waits.
fn patient(destination: Destination, max_age: Duration) -> Destination {
    let retry = RetryPolicy::new().max_retries(u32::MAX).max_total_backoff(max_age).max_rate_limit(max_age);
    destination.max_in_flight(1).retry(retry).layer(layer_fn(|inner| Patient { inner }))
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
