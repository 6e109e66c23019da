//! Settings, and a running client from them.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tower_layer::Layer;
use tower_service::Service;

use crate::analytics::Analytics;
use crate::background::Background;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::{Emitted, Settled, Signal};
use crate::error::{BoxError, SettingsError};
use crate::event::{Context, Event};
use crate::ledger::Ledger;
use crate::pipeline::{
    AfterQueue, CallContext, Capacity, CurrentPlan, Intake, MiddlewareLayer, PipelineService, Shared, Watchdog, Worker,
};
use crate::plugin::{Host, Overflow, QueueLimits, Registration, RetryPolicy};
use crate::segment::{OwnKey, Region, Segment, WriteKey};
use crate::transport::HttpClient;

/// The settings of a client; [`build`](Self::build) checks them and starts it.
///
/// ```
/// use std::time::Duration;
/// use tracklane::Analytics;
///
/// let analytics = Analytics::builder("WRITE_KEY")
///     .flush_at(100)
///     .flush_interval(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[must_use = "settings do nothing until they are built"]
pub struct Builder {
    segment: Option<Segment>,
    max_queue_size: usize,
    max_queue_bytes: usize,
    overflow: Overflow,
    disabled: bool,
    context: Context,
    call_context: Option<CallContext>,
    plugins: Vec<Registration>,
    middleware: Vec<MiddlewareLayer>,
    subscriptions: Vec<Subscribe>,
    runtime: Option<Handle>,
    #[cfg(feature = "metrics")]
    metrics: Option<Duration>,
    clock: Clock,
}

type Subscribe = Box<dyn FnOnce(&Emitter) + Send>;

impl Builder {
    /// The default of [`max_queue_size`](Self::max_queue_size).
    pub const MAX_QUEUE_SIZE: usize = 10_000;
    /// The default of [`max_queue_bytes`](Self::max_queue_bytes).
    pub const MAX_QUEUE_BYTES: usize = 32 * 1024 * 1024;

    pub(crate) fn new(write_key: impl Into<WriteKey>) -> Self {
        Self { segment: Some(Segment::new(write_key)), ..Self::without_segment() }
    }

    pub(crate) fn without_segment() -> Self {
        Self {
            segment: None,
            max_queue_size: Self::MAX_QUEUE_SIZE,
            max_queue_bytes: Self::MAX_QUEUE_BYTES,
            overflow: Overflow::default(),
            disabled: false,
            context: Context::new(),
            call_context: None,
            plugins: Vec::new(),
            middleware: Vec::new(),
            subscriptions: Vec::new(),
            runtime: None,
            #[cfg(feature = "metrics")]
            metrics: None,
            clock: Clock::System,
        }
    }

    fn segment(mut self, change: impl FnOnce(Segment) -> Segment) -> Self {
        self.segment = self.segment.map(change);
        self
    }

