//! Signals, and the listeners that subscribe to them.
//!
//! Invariant: a signal costs nothing while nobody listens, and a listener cannot change delivery. Each listener has a
//! bounded queue. It is called with one signal after the other, on a thread where it may block. A listener that panics,
//! hangs or is slow loses its own signals, which are counted, and delays nobody else.
//!
//! Failures come at a bounded rate (`reports.rs`).

mod display;
mod failure;
mod lost;
mod reports;
mod role;
pub mod signal;
mod subscription;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reports::Reports;
pub use role::Role;
use signal::{Emitted, Failure, Signal};
use subscription::Listener;
pub use subscription::Subscription;

use crate::background::Background;
use crate::clock::Clock;
use crate::event::Event;
use crate::ledger::DropReason;
use crate::supervise::{self, Repeats, Topic, hops, log};
use crate::wait_group::WaitGroup;

/// Emits signals to listeners. Cheap to clone; destinations get one with every batch.
#[derive(Clone)]
pub struct Emitter {
    shared: Arc<Shared>,
}

struct Shared {
    background: Background,
    clock: Clock,
    /// Changes failures before anybody sees them.
    map_failure: Option<MapFailure>,
    running: WaitGroup,
    reports: Reports,
    /// One bit per signal that somebody listens to.
    wanted: AtomicU32,
    listeners: Mutex<Vec<Arc<Listener>>>,
}

/// Makes another failure of one.
pub(crate) type MapFailure = Box<dyn Fn(&Failure) -> Failure + Send + Sync>;

/// The error of a signal's name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no signal {name:?}; there are {}", Emitted::NAMES.join(", "))]
#[non_exhaustive]
pub struct UnknownSignal {
    /// The name that was asked for.
    pub name: String,
}

