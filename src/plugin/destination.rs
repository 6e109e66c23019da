//! Where events go: a tower service with a lane in front of it.
//!
//! The lane gives every destination what makes it easy to write: a bounded queue, batches by count, bytes and age,
//! several batches in flight, a deadline on each attempt, retries with backoff, pauses, and splitting.

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower::ServiceExt;
use tower::util::BoxService;
use tower_layer::Layer;
use tower_service::Service;

use super::transform::Named;
use super::{Answer, Batch, Batching, Plugin, QueueLimits, Registration, RetryPolicy, Role};
use crate::contained::Contained;
use crate::error::BoxError;
use crate::event::{Event, Integrations};

/// A destination: its name, its service, and how its lane works.
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
/// An error of the service is retried, as [`RetryPolicy`] says; a service that knows better answers with an
/// [`Answer`]. A panic drops the batch and leaves the destination working.
#[must_use = "a destination does nothing until it is registered"]
pub struct Destination {
    name: Arc<str>,
    lifecycle: Arc<dyn super::Lifecycle>,
    aliases: Vec<String>,
    ignores_all: bool,
    service: BatchService,
    factory: Option<Factory>,
    layers: Vec<BatchLayer>,
    batching: Batching,
    retry: RetryPolicy,
    /// Those of the client, unless they were set.
    queue: Option<QueueLimits>,
    in_flight: NonZeroUsize,
    attempt_timeout: Duration,
}

/// A layer, to be applied where the destination works: some of tower's need a runtime for it.
type BatchLayer = Box<dyn Fn(BatchService) -> BatchService + Send>;

/// What a lane needs to know of its destination.
pub(crate) struct Wiring {
    pub(crate) service: BatchService,
    pub(crate) factory: Option<Factory>,
    pub(crate) batching: Batching,
    pub(crate) retry: RetryPolicy,
    pub(crate) queue: Option<QueueLimits>,
    pub(crate) in_flight: usize,
    pub(crate) attempt_timeout: Duration,
    pub(crate) selection: Selection,
}

/// Makes the service again, with its layers.
pub(crate) type Factory = Box<dyn FnMut() -> BatchService + Send>;

const EIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

