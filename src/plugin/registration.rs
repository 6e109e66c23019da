//! A plugin with its role, ready to be registered.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::after::AfterCall;
use super::transform::TransformCall;
use super::{Destination, Lifecycle, Plugin};
use crate::emitter::Role;
use crate::error::SettingsError;
use crate::event::Kind;
use crate::supervise::{CatchDrop, CircuitBreaker};

/// A plugin and its role. [`before`](super::before), [`enrichment`](super::enrichment), [`after`](super::after),
/// [`utility`](super::utility) and their relatives make it, and so does a [`Destination`].
#[must_use = "a plugin does nothing until it is registered"]
pub struct Registration {
    pub(crate) name: Arc<str>,
    pub(crate) lifecycle: Arc<dyn Lifecycle>,
    pub(crate) behavior: Behavior,
    kinds: u8,
    concurrency: NonZeroUsize,
    quarantine: Option<Arc<str>>,
}

/// The types that can be registered: a [`Registration`], which is a plugin with its role, or a [`Destination`].
///
/// A plugin alone cannot be registered, because the same `Transform` may be a before or an enrichment plugin:
///
/// ```compile_fail,E0277
/// use tracklane::plugin::{Flow, Plugin, Transform};
/// use tracklane::{Analytics, BoxError, Event};
///
/// struct Host;
///
/// impl Plugin for Host {
///     fn name(&self) -> &str { "host" }
/// }
///
/// impl Transform for Host {
///     async fn transform(&self, _: &mut Event) -> Result<Flow, BoxError> { Ok(Flow::Continue) }
/// }
///
/// // The compiler says to write `enrichment(Host)` or `before(Host)`.
/// Analytics::builder().plugin(Host);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be registered: a plugin is registered with its role",
    label = "no role, such as `enrichment(…)`",
    note = "a `Transform` is registered as `before(plugin)` or `enrichment(plugin)`, an `After` as `after(plugin)`, any other `Plugin` as `utility(plugin)`",
    note = "a closure is registered as `before_fn(name, closure)`, `enrichment_fn(name, closure)` or `after_fn(name, closure)`, a tower service as `Destination::new(name, service)`",
    note = "add a `?` if it is a `Result`, such as of a `build()`"
)]
pub trait IntoRegistration {
    /// Converts it for the client.
    fn into_registration(self) -> Registration;
}

impl IntoRegistration for Registration {
    fn into_registration(self) -> Registration {
        self
    }
}

impl IntoRegistration for Destination {
    fn into_registration(self) -> Registration {
        self.into()
    }
}

/// The work of a plugin in its role.
pub(crate) enum Behavior {
    Before(Runner),
    Enrichment(Runner),
    Destination(Box<Destination>),
    After(Arc<dyn AfterCall>),
    Utility,
}

/// The form of a transform: synchronous, or a future.
#[derive(Clone)]
pub(crate) enum Runner {
    Sync(Arc<super::transform::SyncTransform>),
    Async(Arc<dyn TransformCall>),
}

/// A before or enrichment plugin, as the stack has it.
pub(crate) struct TransformPlugin {
    pub(crate) name: Arc<str>,
    pub(crate) runner: Runner,
    pub(crate) lifecycle: Arc<dyn Lifecycle>,
    kinds: u8,
    concurrency: usize,
    /// The destination of what it drops.
    quarantine: Option<Arc<str>>,
    permits: Semaphore,
    breaker: CircuitBreaker,
}

/// An after plugin, as it is registered.
pub(crate) struct AfterPlugin {
    pub(crate) name: Arc<str>,
    pub(crate) call: Arc<dyn AfterCall>,
    pub(crate) lifecycle: Arc<dyn Lifecycle>,
    kinds: u8,
    breaker: CircuitBreaker,
}

const ALL_KINDS: u8 = u8::MAX;

fn bit(kind: Kind) -> u8 {
    1 << kind as u8
}

