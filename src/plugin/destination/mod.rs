//! A destination: a tower service with a lane in front of it.
//!
//! The lane does for every destination: a bounded queue, batches by count, bytes and age, several batches in flight, a
//! deadline on each attempt, retries with backoff, pauses, and splitting.

mod selection;
mod service;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

pub(crate) use selection::Selection;
use service::BatchLayer;
pub use service::BatchService;
pub(crate) use service::ServiceFactory;

use super::transform::Named;
use super::{Answer, Batch, Batching, Behavior, Plugin, QueueLimits, Registration, RetryPolicy};
use crate::error::{BoxError, SettingsError};
use crate::event::Event;
use crate::supervise::CatchDrop;

/// A destination: its name, its service, and the settings of its lane.
///
/// ```
/// use std::time::Duration;
/// use tower::timeout::TimeoutLayer;
/// use tracklane::plugin::{Batch, Batching, Destination};
///
/// let warehouse = Destination::from_fn("warehouse", |batch: Batch| async move {
///     for message in batch.messages() {
///         println!("{}", String::from_utf8_lossy(message.json()));
///     }
///     Ok::<(), std::io::Error>(())
/// })
/// .batching(Batching::every(100, Duration::from_secs(5)))
/// .layer(TimeoutLayer::new(Duration::from_secs(3)));
/// ```
///
/// An error of the service is retried as [`RetryPolicy`] says. A service that knows more answers with an [`Answer`]. A
/// panic drops the batch and leaves the destination working.
#[must_use = "a destination does nothing until it is registered"]
pub struct Destination {
    name: Arc<str>,
    lifecycle: Arc<dyn super::Lifecycle>,
    aliases: Vec<String>,
    ignores_all: bool,
    pub(crate) disabled: bool,
    pub(crate) service: BatchService,
    pub(crate) factory: Option<ServiceFactory>,
    pub(crate) layers: Vec<BatchLayer>,
    pub(crate) batching: Batching,
    pub(crate) retry: RetryPolicy,
    /// `None` stands for the limits of the client.
    pub(crate) queue: Option<QueueLimits>,
    pub(crate) max_in_flight: usize,
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_age: Option<Duration>,
}

const DEFAULT_MAX_IN_FLIGHT: usize = 8;

