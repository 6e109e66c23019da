//! Settings, and a running client from them.

mod build;

use std::fmt;
use std::time::Duration;

use tokio::runtime::Handle;
use tower_layer::Layer;
use tower_service::Service;

use crate::analytics::Analytics;
use crate::background::HostSleep;
use crate::clock::Clock;
use crate::emitter::signal::{Emitted, Signal};
use crate::emitter::{Emitter, Subscription, UnknownSignal};
use crate::error::{BoxError, SettingsError};
use crate::event::{Context, Event};
use crate::pipeline::{CallContext, Layers, PipelineService, UserLayer};
use crate::plugin::{IntoRegistration, Overflow, Registration};
use crate::segment::{Segment, WriteKey};

/// The settings of a client; [`build`](Self::build) checks them and starts it.
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
    call_context: Option<CallContext>,
    plugins: Vec<Registration>,
    layers: Layers,
    subscriptions: Vec<Subscribe>,
    carrier: Carrier,
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
    /// If it cannot be a write key (empty, or with white space), or the background thread cannot be started.
    pub fn new(write_key: impl Into<WriteKey>) -> Result<Self, SettingsError> {
        Self::builder_for(write_key).build()
    }

    /// Returns the settings of a client that sends nowhere yet: to Segment with [`Builder::segment`], and to every
    /// destination that is registered.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Returns the settings of a client for the Segment source with that write key:
    /// `Analytics::builder().segment(Segment::new(write_key))`.
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
            call_context: None,
            plugins: Vec::new(),
            layers: Layers::default(),
            subscriptions: Vec::new(),
            carrier: Carrier::OwnThread,
            #[cfg(feature = "metrics")]
            metrics: None,
            clock: Clock::System,
        }
    }

    /// Sends to Segment, with these settings. Another source is a destination like any other: [`Segment::build`] makes
    /// it, and [`plugin`](Self::plugin) registers it. Of several calls the last one counts.
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

    /// Whether nothing is sent to Segment, as in analytics-node: plugins, signals, callbacks and other destinations work,
    /// and Segment's destination ends what it gets at once as dropped
    /// ([`Disabled`](crate::DropReason::Disabled), which is no failure). Neither a write key nor an HTTP client is
    /// needed, so it works on a machine without certificates; what [`Segment::wrap`] would put around
    /// the destination is left out. For tests and development. See [`disable_all`](Self::disable_all).
    pub fn disable(mut self, disable: bool) -> Self {
        self.disabled = disable;
        self
    }

    /// Whether nothing happens at all: settings and calls are checked, and each event ends in its call, as dropped
    /// ([`Disabled`](crate::DropReason::Disabled)). No plugin and no destination sees it, and no signal tells of it; its
    /// callback or receipt does. Like [`disable`](Self::disable) it needs no write key.
    pub fn disable_all(mut self, disable: bool) -> Self {
        self.all_disabled = disable;
        self
    }

    /// Events under way at most, from the call to the outcome. 10,000 by default.
    pub fn max_queue_size(mut self, events: usize) -> Self {
        self.max_queue_size = events;
        self
    }

    /// What the events under way may weigh, in bytes of JSON; at least 32,768, the size of one event. 32 MiB by
    /// default.
    pub fn max_queue_bytes(mut self, bytes: usize) -> Self {
        self.max_queue_bytes = bytes;
        self
    }

    /// What happens when the queue is full: the call returns an error, by default.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Context of every event. What an event says itself wins, deeply.
    pub fn context(mut self, context: impl Into<Context>) -> Self {
        self.context = context.into();
        self
    }

    /// Asks `provider` for context whenever a call is made, on the thread that makes it: for what belongs to the work
    /// at hand rather than to the program, such as the request that is being handled (the crate `tracklane-axum` has a
    /// provider for that). Merged deeply, under what the call sets and over [`context`](Self::context).
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
    /// It runs in every call, so it should be quick, and it must not make calls of this client. If it panics, or gives
    /// what cannot be sent, the event goes on without that context, and `error` says so once until it works again. What
    /// it gives counts towards the size of the event. There is one provider; the last one set is asked.
    pub fn call_context(mut self, provider: impl Fn() -> Option<Context> + Send + Sync + 'static) -> Self {
        self.call_context = Some(CallContext::new(provider));
        self
    }

    /// Registers a plugin or destination before the first event. If it fails to load, `error` says so and the client
    /// works without it.
    pub fn plugin(mut self, plugin: impl IntoRegistration) -> Self {
        self.plugins.push(plugin.into_registration());
        self
    }

    /// Source middleware: a tower layer around the whole pipeline, which sees every event first. The last one added is
    /// the outermost. An event that it does not pass on is counted as dropped by middleware.
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

    /// As [`layer`](Self::layer), between the before and the enrichment plugins: around the enrichment plugins and the
    /// destinations. It sees what the before plugins let through, as they have left it.
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
    /// deregistered. Events that are [driven by hand](crate::Analytics::pipeline) pass these, too.
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

    /// As [`layer_enrichment`](Self::layer_enrichment), behind all plugins: around the destinations. It sees each event
    /// as destinations get it, but for the default context.
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

    /// Subscribes before anything is emitted. See [`Analytics::on`](crate::Analytics::on).
    pub fn on<S: Signal>(self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Self {
        self.subscribe(move |emitter| Ok(emitter.on(signal, listener)))
    }

    /// Subscribes to the first `signal` only. See [`Analytics::once`](crate::Analytics::once).
    pub fn once<S: Signal>(self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Self {
        self.subscribe(move |emitter| Ok(emitter.once(signal, listener)))
    }

    /// As [`on`](Self::on), for a name that comes from configuration, such as `"error"`. If there is no signal of that
    /// name, [`build`](Self::build) says so.
    pub fn on_name(self, name: &str, listener: impl Fn(&Emitted) + Send + Sync + 'static) -> Self {
        let name = name.to_owned();
        self.subscribe(move |emitter| emitter.on_name(&name, listener))
    }

    /// As [`once`](Self::once), for a name that comes from configuration.
    pub fn once_name(self, name: &str, listener: impl Fn(&Emitted) + Send + Sync + 'static) -> Self {
        let name = name.to_owned();
        self.subscribe(move |emitter| emitter.once_name(&name, listener))
    }

    fn subscribe(
        mut self,
        subscribe: impl FnOnce(&Emitter) -> Result<Subscription, UnknownSignal> + Send + 'static,
    ) -> Self {
        self.subscriptions.push(Box::new(move |emitter| subscribe(emitter).map(drop)));
        self
    }

    /// Works on this runtime instead of a thread of its own; of this and [`driven`](Self::driven) the last one counts.
    /// Events that are under way when the runtime ends are lost. One thread is left to the client, which sleeps unless
    /// plugins run: it notices those that block.
    ///
    /// The client's own thread blocks SIGPIPE, so that a connection that is lost over TLS cannot end a program that has
    /// this signal at its default. The threads of this runtime are the program's: if it does not ignore SIGPIPE, as
    /// Rust programs do unless they change that, block it where they start (`tokio`'s `on_thread_start`).
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.carrier = Carrier::Runtime(runtime);
        self
    }

    /// Makes a client without a thread, for runtimes that have none (WebAssembly in edge workers and browsers) or freeze
    /// between two requests: it works while somebody awaits it, on the task of whoever does. `sleep` makes a future that
    /// ends after a time, such as `tokio::time::sleep`. Of this and [`runtime`](Self::runtime) the last one counts.
    ///
    /// Calls are queued as always. What awaits the client drives it: [`flush`](Analytics::flush),
    /// [`close`](Analytics::close), [`register`](Analytics::register), [`deregister`](Analytics::deregister),
    /// [`send_when_ready`](Analytics::send_when_ready), a [`Receipt`](crate::Receipt), and
    /// [`drive`](Analytics::drive), which does nothing else. Nothing runs in between: an interval or a pause that is over
    /// is noticed when the client is driven again.
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
    /// assert_eq!(api.request_count(), 0);
    /// let report = analytics.flush(Duration::from_secs(2)).await;
    /// assert_eq!((report.delivered, api.request_count()), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Listeners and callbacks run where the client is driven, so they should not block. What blocks is not reported, and
    /// the drop of the last clone delivers nothing more: close the client. The default HTTP client needs a tokio runtime
    /// around whoever drives, and looks names up on a thread; any other works as it does.
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

    /// Sets the client's counts as metrics of the `metrics` facade, every `interval`: `tracklane_events_accepted_total`,
    /// `tracklane_destination_delivered_total` and their siblings. Needs the feature `metrics`.
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
