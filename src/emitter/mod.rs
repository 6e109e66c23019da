//! Who is told: signals and those who subscribe to them.
//!
//! Always: a signal costs nothing while nobody listens, and a listener cannot change delivery. Each listener has a
//! bounded queue and is called on a thread where it may block, one signal after the other; one that panics, hangs or is slow
//! loses signals of its own, which are counted, and holds up nobody else.

mod display;
mod role;
pub mod signal;
mod subscription;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use role::Role;
use signal::{Emitted, Failure, Signal};
use subscription::Listener;
pub use subscription::Subscription;

use crate::background::Background;
use crate::supervise::log;
use crate::wait_group::WaitGroup;

/// Tells listeners what happens. Cheap to clone; destinations get one with every batch.
#[derive(Clone)]
pub struct Emitter {
    shared: Arc<Shared>,
}

struct Shared {
    background: Background,
    running: WaitGroup,
    /// One bit per signal that somebody listens to.
    wanted: AtomicU32,
    listeners: Mutex<Vec<Arc<Listener>>>,
}

/// The error of a signal's name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no signal {name:?}; there are {}", Emitted::NAMES.join(", "))]
#[non_exhaustive]
pub struct UnknownSignal {
    /// The name that was asked for.
    pub name: String,
}

impl Emitter {
    pub(crate) fn new(background: Background) -> Self {
        let (running, wanted) = (WaitGroup::default(), AtomicU32::new(0));
        let shared = Shared { background, running, wanted, listeners: Mutex::default() };
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

    /// As [`on`](Self::on), for a name that comes from configuration.
    ///
    /// # Errors
    ///
    /// If there is no signal of that name.
    pub fn on_name(
        &self,
        name: &str,
        listener: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Result<Subscription, UnknownSignal> {
        Ok(self.subscribe(known(name)?, false, listener))
    }

    /// As [`once`](Self::once), for a name that comes from configuration.
    ///
    /// # Errors
    ///
    /// If there is no signal of that name.
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
        // Told when the lock is free again: what they lose of their queues is dropped, and may be the host's code.
        let listeners: Vec<_> = self.shared.listeners().iter().filter(|one| one.wants == bit).cloned().collect();
        for listener in &listeners {
            Listener::tell(listener, &emitted, &self.shared);
        }
        drop(listeners);
        self.shared.forget_the_done();
    }

    /// Blocks until listeners have heard what was emitted, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        self.shared.running.wait(timeout);
    }

    /// Takes out all listeners, which are not called any more.
    pub(crate) fn take_listeners(&self) -> impl Send + use<> {
        let mut listeners = self.shared.listeners();
        self.shared.update_wanted(&[]);
        std::mem::take(&mut *listeners)
    }

    /// Emits `error`, and logs it.
    pub fn fail(&self, failure: Failure) {
        log!(WARN, origin = %failure.origin, events = failure.events, "{}", failure.message);
        self.emit(Emitted::Error(failure));
    }

    /// Whether anybody listens to calls; if nobody does, no event needs to be copied.
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

/// Returns the name as the signals have it.
pub(crate) fn known(name: &str) -> Result<&'static str, UnknownSignal> {
    let known = Emitted::NAMES.iter().copied().find(|known| *known == name);
    known.ok_or_else(|| UnknownSignal { name: name.to_owned() })
}

impl Shared {
    fn listeners(&self) -> MutexGuard<'_, Vec<Arc<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out listeners that have ended. They are dropped when the lock is free again: one may own the last client,
    /// whose end is told to listeners, too.
    fn forget_the_done(&self) {
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
