//! A request in which something may panic: the HTTP client logs, and a subscriber is the host's code.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tracing::dispatcher::{self, Dispatch};

use crate::supervise::{self, CatchDrop, Panicked};

/// Work whose panic is its result, and which may be kept from logging.
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
            // Where there is no subscriber, to set one would end what `tracing` hands over to `log`.
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
