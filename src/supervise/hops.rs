//! Counts the hops from event to event. A hop is an event that a plugin, listener or callback sends because of an
//! event.
//!
//! Sending from there is allowed. But a plugin that answers every event with another one would never end. So each event
//! knows how many events led to it, and at [`LIMIT`] the chain is cut.
//!
//! The current count is in a thread-local while foreign code runs. A count in the event alone is not enough: listeners
//! and callbacks send through a handle of their own, which knows no event, and their loops must be cut, too. A thread
//! of the user's own starts from zero.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The number of hops at which an event is refused.
pub(crate) const LIMIT: u8 = 8;

thread_local! {
    static HOPS: Cell<u8> = const { Cell::new(0) };
}

/// Returns the hops of an event that is sent from here.
pub(crate) fn current() -> u8 {
    HOPS.get()
}

/// Counts events that this thread sends as one hop behind an event of `cause` hops, until the scope ends.
pub(crate) fn follow(cause: u8) -> Scope {
    set(cause.saturating_add(1))
}

/// Gives events that this thread sends so many hops, until the scope ends.
pub(crate) fn set(hops: u8) -> Scope {
    Scope { before: HOPS.replace(hops), not_send: PhantomData }
}

/// Restores the count when it is dropped, on the same thread.
#[must_use = "the scope ends at once unless it is held"]
pub(crate) struct Scope {
    before: u8,
    not_send: PhantomData<*const ()>,
}

impl Drop for Scope {
    fn drop(&mut self) {
        HOPS.set(self.before);
    }
}

/// A future that is polled one hop behind an event of `cause` hops.
pub(crate) struct WithHops<F> {
    cause: u8,
    future: F,
}

impl<F> WithHops<F> {
    pub(crate) fn follow(cause: u8, future: F) -> Self {
        Self { cause, future }
    }
}

impl<F: Future + Unpin> Future for WithHops<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _scope = follow(self.cause);
        Pin::new(&mut self.future).poll(cx)
    }
}