    /// The base URL of Segment's API, with or without `/v1`. `https://api.segment.io` by default.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.segment(|segment| segment.host(host))
    }

    /// Segment's API in that region, in place of [`host`](Self::host).
    pub fn region(self, region: Region) -> Self {
        self.host(region.host())
    }

    /// The path of Segment's API. `/v1/batch` by default.
    pub fn path(self, path: impl Into<String>) -> Self {
        self.segment(|segment| segment.path(path))
    }

    /// Whether `http://` is allowed to another machine. It is not, by default: anybody on the way could read the key.
    pub fn allow_plaintext(self, allow: bool) -> Self {
        self.segment(|segment| segment.allow_plaintext(allow))
    }

    /// Events that make a batch due, 1 to 2,500; 15 by default. 1 turns batching off. While as many requests are under
    /// way as may be, what waits goes out in larger batches.
    pub fn flush_at(self, events: usize) -> Self {
        self.segment(|segment| segment.flush_at(events))
    }

    /// How long an event waits for its batch at most. 10 s by default.
    pub fn flush_interval(self, interval: Duration) -> Self {
        self.segment(|segment| segment.flush_interval(interval))
    }

    /// How long one request may take. 10 s by default.
    pub fn http_request_timeout(self, timeout: Duration) -> Self {
        self.segment(|segment| segment.http_request_timeout(timeout))
    }

    /// Attempts at a batch after the first. 10 by default.
    pub fn max_retries(self, retries: u32) -> Self {
        self.segment(|segment| segment.map_retry(|retry| retry.max_retries(retries)))
    }

    /// How long after its first failure a batch is tried again at most. 12 h by default.
    pub fn max_total_backoff(self, limit: Duration) -> Self {
        self.segment(|segment| segment.map_retry(|retry| retry.max_total_backoff(limit)))
    }

    /// How long after the first pause that Segment asked for a batch is tried again at most. 12 h by default.
    pub fn max_rate_limit(self, limit: Duration) -> Self {
        self.segment(|segment| segment.map_retry(|retry| retry.max_rate_limit(limit)))
    }

    /// How often and how long a failed batch is tried again.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.segment(|segment| segment.retry(retry))
    }

    /// Requests under way at once. 8 by default; with 1, events arrive in order.
    pub fn max_in_flight(self, requests: usize) -> Self {
        self.segment(|segment| segment.max_in_flight(requests))
    }

    /// Whether bodies are compressed. They are not, by default: it costs more time than it saves on a fast network.
    pub fn gzip(self, gzip: bool) -> Self {
        self.segment(|segment| segment.gzip(gzip))
    }

    /// The proxy of the default HTTP client, such as `http://user:password@proxy.example:8080`, in place of those that
    /// the environment names (`HTTPS_PROXY`, `NO_PROXY`, …).
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.segment(|segment| segment.proxy(url))
    }

    /// The `User-Agent` header in place of `tracklane/VERSION`.
    pub fn user_agent(self, user_agent: impl Into<String>) -> Self {
        self.segment(|segment| segment.user_agent(user_agent))
    }

    /// Whether nothing is sent: calls are checked and counted, and end at once as dropped because of this. For tests
    /// and development.
    pub fn disable(mut self, disable: bool) -> Self {
        self.disabled = disable;
        self
    }

    /// The HTTP client in place of the default one.
    pub fn http_client(self, client: HttpClient) -> Self {
        self.segment(|segment| segment.http_client(client))
    }

    /// Authorizes the requests to Segment by OAuth 2.0.
    #[cfg(feature = "oauth")]
    pub fn oauth(self, oauth: crate::segment::OAuth) -> Self {
        self.segment(|segment| segment.oauth(oauth))
    }

    /// Events under way at most, from the call to the outcome. 10,000 by default.
    pub fn max_queue_size(mut self, events: usize) -> Self {
        self.max_queue_size = events;
        self
    }

    /// What the events under way may weigh, in bytes of JSON. 32 MiB by default.
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
    /// let analytics = Analytics::builder("WRITE_KEY").call_context(job).build()?;
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
    pub fn plugin(mut self, plugin: impl Into<Registration>) -> Self {
        self.plugins.push(plugin.into());
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
        self.middleware.push(Box::new(move |inner| PipelineService::new(layer.layer(inner))));
        self
    }

    /// Subscribes before anything is emitted. See [`Analytics::on`].
    pub fn on<S: Signal>(mut self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Self {
        self.subscriptions.push(Box::new(move |emitter| drop(emitter.on(signal, listener))));
        self
    }

    /// Works on this runtime instead of a thread of its own. Events that are under way when the runtime ends are lost.
    /// One thread is left to the client, which sleeps unless plugins run: it notices those that block.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
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
    pub fn clock(mut self, clock: crate::testing::ManualClock) -> Self {
        self.clock = Clock::Manual(clock);
        self
    }

    /// Checks the settings and starts the client.
    ///
    /// # Errors
    ///
    /// If a setting cannot be used; the error names it and its value. Also if the background thread cannot be started.
    pub fn build(mut self) -> Result<Analytics, SettingsError> {
        let capacity = self.capacity()?;
        let defaults = self.default_context()?;
        let key = OwnKey::of(self.segment.as_ref());
        let plugins = self.first_plugins()?;
        let (background, keep_alive) = match self.runtime {
            Some(runtime) => Background::on(runtime),
            None => Background::start("tracklane").map_err(SettingsError::no_thread)?,
        };
        let emitter = Emitter::new(background.clone());
        let watchdog = Watchdog::start(emitter.clone()).map_err(SettingsError::no_thread)?;
        self.subscriptions.into_iter().for_each(|subscribe| subscribe(&emitter));
        let drained = {
            let emitter = emitter.clone();
            move |accepted| emitter.emit(Emitted::Drained(Settled { accepted }))
        };
        let ledger = Arc::new(Ledger::new(background.clone(), drained));
        let (after, after_worker) = AfterQueue::new();
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| Shared {
            intake: Intake::new(
                capacity,
                ledger.clone(),
                emitter.clone(),
                self.clock.clone(),
                defaults.clone(),
                self.call_context,
            ),
            clock: self.clock.clone(),
            host: host(shared.clone(), emitter.clone()),
            plan: CurrentPlan::default(),
            loaded: watch::Sender::new(false),
            after: Arc::new(after),
            watchdog,
            background,
            emitter,
            ledger,
            defaults,
        });
        // Some of tower's layers need a runtime to be applied.
        let middleware = shared.background.within(|| PipelineService::wrapped(&shared, self.middleware));
        shared.background.spawn(Worker::new(shared.clone(), middleware).run(plugins));
        let plan = Arc::downgrade(&shared);
        let plan = move || plan.upgrade().map(|shared| shared.plan.load());
        shared.background.spawn(after_worker.run(plan, shared.clock.clone(), shared.emitter.clone()));
        #[cfg(feature = "metrics")]
        if let Some(interval) = self.metrics {
            shared.background.spawn(crate::metrics::report(Arc::downgrade(&shared), interval));
        }
        Ok(Analytics::start(shared, keep_alive, key))
    }

    fn capacity(&self) -> Result<Capacity, SettingsError> {
        for (setting, value) in [("max_queue_size", self.max_queue_size), ("max_queue_bytes", self.max_queue_bytes)] {
            if value == 0 {
                return Err(SettingsError::new(setting, value, "must be at least 1"));
            }
        }
        Ok(Capacity {
            events: self.max_queue_size as u64,
            bytes: self.max_queue_bytes as u64,
            drops_oldest: self.overflow == Overflow::DropOldest,
            disabled: self.disabled,
        })
    }

    /// The context of every event: that of the settings, and which library sent it.
    fn default_context(&self) -> Result<Context, SettingsError> {
        let library = serde_json::json!({ "name": "tracklane", "version": env!("CARGO_PKG_VERSION") });
        let mut context = self.context.clone();
        if let Some(fault) = context.fault() {
            return Err(SettingsError::without_value("context", format!("cannot be sent: {fault}")));
        }
        context.merge_under(&Context::new().with("library", library));
        Ok(context)
    }

    /// Segment, if it is wanted, and what was registered; no two of one name.
    fn first_plugins(&mut self) -> Result<Vec<Registration>, SettingsError> {
        let limits = QueueLimits::new(self.max_queue_size, self.max_queue_bytes).overflow(self.overflow);
        let segment = self.segment.take().map(|segment| segment.queue(limits).build()).transpose()?;
        let mut plugins: Vec<Registration> = segment.into_iter().map(Registration::from).collect();
        for plugin in std::mem::take(&mut self.plugins) {
            if plugins.iter().any(|registered| registered.name() == plugin.name()) {
                return Err(SettingsError::new("plugin", plugin.name(), "is the name of another plugin already"));
            }
            plugins.push(plugin);
        }
        Ok(plugins)
    }
}

fn host(shared: Weak<Shared>, emitter: Emitter) -> Host {
    let send = move |event: Event| match shared.upgrade() {
        Some(shared) => shared.intake.push(event).map_err(Into::into),
        None => Err("the client is gone".into()),
    };
    Host::new(emitter, Arc::new(send))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("segment", &self.segment).finish_non_exhaustive()
    }
}
