//! The end of a client. Several callers may ask for it at once.
//!
//! Invariant: leftover events are taken back once, by the first caller whose time is over; the others wait for that.
//! They are handed over once. The worker is told to end once, and everybody waits for the same end of it.
//! [`sync`](crate::sync) says how this is checked.

use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Condvar, Instant, Mutex, MutexGuard};

/// `C`: the counts when the leftover events were taken back. `T`: those events.
pub(crate) struct Shutdown<C, T> {
    state: Mutex<State<C, T>>,
    changed: Condvar,
}

struct State<C, T> {
    taking_back: bool,
    counts: Option<C>,
    rest: Option<T>,
    worker_told: bool,
    worker_ended: bool,
    closed: bool,
}

impl<C, T> Default for Shutdown<C, T> {
    fn default() -> Self {
        let (taking_back, worker_told, worker_ended, closed) = (false, false, false, false);
        let state = State { taking_back, counts: None, rest: None, worker_told, worker_ended, closed };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<C: Copy, T> Shutdown<C, T> {
    fn state(&self) -> MutexGuard<'_, State<C, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back what is left, or waits until another caller has, at most until `deadline`. Returns the counts of that
    /// moment. Holds no lock meanwhile, because whoever is told of an event's outcome may call this again.
    pub(crate) fn give_up(&self, deadline: Instant, take_back: impl FnOnce() -> (C, T)) -> Option<C> {
        let mut state = self.state();
        if std::mem::replace(&mut state.taking_back, true) {
            return self.wait(state, deadline, |state| state.counts.is_some()).counts;
        }
        drop(state);
        let (counts, rest) = take_back();
        let mut state = self.state();
        (state.counts, state.rest) = (Some(counts), Some(rest));
        drop(state);
        self.changed.notify_all();
        Some(counts)
    }

    /// Returns the counts of the moment when the leftover events were taken back, if they were.
    pub(crate) fn counts(&self) -> Option<C> {
        self.state().counts
    }

    /// Hands over what was taken back, to the first caller. That may be another one than who took it back, for whom
    /// nobody may be waiting any more.
    pub(crate) fn take_rest(&self) -> Option<(C, T)> {
        let mut state = self.state();
        state.counts.zip(state.rest.take())
    }

    /// Returns whether this caller has to tell the worker to end.
    pub(crate) fn tells_worker(&self) -> bool {
        !std::mem::replace(&mut self.state().worker_told, true)
    }

    pub(crate) fn worker_ended(&self) {
        self.state().worker_ended = true;
        self.changed.notify_all();
    }

    pub(crate) fn has_worker_ended(&self) -> bool {
        self.state().worker_ended
    }

    /// Blocks until the worker has ended, at most until `deadline`.
    pub(crate) fn wait_for_worker(&self, deadline: Instant) {
        drop(self.wait(self.state(), deadline, |state| state.worker_ended));
    }

    /// Notes that a close is over, in time or not.
    pub(crate) fn set_closed(&self) {
        self.state().closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn wait<'s>(
        &'s self,
        mut state: MutexGuard<'s, State<C, T>>,
        deadline: Instant,
        done: impl Fn(&State<C, T>) -> bool,
    ) -> MutexGuard<'s, State<C, T>> {
        while !done(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}
