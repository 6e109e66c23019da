//! The settings of a client.

mod build;
mod signals;

use std::fmt;
use std::time::Duration;

use tokio::runtime::Handle;
use tower_layer::Layer;
use tower_service::Service;

use crate::analytics::Analytics;
use crate::background::HostSleep;
use crate::clock::Clock;
use crate::emitter::{Emitter, MapFailure, UnknownSignal};
use crate::error::{BoxError, SettingsError};
use crate::event::{Context, Event};
use crate::pipeline::{CallContext, Layers, PipelineService, UserLayer};
use crate::plugin::{IntoRegistration, Overflow, Registration};
use crate::segment::{Segment, WriteKey};

/// The settings of a client. [`build`](Self::build) checks them and starts the client.
///
/// ```
/// use std::time::Duration;
/// use tracklane::Analytics;
/// use tracklane::segment::Segment;
///
/// let segment = Segment::new("WRITE_KEY").flush_at(100).flush_interval(Duration::from_secs(5));
/// let analytics = Analytics::builder().segment(segment).max_queue_size(50_000).build()?;
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[must_use = "settings do nothing until they are built"]
pub struct Builder {
    segment: Option<Segment>,
    max_queue_size: usize,
    max_queue_bytes: usize,
    overflow: Overflow,
    disabled: bool,
    all_disabled: bool,
    context: Context,
    names_library: bool,
    call_context: Option<CallContext>,
    plugins: Vec<Registration>,
    layers: Layers,
    subscriptions: Vec<Subscribe>,
    unknown_signals: Vec<UnknownSignal>,
    map_failure: Option<MapFailure>,
    carrier: Carrier,
    inspector: Option<String>,
    allow_remote_inspector: bool,
    #[cfg(feature = "metrics")]
    metrics: Option<Duration>,
    clock: Clock,
}

/// Where the client works.
enum Carrier {
    OwnThread,
    Runtime(Handle),
    Driven(HostSleep),
}

type Subscribe = Box<dyn FnOnce(&Emitter) -> Result<(), UnknownSignal> + Send>;

impl Analytics {
    /// Starts a client for the Segment source with that write key, with the defaults.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be a write key (it is empty, or has white space), or if the background thread
    /// cannot be started.
    pub fn new(write_key: impl Into<WriteKey>) -> Result<Self, SettingsError> {
        Self::builder_for(write_key).build()
    }

    /// Returns the settings of a client without destinations. [`Builder::segment`] adds Segment, and
    /// [`Builder::plugin`] any other destination.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Returns the settings of a client for the Segment source with that write key:
    /// `Analytics::builder().segment(Segment::new(write_key))`. Another host, a proxy or gzip are settings of
    /// [`Segment`], so they need the long form.
    pub fn builder_for(write_key: impl Into<WriteKey>) -> Builder {
        Builder::new().segment(Segment::new(write_key))
    }
}

impl Builder {
    /// The default of [`max_queue_size`](Self::max_queue_size).
    pub const MAX_QUEUE_SIZE: usize = 10_000;
    /// The default of [`max_queue_bytes`](Self::max_queue_bytes).
    pub const MAX_QUEUE_BYTES: usize = 32 * 1024 * 1024;

    pub(crate) fn new() -> Self {
        Self {
            segment: None,
            max_queue_size: Self::MAX_QUEUE_SIZE,
            max_queue_bytes: Self::MAX_QUEUE_BYTES,
            overflow: Overflow::default(),
            disabled: false,
            all_disabled: false,
            context: Context::new(),
            names_library: true,
            call_context: None,
            plugins: Vec::new(),
            layers: Layers::default(),
            subscriptions: Vec::new(),
            unknown_signals: Vec::new(),
            map_failure: None,
            carrier: Carrier::OwnThread,
            inspector: None,
            allow_remote_inspector: false,
            #[cfg(feature = "metrics")]
            metrics: None,
            clock: Clock::System,
        }
    }

