//! Catches panics. This is the only file with `catch_unwind`. It uses only `std`, so that `tests/schedules` can build
//! it.
//!
//! Invariant: the thrown value is dropped here, and a panic in that drop is caught as well.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The message of a panic that was caught.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

impl Panicked {
    fn new(thrown: Box<dyn Any + Send>) -> Self {
        let text = thrown.downcast_ref::<&str>().copied();
        let text = text.or_else(|| thrown.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        let panicked = Self(text.to_owned());
        // A value thrown by that drop cannot be dropped either.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(thrown))) {
            std::mem::forget(again);
        }
        panicked
    }
}

/// Calls code that may panic.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(Panicked::new)
}

/// Wraps a future. It resolves to an error if `future` panics in a poll.
pub(crate) fn catch_future<F: Future + Unpin>(future: F) -> CatchFuture<F> {
    CatchFuture(future)
}

/// The future of [`catch_future`].
pub(crate) struct CatchFuture<F>(F);

impl<F: Future + Unpin> Future for CatchFuture<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch(|| Pin::new(&mut self.0).poll(cx)) {
            Ok(poll) => poll.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }
}