impl Registration {
    pub(super) fn new(lifecycle: Arc<dyn Lifecycle>, behavior: Behavior) -> Self {
        let (name, concurrency) = (lifecycle.name().into(), NonZeroUsize::MIN);
        Self { name, lifecycle, behavior, kinds: ALL_KINDS, concurrency, quarantine: None }
    }

    /// Shows the plugin events of these kinds only. Others pass without it.
    pub fn only(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.kinds = kinds.into_iter().fold(0, |kinds, kind| kinds | bit(kind));
        self
    }

    /// Sets the plugin that is loaded before the first event and unloaded after the last, for a closure that needs a start
    /// or an end. The name stays that of the closure.
    ///
    /// ```
    /// use tracklane::plugin::{Host, Plugin, before_fn};
    /// use tracklane::{BoxError, Event};
    ///
    /// struct Hello;
    ///
    /// impl Plugin for Hello {
    ///     fn name(&self) -> &str { "hello" }
    ///
    ///     async fn load(&self, host: &Host) -> Result<(), BoxError> {
    ///         host.emitter().once(tracklane::signal::Initialize, |_| println!("events flow"));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let plugin = before_fn("hello", |event: &mut Event| event.set_category("web")).lifecycle(Hello);
    /// # let _ = plugin;
    /// ```
    pub fn lifecycle(mut self, plugin: impl Plugin) -> Self {
        self.lifecycle = Arc::new(CatchDrop::new(plugin));
        self
    }

    /// Sets how many events an asynchronous before or enrichment plugin takes at once. The default is one, so a plugin
    /// that takes 10 ms lets 100 events a second through.
    ///
    /// Events keep their order: one that is done waits until those before it are done. Each has its own second, and
    /// fails alone. The setting changes nothing for synchronous plugins, and for destinations, which have
    /// [`max_in_flight`](Destination::max_in_flight).
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// use tracklane::{BoxError, Event};
    /// use tracklane::plugin::{Flow, Plugin, Transform, enrichment};
    ///
    /// struct Features;
    ///
    /// impl Plugin for Features {
    ///     fn name(&self) -> &str { "features" }
    /// }
    ///
    /// impl Transform for Features {
    ///     async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
    ///         // … asks a service, which takes 10 ms.
    ///         # let _ = event;
    ///         Ok(Flow::Continue)
    ///     }
    /// }
    ///
    /// // 6,400 events a second instead of 100.
    /// let features = enrichment(Features).concurrency(NonZeroUsize::new(64).unwrap());
    /// # let _ = features;
    /// ```
    pub fn concurrency(mut self, events: NonZeroUsize) -> Self {
        self.concurrency = events;
        self
    }

    /// Sends the events that a before or enrichment plugin drops ([`Flow::Drop`](super::Flow::Drop)) to the destination of
    /// this name, to look at them or to send them again later. It has no effect on other plugins.
    ///
    /// Such an event still counts as dropped by a plugin. The quarantine's own outcome is in the counts of that
    /// destination and in the event's [`Settlement`](crate::Settlement). The event goes there whatever its `integrations`
    /// say. The other plugins of the stage still see it before, so that a redaction behind this plugin redacts it. If one
    /// of them drops it without a quarantine, or fails, the event goes nowhere.
    ///
    /// The destination gets no other events, from the registration of this plugin on. If it is not registered, the event
    /// is dropped, and the signal `error` reports it.
    ///
    /// ```
    /// use tracklane::Event;
    /// use tracklane::plugin::{Batch, Destination, Flow, before_fn};
    ///
    /// let known = before_fn("known users", |event: &mut Event| match event.user_id() {
    ///     Some(_) => Flow::Continue,
    ///     None => Flow::drop("no userId"),
    /// })
    /// .quarantine("Anonymous");
    /// let anonymous = Destination::from_fn("Anonymous", |batch: Batch| async move {
    ///     println!("{} events of nobody", batch.len());
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// let analytics = tracklane::Analytics::builder().plugin(known).plugin(anonymous).build()?;
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    pub fn quarantine(mut self, destination: &str) -> Self {
        self.quarantine = Some(destination.into());
        self
    }