    /// Sends to Segment, with these settings. The last call counts. For a second source, make another destination with
    /// [`Segment::build`], and register it with [`plugin`](Self::plugin).
    ///
    /// ```
    /// use tracklane::Analytics;
    /// use tracklane::segment::Segment;
    ///
    /// let analytics = Analytics::builder().segment(Segment::new("WRITE_KEY").flush_at(100)).build()?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn segment(mut self, segment: Segment) -> Self {
        self.segment = Some(segment);
        self
    }

    /// With `true`, sends nothing to Segment, like the setting of analytics-node. Plugins, signals, callbacks and other
    /// destinations work. Segment's destination drops at once what it gets ([`Disabled`](crate::DropReason::Disabled),
    /// which is not a failure). It needs neither a write key nor an HTTP client, so it works on a machine without
    /// certificates. The destination of [`Segment::wrap`] is left out. For tests and development. See
    /// [`disable_all`](Self::disable_all).
    pub fn disable(mut self, disable: bool) -> Self {
        self.disabled = disable;
        self
    }

    /// With `true`, does nothing at all. Settings and calls are checked, and each event is dropped in its call
    /// ([`Disabled`](crate::DropReason::Disabled)). No plugin, no destination and no signal gets it; its callback or
    /// receipt does. Like [`disable`](Self::disable), it needs no write key.
    pub fn disable_all(mut self, disable: bool) -> Self {
        self.all_disabled = disable;
        self
    }

    /// Limits the events under way, from the call to the outcome. 10,000 by default.
    pub fn max_queue_size(mut self, events: usize) -> Self {
        self.max_queue_size = events;
        self
    }

    /// Limits the bytes of JSON of the events under way. At least 32,768, the size of one event. 32 MiB by default.
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.max_queue_bytes = bytes;
        self
    }

    /// Sets what happens when the queue is full. By default the call returns an error.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Sets context for every event. It is merged deeply under the context of an event, whose members win.
    pub fn context(mut self, context: impl Into<Context>) -> Self {
        self.context = context.into();
        self
    }

    /// Leaves `context.library` to the events: a client that passes on the events of others has not made them. By default
    /// each event gets this crate's name and version there, where it does not have them.
    pub fn without_library(mut self) -> Self {
        self.names_library = false;
        self
    }

    /// Calls `provider` for context in every call, on the calling thread. Use it for context of the current work rather
    /// than of the program, such as the request that is being handled; the crate `tracklane-axum` has a provider for
    /// that. The context is merged deeply, under that of the call and over [`context`](Self::context).
    ///
    /// ```
    /// use std::cell::RefCell;
    /// use tracklane::{Analytics, Context};
    ///
    /// thread_local!(static JOB: RefCell<Option<String>> = const { RefCell::new(None) });
    ///
    /// let job = || JOB.with_borrow(|job| job.as_ref().map(|job| Context::new().with("job", job)));
    /// let analytics = Analytics::builder_for("WRITE_KEY").call_context(job).build()?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    ///
    /// The provider should be quick, because it runs in every call. It must not make calls of this client. If it
    /// panics, or its context cannot be sent, the event goes on without that context, and `error` reports it once until
    /// it works again. The context counts towards the size of the event. There is one provider; the last one set is
    /// called.
    pub fn call_context(mut self, provider: impl Fn() -> Option<Context> + Send + Sync + 'static) -> Self {
        self.call_context = Some(CallContext::new(provider));
        self
    }

    /// Registers a plugin or destination before the first event. If it fails to load, `error` reports it, and the
    /// client works without it.
    pub fn plugin(mut self, plugin: impl IntoRegistration) -> Self {
        self.plugins.push(plugin.into_registration());
        self
    }

    /// Adds source middleware: a tower layer around the whole pipeline, which sees every event first. The last one
    /// added is the outermost. An event that it does not pass on counts as dropped by middleware.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<PipelineService> + Send + 'static,
        L::Service: Service<Event, Response = ()> + Send + 'static,
        <L::Service as Service<Event>>::Error: Into<BoxError>,
        <L::Service as Service<Event>>::Future: Send,
    {
        self.layers.around.push(boxed(layer));
        self
    }

    /// Like [`layer`](Self::layer), between the before and the enrichment plugins: the layer is around the enrichment
    /// plugins and the destinations. It sees events as the before plugins have left them.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower::limit::RateLimitLayer;
    /// use tracklane::Analytics;
    ///
    /// let builder = Analytics::builder().layer_enrichment(RateLimitLayer::new(1_000, Duration::from_secs(1)));
    /// # let _ = builder;
    /// ```
    ///
    /// Layers are built once, by [`build`](Self::build), and keep their state when plugins are registered and
    /// deregistered. Events of a [direct pipeline](crate::Analytics::pipeline) pass these layers, too.
    pub fn layer_enrichment<L>(mut self, layer: L) -> Self
    where
        L: Layer<PipelineService> + Send + 'static,
        L::Service: Service<Event, Response = ()> + Send + 'static,
        <L::Service as Service<Event>>::Error: Into<BoxError>,
        <L::Service as Service<Event>>::Future: Send,
    {
        self.layers.enrichment.push(boxed(layer));
        self
    }

    /// Like [`layer_enrichment`](Self::layer_enrichment), behind all plugins: the layer is around the destinations. It
    /// sees each event as destinations get it, except for the default context.
    pub fn layer_destinations<L>(mut self, layer: L) -> Self
    where
        L: Layer<PipelineService> + Send + 'static,
        L::Service: Service<Event, Response = ()> + Send + 'static,
        <L::Service as Service<Event>>::Error: Into<BoxError>,
        <L::Service as Service<Event>>::Future: Send,
    {
        self.layers.destinations.push(boxed(layer));
        self
    }

    /// Works on this runtime instead of a thread of its own. Events that are under way when the runtime ends are lost.
    /// The client keeps one thread, which sleeps unless plugins run: the watchdog, which notices plugins that block.
    /// The last call of this and [`driven`](Self::driven) counts.
    ///
    /// The client's own thread blocks SIGPIPE, so that a lost TLS connection cannot end a program that has this signal
    /// at its default. The threads of this runtime are the program's. Rust programs ignore SIGPIPE unless they change
    /// that. If yours does not, block the signal where the threads start (`tokio`'s `on_thread_start`).
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.carrier = Carrier::Runtime(runtime);
        self
    }

    /// Makes a client without a thread. It works on the task of a caller that awaits it. Use it on hosts without threads
    /// (WebAssembly in edge workers and browsers), and on hosts that freeze between two requests. `sleep` makes a future
    /// that ends after a time, such as `tokio::time::sleep`. The last call of this and [`runtime`](Self::runtime) counts.
    ///
    /// [`flush`](Analytics::flush), [`close`](Analytics::close), [`send_when_ready`](Analytics::send_when_ready), a
    /// [`Receipt`](crate::Receipt) and [`drive`](Analytics::drive) drive the client, and so does registering. Nothing runs
    /// in between: the end of an interval or a pause is noticed when the client is driven again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracklane::segment::Segment;
    /// use tracklane::testing::TrackingApi;
    /// use tracklane::{Analytics, Track};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let api = TrackingApi::start()?;
    /// let segment = Segment::new("WRITE_KEY").host(api.url());
    /// let analytics = Analytics::builder().segment(segment).driven(tokio::time::sleep).build()?;
    ///
    /// analytics.track(Track::new("Signed Up").user_id("u1"))?;
    /// let report = analytics.flush(Duration::from_secs(2)).await;
    /// assert_eq!((report.delivered, api.request_count()), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Listeners and callbacks run where the client is driven, so they should not block. No watchdog reports code that
    /// blocks. The drop of the last clone delivers nothing, so close the client. The default HTTP client must be driven in
    /// a tokio runtime, and looks names up on a thread. Other HTTP clients have needs of their own.
    pub fn driven<S>(mut self, sleep: impl Fn(Duration) -> S + Send + Sync + 'static) -> Self
    where
        S: Future + Send + 'static,
    {
        self.carrier = Carrier::Driven(Box::new(move |time| {
            let slept = sleep(time);
            Box::pin(async move { drop(slept.await) })
        }));
        self
    }

    /// Reports the way of each event to the `tracklane dev` at this URL: what each plugin changed and how long it took, why
    /// an event was dropped and by which plugin, its destinations, and every attempt. Off by default.
    ///
    /// It is meant for development: the reports have the content of events. So a URL on another machine is refused unless
    /// [`allow_remote_inspector`](Self::allow_remote_inspector) is set.
    ///
    /// ```
    /// use tracklane::Analytics;
    ///
    /// // The URL that `tracklane dev` prints, with its token if it has one.
    /// let analytics = Analytics::builder_for("WRITE_KEY").inspector("http://127.0.0.1:8765").build()?;
    /// # analytics.close_blocking(std::time::Duration::ZERO);
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    ///
    /// The pipeline never waits for it. At most 16 MiB of reports wait to be sent. Then the oldest are removed, and the
    /// server is told how many events they concern. The signal `error` reports a server that is not reached, once until it
    /// is reached again. A close waits for the reports: at most a second, and at least 100 ms even beyond its deadline.
    pub fn inspector(mut self, url: impl Into<String>) -> Self {
        self.inspector = Some(url.into());
        self
    }

    /// Allows an [`inspector`](Self::inspector) on another machine. The content of events then goes over the network,
    /// unencrypted if the URL begins with `http://`. `false` by default.
    pub fn allow_remote_inspector(mut self, allow: bool) -> Self {
        self.allow_remote_inspector = allow;
        self
    }

    /// Reports the client's counts as metrics of the `metrics` facade, every `interval`:
    /// `tracklane_events_accepted_total`, `tracklane_destination_delivered_total` and their siblings. Needs the feature
    /// `metrics`.
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, interval: Duration) -> Self {
        self.metrics = Some(interval);
        self
    }

    /// Takes the time from `clock`.
    #[cfg(feature = "testing")]
    pub fn clock(mut self, clock: crate::clock::ManualClock) -> Self {
        self.clock = Clock::Manual(clock);
        self
    }
}

fn boxed<L>(layer: L) -> UserLayer
where
    L: Layer<PipelineService> + Send + 'static,
    L::Service: Service<Event, Response = ()> + Send + 'static,
    <L::Service as Service<Event>>::Error: Into<BoxError>,
    <L::Service as Service<Event>>::Future: Send,
{
    Box::new(move |inner| PipelineService::new(layer.layer(inner)))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("segment", &self.segment).finish_non_exhaustive()
    }
}