impl Destination {
    /// The destination `name`, which is what users write in `integrations`. Each event goes to `service` by itself
    /// and at once, unless [`batching`](Self::batching) says otherwise.
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
            service: BatchService::new(service),
            factory: None,
            layers: Vec::new(),
            batching: Batching::single(),
            retry: RetryPolicy::new(),
            queue: None,
            in_flight: EIGHT,
            attempt_timeout: Duration::from_secs(10),
        }
    }

    /// [`new`](Self::new), with what makes the service again once it is dead: when its `poll_ready` fails or panics,
    /// after which no tower service may be used. `make` is called at once for the first.
    ///
    /// ```
    /// use tracklane::plugin::{Batch, Destination};
    ///
    /// # let write = |_: Batch| async { Ok::<(), std::io::Error>(()) };
    /// let destination = Destination::rebuildable("warehouse", move || tower::service_fn(write));
    /// ```
    ///
    /// After a backoff of the [`RetryPolicy`] the new service gets what the old one did not take. A destination whose
    /// service dies five times without having taken a batch, and one that cannot be rebuilt, takes no more events.
    pub fn rebuildable<S>(name: &str, mut make: impl FnMut() -> S + Send + 'static) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let first = make();
        Self { factory: Some(Box::new(move || BatchService::new(make()))), ..Self::new(name, first) }
    }

    /// [`new`](Self::new), with an async closure.
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
    /// the outermost. They are applied when the destination is registered, on the runtime that it works on.
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

    /// Another name by which users know the destination in `integrations`.
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.to_owned());
        self
    }

    /// Whether the destination gets events whose `integrations` say `All: false` and do not name it. For a
    /// destination that distributes events itself.
    pub fn ignores_all(mut self, ignores: bool) -> Self {
        self.ignores_all = ignores;
        self
    }

    /// When events leave as a batch, and how large one may be.
    pub fn batching(mut self, batching: Batching) -> Self {
        self.batching = batching;
        self
    }

    /// How often and how long a failed batch is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How much may wait, and what happens beyond. By default as much as the settings of the client say
    /// (`max_queue_size`, `max_queue_bytes`, `overflow`).
    pub fn queue(mut self, queue: QueueLimits) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Batches that may be under way at once, 8 by default. With 1, events arrive in order: a batch that is tried
    /// again holds back those behind it.
    pub fn in_flight(mut self, batches: NonZeroUsize) -> Self {
        self.in_flight = batches;
        self
    }

    /// How long one attempt may take, 10 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// What is loaded before the destination gets events and unloaded after its last.
    pub fn lifecycle(mut self, plugin: impl Plugin) -> Self {
        self.lifecycle = Arc::new(Contained::new(plugin));
        self
    }

    /// The destination's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A destination that users take for this one (name, aliases, `All`), with another service. For what stands in
    /// front of a destination, as a queue on disk does. It has this one's [`queue`](Self::queue), too, for what waits
    /// waits in front. Batching, retries, timeouts, layers and the lifecycle stay with this one.
    pub fn stand_in<S>(&self, service: S) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let mut stand_in = Self::new(&self.name, service);
        (stand_in.aliases, stand_in.ignores_all) = (self.aliases.clone(), self.ignores_all);
        stand_in.queue = self.queue;
        stand_in
    }

    /// Which events it is to have.
    pub(crate) fn selection(&self) -> Selection {
        let (name, aliases) = (self.name.clone(), self.aliases.clone());
        Selection { name, aliases, ignores_all: self.ignores_all }
    }

    pub(crate) fn into_wiring(self) -> Wiring {
        let selection = self.selection();
        let Self { batching, retry, queue, in_flight, attempt_timeout, layers, .. } = self;
        let wrap = move |service| layers.iter().fold(service, |service, layer| layer(service));
        let service = wrap(self.service);
        let factory = self.factory.map(|mut make| -> Factory { Box::new(move || wrap(make())) });
        Wiring { service, factory, batching, retry, queue, in_flight: in_flight.get(), attempt_timeout, selection }
    }
}

impl From<Destination> for Registration {
    fn from(destination: Destination) -> Self {
        let (name, lifecycle) = (destination.name.clone(), destination.lifecycle.clone());
        let mut registration = Registration::new(lifecycle, Role::Destination(Box::new(destination)));
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

/// Which events a destination gets.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    name: Arc<str>,
    aliases: Vec<String>,
    ignores_all: bool,
}

impl Selection {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the event's `integrations` let it go to this destination: what names the destination decides, then
    /// `All`, and without either it goes. An object switches on, as `true` does.
    pub(crate) fn selects(&self, event: &Event) -> bool {
        let Some(integrations) = event.integrations() else { return true };
        let mut names = std::iter::once(&*self.name).chain(self.aliases.iter().map(String::as_str));
        match names.find_map(|name| switch(integrations, name)) {
            Some(named) => named,
            None => self.ignores_all || switch(integrations, "All").unwrap_or(true),
        }
    }
}

fn switch(integrations: &Integrations, name: &str) -> Option<bool> {
    let setting = integrations.get(name)?;
    Some(!matches!(setting, serde_json::Value::Bool(false) | serde_json::Value::Null))
}

/// A destination's service with its type hidden, as [`Destination::layer`] wraps it.
pub struct BatchService(Contained<BoxService<Batch, Answer, BoxError>>);

impl BatchService {
    fn new<S>(service: S) -> Self
    where
        S: Service<Batch> + Send + 'static,
        S::Response: Into<Answer>,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        Self(Contained::new(BoxService::new(service.map_response(Into::into).map_err(Into::into))))
    }
}

impl Service<Batch> for BatchService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        self.0.call(batch)
    }
}

impl fmt::Debug for BatchService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchService").finish_non_exhaustive()
    }
}
