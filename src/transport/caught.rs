//! Catches a panic in a request: the HTTP client logs, and a subscriber is the host's code.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tracing::dispatcher::{self, Dispatch};

use crate::supervise::{self, CatchDrop, Panicked};

/// Work that returns its panic as an error, and that may be kept from logging.
pub(super) struct Caught<T> {
    work: CatchDrop<BoxFuture<'static, T>>,
    silent: bool,
}

impl<T> Caught<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, silent: bool) -> Self {
        Self { work: CatchDrop::new(Box::pin(work)), silent }
    }
}

impl<T> Future for Caught<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let silent = self.silent;
        let poll = || match silent {
            // If there is no subscriber, setting one would end what `tracing` passes on to `log`.
            true if dispatcher::has_been_set() => {
                dispatcher::with_default(&Dispatch::none(), || Pin::new(&mut self.work).poll(cx))
            }
            _ => Pin::new(&mut self.work).poll(cx),
        };
        match supervise::catch(poll) {
            Ok(poll) => poll.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }
}
