//! Loom's atomics, and what `tokio::sync::Notify` promises, made of loom's lock and condition variable.

use std::marker::PhantomData;

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use loom::sync::{Arc, Condvar, Mutex};

/// Waiting is blocking here: a task that waits is a thread that waits.
#[derive(Debug, Default, Clone)]
pub(crate) struct Notify(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Calls of `notify_waiters`, and whether a permit is stored.
    now: Mutex<(u64, bool)>,
    changed: Condvar,
}

/// Woken by every `notify_waiters` after it was made, as tokio promises, whether or not it was polled by then.
pub(crate) struct Notified<'n> {
    state: Arc<State>,
    made_at: u64,
    notify: PhantomData<&'n Notify>,
}

impl Notify {
    pub(crate) fn notified(&self) -> Notified<'_> {
        Notified { state: self.0.clone(), made_at: self.0.now.lock().unwrap().0, notify: PhantomData }
    }

    pub(crate) fn notify_waiters(&self) {
        self.0.now.lock().unwrap().0 += 1;
        self.0.changed.notify_all();
    }

    /// Stores a permit, if nobody waits.
    pub(crate) fn notify_one(&self) {
        self.0.now.lock().unwrap().1 = true;
        self.0.changed.notify_all();
    }
}

impl Notified<'_> {
    pub(crate) fn wait(self) {
        let mut now = self.state.now.lock().unwrap();
        while now.0 == self.made_at && !now.1 {
            now = self.state.changed.wait(now).unwrap();
        }
        now.1 = false;
    }
}