    /// Returns the plugin's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the plugin's role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.behavior {
            Behavior::Before(_) => Role::Before,
            Behavior::Enrichment(_) => Role::Enrichment,
            Behavior::Destination(_) => Role::Destination,
            Behavior::After(_) => Role::After,
            Behavior::Utility => Role::Utility,
        }
    }

    /// Checks the name, and the settings of a destination.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        if self.name.is_empty() {
            return Err(SettingsError::new("plugin", &*self.name, "must have a name, which errors and counts show"));
        }
        match &self.behavior {
            Behavior::Destination(destination) => destination.check(),
            _ => Ok(()),
        }
    }

    pub(crate) fn transform(&self, runner: Runner) -> TransformPlugin {
        let (name, lifecycle) = (self.name.clone(), self.lifecycle.clone());
        let concurrency = match runner {
            Runner::Sync(_) => 1,
            Runner::Async(_) => self.concurrency.get().min(Semaphore::MAX_PERMITS),
        };
        let (kinds, permits, breaker) = (self.kinds, Semaphore::new(concurrency), CircuitBreaker::default());
        let quarantine = self.quarantine.clone();
        TransformPlugin { name, runner, lifecycle, kinds, concurrency, quarantine, permits, breaker }
    }

    pub(crate) fn after(&self, call: Arc<dyn AfterCall>) -> AfterPlugin {
        let (name, lifecycle) = (self.name.clone(), self.lifecycle.clone());
        AfterPlugin { name, call, lifecycle, kinds: self.kinds, breaker: CircuitBreaker::default() }
    }

    /// Returns which events the destination gets, if it is one.
    pub(crate) fn selection(&self) -> Option<super::Selection> {
        match &self.behavior {
            Behavior::Destination(destination) => Some(destination.selection()),
            _ => None,
        }
    }

    /// Returns the quarantine of a plugin that may drop events.
    pub(crate) fn quarantined_at(&self) -> Option<&Arc<str>> {
        let drops = matches!(self.behavior, Behavior::Before(_) | Behavior::Enrichment(_));
        self.quarantine.as_ref().filter(|_| drops)
    }

    /// Returns a function that says whether the destination wants events of a kind.
    pub(crate) fn kinds(&self) -> impl Fn(Kind) -> bool + Send + Sync + use<> {
        let kinds = self.kinds;
        move |kind| kinds & bit(kind) != 0
    }
}

impl TransformPlugin {
    /// Returns how many events it takes at once.
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Returns the permits for these events.
    pub(crate) fn permits(&self) -> &Semaphore {
        &self.permits
    }

    pub(crate) fn wants(&self, kind: Kind) -> bool {
        self.kinds & bit(kind) != 0
    }

    /// Returns the name of the destination that gets the events it drops.
    pub(crate) fn quarantine(&self) -> Option<&Arc<str>> {
        self.quarantine.as_ref()
    }

    /// Returns whether the plugin crashed so often that it is not called any more.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.breaker.is_open()
    }

    pub(crate) fn worked(&self) {
        self.breaker.record_success();
    }

    /// Counts a panic or a timeout. Returns whether it was one too many.
    pub(crate) fn crashed(&self) -> bool {
        self.breaker.record_crash()
    }
}

impl AfterPlugin {
    /// Returns whether the plugin sees the outcome of an event of this kind, and has not crashed too often.
    pub(crate) fn wants(&self, kind: Kind) -> bool {
        self.kinds & bit(kind) != 0 && !self.breaker.is_open()
    }

    pub(crate) fn worked(&self) {
        self.breaker.record_success();
    }

    /// Counts a panic or a timeout. Returns whether it was one too many.
    pub(crate) fn crashed(&self) -> bool {
        self.breaker.record_crash()
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("name", &self.name).field("role", &self.role()).finish_non_exhaustive()
    }
}
