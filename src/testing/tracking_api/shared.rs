//! The shared state of the handle and the serving threads.
//!
//! One lock guards the record and the script together, so that the n-th recorded request is the one that took the n-th
//! scripted reply. No caller's code runs under it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::connections::Connections;
use super::record::Record;
use super::script::{Script, Source};
use super::{Reply, Request};

#[derive(Default)]
pub(super) struct Shared {
    pub(super) connections: Connections,
    state: Mutex<State>,
    progress: Condvar,
    count_only: AtomicBool,
    may_reset: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) record: Record,
    script: Script,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn script(&self, replies: Vec<Reply>) {
        // Set first: a connection must know before it reads the request that takes the reply.
        if replies.iter().any(Reply::resets) {
            self.may_reset.store(true, Ordering::SeqCst);
        }
        self.state().script.extend(replies);
    }

    pub(super) fn set_fallback(&self, source: Source) {
        if source.may_reset() {
            self.may_reset.store(true, Ordering::SeqCst);
        }
        // Bound to a name so that it is dropped after the lock: it may be a caller's closure.
        let _earlier = self.state().script.set_fallback(source);
    }

    /// Returns whether a reply may be a reset, for which a request must not be read to its end.
    pub(super) fn may_reset(&self) -> bool {
        self.may_reset.load(Ordering::SeqCst)
    }

    pub(super) fn count_only(&self) {
        self.count_only.store(true, Ordering::SeqCst);
    }

    pub(super) fn keeps_requests(&self) -> bool {
        !self.count_only.load(Ordering::SeqCst)
    }

    /// Enters a request, which takes the next reply.
    pub(super) fn arrived(&self, request: Option<Request>, body_len: usize) -> (Waiting<'_>, Source) {
        let mut state = self.state();
        state.record.arrived(request.clone(), body_len);
        let source = state.script.next();
        drop(state);
        self.progress.notify_all();
        let waiting = Waiting { shared: self, request };
        (waiting, source)
    }

    /// Blocks until there is progress beyond `seen`; `false` if the deadline came first.
    pub(super) fn wait_for_progress(&self, seen: u64, deadline: Option<Instant>) -> bool {
        let mut state = self.state();
        while state.record.progress() == seen {
            state = match deadline {
                None => self.progress.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }
}

/// A request without an answer so far. If it is dropped, it never gets one.
pub(super) struct Waiting<'a> {
    shared: &'a Shared,
    request: Option<Request>,
}

impl Waiting<'_> {
    pub(super) fn answered(self, status: u16) {
        if let Some(request) = &self.request {
            request.set_answered(status);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(request) = &self.request {
            request.give_up();
        }
        self.shared.state().record.settled();
        self.shared.progress.notify_all();
    }
}
