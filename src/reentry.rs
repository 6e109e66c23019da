//! How deep user code is nested in user code: an event that a plugin, listener or callback sends because of an event.
//!
//! Sending from there is allowed. A plugin that answers every event with another one would never end, though, so each
//! event knows how many others led to it, and at [`LIMIT`] the chain is cut. While user code works because of an
//! event, its thread carries the depth of what it sends; a thread of the user's own starts again from nothing.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The depth at which an event is refused.
pub(crate) const LIMIT: u8 = 8;

thread_local! {
    static DEPTH: Cell<u8> = const { Cell::new(0) };
}

/// The depth of an event that is sent from here.
pub(crate) fn depth() -> u8 {
    DEPTH.get()
}

/// Until the scope ends, what is sent from this thread is sent because of an event of depth `cause`.
pub(crate) fn because_of(cause: u8) -> Scope {
    at(cause.saturating_add(1))
}

/// Until the scope ends, what is sent from this thread has this depth.
pub(crate) fn at(depth: u8) -> Scope {
    Scope { before: DEPTH.replace(depth), not_send: PhantomData }
}

/// Restores the depth when it is dropped, on the same thread.
#[must_use = "the scope ends at once unless it is held"]
pub(crate) struct Scope {
    before: u8,
    not_send: PhantomData<*const ()>,
}

impl Drop for Scope {
    fn drop(&mut self) {
        DEPTH.set(self.before);
    }
}

/// A future that is polled because of an event of depth `cause`.
pub(crate) struct Because<F> {
    cause: u8,
    future: F,
}

impl<F> Because<F> {
    pub(crate) fn of(cause: u8, future: F) -> Self {
        Self { cause, future }
    }
}

impl<F: Future + Unpin> Future for Because<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _scope = because_of(self.cause);
        Pin::new(&mut self.future).poll(cx)
    }
}
