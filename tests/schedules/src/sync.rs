//! Loom's atomics and locks, and a `Notify` like tokio's, made of loom's lock and condition variable.

use std::collections::VecDeque;
use std::marker::PhantomData;

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
pub(crate) use std::time::Instant;

/// Waiting is blocking here: a task that waits is a thread that waits.
#[derive(Debug, Default, Clone)]
pub(crate) struct Notify(Arc<State>);

#[derive(Debug, Default)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    /// Calls of `notify_waiters`.
    to_all: u64,
    /// A `notify_one` without a waiter.
    permit: bool,
    next: u64,
    /// The waiters in their order, and those that were woken meanwhile.
    line: VecDeque<u64>,
    woken: Vec<u64>,
}

/// Woken by every `notify_waiters` after it was made, as tokio promises, whether or not it was polled by then; by
/// `notify_one` from when it is enabled, and if it is dropped then, the next one is.
pub(crate) struct Notified<'n> {
    state: Arc<State>,
    number: u64,
    made_at: u64,
    in_line: bool,
    notify: PhantomData<&'n Notify>,
}

impl Notify {
    pub(crate) fn notified(&self) -> Notified<'_> {
        let mut now = self.0.now.lock().unwrap();
        now.next += 1;
        let (number, made_at) = (now.next, now.to_all);
        drop(now);
        Notified { state: self.0.clone(), number, made_at, in_line: false, notify: PhantomData }
    }

    pub(crate) fn notify_waiters(&self) {
        self.0.now.lock().unwrap().to_all += 1;
        self.0.changed.notify_all();
    }

    /// Wakes the first that waits, or stores a permit.
    pub(crate) fn notify_one(&self) {
        self.0.now.lock().unwrap().wake_one();
        self.0.changed.notify_all();
    }
}

impl Now {
    fn wake_one(&mut self) {
        match self.line.pop_front() {
            Some(first) => self.woken.push(first),
            None => self.permit = true,
        }
    }

    /// Returns whether the waiter was woken, and removes it.
    fn take_woken(&mut self, number: u64) -> bool {
        let at = self.woken.iter().position(|woken| *woken == number);
        at.map(|at| self.woken.remove(at)).is_some()
    }
}

impl Notified<'_> {
    /// Joins the line.
    pub(crate) fn enable(&mut self) {
        let mut now = self.state.now.lock().unwrap();
        if !self.in_line {
            self.in_line = true;
            now.line.push_back(self.number);
            if std::mem::take(&mut now.permit) {
                now.wake_one();
            }
        }
    }

    pub(crate) fn wait(mut self) {
        self.enable();
        let mut now = self.state.now.lock().unwrap();
        while now.to_all == self.made_at && !now.take_woken(self.number) {
            now = self.state.changed.wait(now).unwrap();
        }
        now.line.retain(|other| *other != self.number);
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let mut now = self.state.now.lock().unwrap();
        now.line.retain(|other| *other != self.number);
        if now.take_woken(self.number) {
            now.wake_one();
            drop(now);
            self.state.changed.notify_all();
        }
    }
}