impl Emitter {
    pub(crate) fn new(background: Background, clock: Clock, map_failure: Option<MapFailure>) -> Self {
        let (running, reports, wanted) = (WaitGroup::default(), Reports::new(), AtomicU32::new(0));
        let shared = Shared { background, clock, map_failure, running, reports, wanted, listeners: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Calls `listener` with every `signal` until the subscription ends.
    pub fn on<S: Signal>(&self, _: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Subscription {
        self.subscribe(S::NAME, false, move |emitted| S::payload(emitted).into_iter().for_each(&listener))
    }

    /// Calls `listener` with the next `signal` only.
    pub fn once<S: Signal>(&self, _: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Subscription {
        self.subscribe(S::NAME, true, move |emitted| S::payload(emitted).into_iter().for_each(&listener))
    }

    /// Like [`on`](Self::on), for a name that comes from configuration.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no signal of that name.
    pub fn on_name(
        &self,
        name: &str,
        listener: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Result<Subscription, UnknownSignal> {
        Ok(self.subscribe(known(name)?, false, listener))
    }

    /// Like [`once`](Self::once), for a name that comes from configuration.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no signal of that name.
    pub fn once_name(
        &self,
        name: &str,
        listener: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Result<Subscription, UnknownSignal> {
        Ok(self.subscribe(known(name)?, true, listener))
    }

    /// Emits a signal. Never blocks, and never runs a listener on the calling thread.
    pub fn emit(&self, emitted: Emitted) {
        let bit = 1 << emitted.index();
        if self.shared.wanted.load(Ordering::Acquire) & bit == 0 {
            return;
        }
        // They get the signal when the lock is free again. Signals that their queues lose are dropped then, and may
        // hold the host's code.
        let listeners: Vec<_> = self.shared.listeners().iter().filter(|one| one.wants == bit).cloned().collect();
        for listener in &listeners {
            Listener::tell(listener, &emitted, &self.shared);
        }
        drop(listeners);
        self.shared.remove_ended();
    }

    /// Runs `work`, which nobody waits for, in the background of the client.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.shared.background.spawn(work);
    }

    /// Returns the output of `future` if it ends within `limit` of real time, whatever the client's clock.
    pub(crate) async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        self.shared.background.timeout(limit, future).await
    }

    /// Returns whether the client has threads for work that may block.
    pub(crate) fn has_threads(&self) -> bool {
        self.shared.background.has_threads()
    }

    /// Returns the wait group of the listeners.
    pub(crate) fn running_listeners(&self) -> &WaitGroup {
        &self.shared.running
    }

    /// Blocks until the listeners have got every signal that was emitted, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        self.shared.running.wait(timeout);
    }

    /// Takes out all listeners. They are not called any more.
    pub(crate) fn take_listeners(&self) -> impl Send + use<> {
        let mut listeners = self.shared.listeners();
        self.shared.update_wanted(&[]);
        std::mem::take(&mut *listeners)
    }

    /// Emits `error`, and logs it: as `ERROR` if events are lost, as `WARN` if not.
    pub fn fail(&self, failure: Failure) {
        let failure = self.mapped(failure);
        failure.log();
        self.emit(Emitted::Error(failure));
    }

    /// Logs that the client was closed before so many events were delivered, unless
    /// [`Builder::map_failure`](crate::Builder::map_failure) says that none of them is lost. `close` itself reports them, so
    /// no signal does.
    pub(crate) fn log_closed(&self, events: usize) {
        let mut failure = Failure::new("tracklane", "closed before these events were delivered", events);
        failure.dropped = Some(DropReason::Closed);
        let failure = self.mapped(failure);
        if failure.is_loss() {
            failure.log();
        }
    }

    /// Applies the function of [`Builder::map_failure`](crate::Builder::map_failure). If it panics, the failure stays as
    /// it is.
    fn mapped(&self, failure: Failure) -> Failure {
        let Some(map) = &self.shared.map_failure else { return failure };
        supervise::catch(|| map(&failure)).unwrap_or_else(|_| {
            log!(ERROR, what = "map_failure", "panicked; the panic was caught");
            failure
        })
    }

    /// Like [`fail`](Self::fail), once for each episode of `topic`. [`works`](Self::works) ends an episode.
    #[cold]
    pub(crate) fn fail_once(&self, topic: Topic, origin: &str, failure: impl FnOnce() -> Failure) {
        // A lock may be held for ever there.
        if self.shared.background.is_forked() {
            return;
        }
        if self.shared.reports.begins(topic, origin, || self.shared.clock.now()) {
            self.fail(failure());
        }
    }

    /// Like [`fail`](Self::fail), for repeated failures: the first is reported at once, those of the next minute
    /// together. An urgent one is not held back.
    #[cold]
    pub(crate) fn fail_throttled(
        &self,
        topic: Topic,
        origin: &str,
        (events, urgent): (usize, bool),
        failure: impl FnOnce(Repeats) -> Failure + Send + 'static,
    ) {
        match self.shared.reports.record(topic, origin, (events, urgent), self.shared.clock.now(), failure) {
            Ok(failure) => self.fail(failure),
            Err(Some(due)) => self.report_at(due),
            Err(None) => {}
        }
    }

    /// Ends an episode of failures: the next one is reported at once.
    #[inline]
    pub(crate) fn works(&self, topic: Topic, origin: &str) {
        if self.shared.reports.may_be_open(topic) && !self.shared.background.is_forked() {
            self.shared.reports.end(topic, origin);
        }
    }

    /// Reports the failures that are held back, of one origin that ends or of all.
    pub(crate) fn report_held(&self, origin: Option<&str>) {
        self.report(self.shared.reports.take_all(origin));
    }

    fn report(&self, held: Vec<(u8, Failure)>) {
        for (count, failure) in held {
            let _scope = hops::set(count);
            self.fail(failure);
        }
    }

    fn report_at(&self, due: Duration) {
        let (clock, shared) = (self.shared.clock.clone(), Arc::downgrade(&self.shared));
        self.shared.background.spawn(async move {
            clock.sleep_until(due).await;
            let Some(shared) = shared.upgrade() else { return };
            let held = shared.reports.take_due(clock.now());
            Emitter { shared }.report(held);
        });
    }

    /// Returns whether somebody listens to lost events, and a drop for `reason` is a loss.
    pub(crate) fn wants_lost(&self, reason: DropReason) -> bool {
        !reason.is_deliberate() && self.shared.wanted.load(Ordering::Relaxed) & signal::LOST != 0
    }

    /// Emits an event that is lost before the destinations, if somebody listens.
    pub(crate) fn lose(&self, event: &Event, reason: DropReason) {
        if self.wants_lost(reason) {
            self.emit(Emitted::Lost(signal::LostEvents::one(event.clone(), reason)));
        }
    }

    /// Returns whether somebody listens to calls. If nobody does, no event needs to be copied.
    pub(crate) fn wants_calls(&self) -> bool {
        self.shared.wanted.load(Ordering::Relaxed) & signal::CALLS != 0
    }

    fn subscribe(
        &self,
        name: &'static str,
        once: bool,
        call: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Subscription {
        let index = Emitted::NAMES.iter().position(|known| *known == name).unwrap_or_default();
        let listener = Arc::new(Listener::new(1 << index, once, Box::new(call)));
        let mut listeners = self.shared.listeners();
        listeners.push(listener.clone());
        self.shared.update_wanted(&listeners);
        drop(listeners);
        Subscription::new(listener, &self.shared)
    }
}

/// Returns the static name of a signal.
pub(crate) fn known(name: &str) -> Result<&'static str, UnknownSignal> {
    let known = Emitted::NAMES.iter().copied().find(|known| *known == name);
    known.ok_or_else(|| UnknownSignal { name: name.to_owned() })
}

impl Shared {
    fn listeners(&self) -> MutexGuard<'_, Vec<Arc<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out listeners that have ended. They are dropped when the lock is free again, because one may own the last
    /// client, whose end emits signals, too.
    fn remove_ended(&self) {
        let mut listeners = self.listeners();
        let ended: Vec<_> = listeners.extract_if(.., |listener| listener.has_ended()).collect();
        if !ended.is_empty() {
            self.update_wanted(&listeners);
        }
        drop(listeners);
    }

    fn update_wanted(&self, listeners: &[Arc<Listener>]) {
        let wanted = listeners.iter().fold(0, |wanted, listener| wanted | listener.wants);
        self.wanted.store(wanted, Ordering::Release);
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").field("listeners", &self.shared.listeners().len()).finish_non_exhaustive()
    }
}