impl Destination {
    /// Makes the destination `name`, the name that users write in `integrations`. Each event goes to `service` alone
    /// and at once, unless [`batching`](Self::batching) is set.
    pub fn new<S>(name: &str, service: S) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        Self {
            name: name.into(),
            lifecycle: Named::lifecycle(name),
            aliases: Vec::new(),
            ignores_all: false,
            disabled: false,
            service: BatchService::new(service),
            factory: None,
            layers: Vec::new(),
            batching: Batching::single(),
            retry: RetryPolicy::new(),
            queue: None,
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            attempt_timeout: Duration::from_secs(10),
            max_age: None,
        }
    }

    /// Like [`new`](Self::new), with a factory that replaces a dead service: one whose `poll_ready` failed, and which
    /// may not be used any more. `make` is called at once for the first service.
    ///
    /// ```
    /// use tracklane::plugin::{Batch, Destination};
    ///
    /// # let write = |_: Batch| async { Ok::<(), std::io::Error>(()) };
    /// let destination = Destination::from_factory("warehouse", move || tower::service_fn(write));
    /// ```
    ///
    /// After a backoff of the [`RetryPolicy`] the new service gets the events that the old one did not take. The
    /// destination takes no more events after five dead services without a delivered batch, or when `make` panics.
    pub fn from_factory<S>(name: &str, mut make: impl FnMut() -> S + Send + 'static) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let first = make();
        Self { factory: Some(Box::new(move || BatchService::new(make()))), ..Self::new(name, first) }
    }

    /// Like [`new`](Self::new), with an async closure.
    pub fn from_fn<F, Fut, R, E>(name: &str, deliver: F) -> Self
    where
        F: FnMut(Batch) -> Fut + Send + 'static,
        Fut: Future<Output = Result<R, E>> + Send + 'static,
        R: Into<Answer> + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::new(name, tower::service_fn(deliver))
    }

    /// Wraps the service in a tower layer: timeout, rate limit, concurrency limit, load shed, … The last one added is
    /// the outermost. Layers are applied when the destination is registered, on the runtime of the client.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<BatchService> + Send + 'static,
        L::Service: Service<Batch> + Send + 'static,
        <L::Service as Service<Batch>>::Response: Into<Answer>,
        <L::Service as Service<Batch>>::Error: Into<BoxError>,
        <L::Service as Service<Batch>>::Future: Send,
    {
        self.layers.push(Box::new(move |service| BatchService::new(layer.layer(service))));
        self
    }

    /// Adds a name by which users know the destination in `integrations`.
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.to_owned());
        self
    }

    /// Drops every event at once ([`Disabled`](crate::DropReason::Disabled)), and calls no service. Everything else
    /// works: plugins, signals, other destinations.
    pub fn disable(mut self, disable: bool) -> Self {
        self.disabled = disable;
        self
    }

    /// Also delivers events whose `integrations` say `All: false` and do not name this destination. For a destination
    /// that distributes events itself.
    pub fn ignores_all(mut self, ignores: bool) -> Self {
        self.ignores_all = ignores;
        self
    }

    /// Sets when events leave as a batch, and how large one may be.
    pub fn batching(mut self, batching: Batching) -> Self {
        self.batching = batching;
        self
    }

    /// Sets how often and how long a failed batch is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Limits the queue, and sets what happens when it is full. By default it holds twice what the client may have under
    /// way (`max_queue_size`, `max_queue_bytes`), or as much if the oldest event gives way (`overflow`).
    pub fn queue(mut self, queue: QueueLimits) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Limits the batches in flight, 8 by default; 0 is an error when the destination is registered. With 1, events
    /// arrive in order: a batch that is tried again holds back those behind it.
    pub fn max_in_flight(mut self, batches: usize) -> Self {
        self.max_in_flight = batches;
        self
    }

    /// Limits the time of one attempt, 10 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the greatest age at which an event is sent, by its `timestamp`. An older one is dropped
    /// ([`DropReason::TooOld`](crate::DropReason::TooOld)), also one that grew old while the destination failed. For a
    /// vendor that moves old events to another time, or discards them. Without a limit by default.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Sets the plugin that is loaded before the destination's first event and unloaded after its last.
    pub fn lifecycle(mut self, plugin: impl Plugin) -> Self {
        self.lifecycle = Arc::new(CatchDrop::new(plugin));
        self
    }

    /// Returns the destination's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the event's `integrations` let it go to this destination: by its name or one of its aliases, else by
    /// `All`. For tools that explain where an event would go.
    #[must_use]
    pub fn selects(&self, event: &Event) -> bool {
        self.selection().selects(event)
    }

    /// Makes a destination with the name, the aliases and the `All` of this one, and another service. For a service in
    /// front of a destination, such as a queue on disk. It also has the [`queue`](Self::queue) limits of this one,
    /// because events wait in front. Batching, retries, timeouts, layers and the lifecycle stay with this one.
    pub fn with_service<S>(&self, service: S) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let mut destination = Self::new(&self.name, service);
        (destination.aliases, destination.ignores_all) = (self.aliases.clone(), self.ignores_all);
        (destination.queue, destination.disabled) = (self.queue, self.disabled);
        destination
    }

    /// Checks the settings that have bounds.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        match self.max_in_flight {
            0 => Err(SettingsError::new("max_in_flight", 0, format!("must be at least 1, at {:?}", self.name))),
            _ => Ok(()),
        }
    }

    /// Returns the names under which events select it.
    pub(crate) fn selection(&self) -> Selection {
        let (name, aliases) = (self.name.clone(), self.aliases.clone());
        Selection { name, aliases, ignores_all: self.ignores_all }
    }
}

impl From<Destination> for Registration {
    fn from(destination: Destination) -> Self {
        let (name, lifecycle) = (destination.name.clone(), destination.lifecycle.clone());
        let mut registration = Registration::new(lifecycle, Behavior::Destination(Box::new(destination)));
        registration.name = name;
        registration
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("name", &self.name)
            .field("batching", &self.batching)
            .finish_non_exhaustive()
    }
}
