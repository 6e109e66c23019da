//! A record of whether foreign code runs, for the [watchdog](super) to read.
//!
//! There is one for each plugin, and one for the source middleware. Invariant: entering and leaving is a plain store
//! each, without a lock, a clock or an allocation. Both happen in every poll, so code that awaits counts as not
//! running. One task writes. If several threads drive direct pipelines, a call that runs may be missed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::task::{Context, Poll};

use crate::supervise::hops;

/// The place where foreign code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeKind {
    /// Around the stages of the plugins.
    Middleware,
    /// In a plugin of this role.
    Plugin(&'static str),
}

/// A piece of foreign code: its name, and whether it runs.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(super) name: Arc<str>,
    pub(super) kind: CodeKind,
    running: AtomicU64,
    wake_handle: WakeHandle,
}

/// One call: its number, and in the last byte the hops of the events that it sends, plus one. The last byte is 0 when
/// the call is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CallState(u64);

/// Wakes the watchdog.
#[derive(Clone, Debug)]
pub(super) struct WakeHandle {
    pub(super) awake: Arc<AtomicBool>,
    pub(super) sender: SyncSender<()>,
}

impl CallState {
    const HOPS: u64 = 0xff;
    const NEXT: u64 = 0x100;

    pub(super) fn is_running(self) -> bool {
        self.0 & Self::HOPS > 0
    }

    /// Returns the hops of events that are sent because of it.
    pub(super) fn hops(self) -> u8 {
        u8::try_from(self.0 & Self::HOPS).unwrap_or(u8::MAX).saturating_sub(1)
    }
}

impl Watched {
    pub(super) fn new(name: Arc<str>, kind: CodeKind, wake_handle: WakeHandle) -> Self {
        Self { name, kind, running: AtomicU64::new(0), wake_handle }
    }

    pub(super) fn call(&self) -> CallState {
        CallState(self.running.load(Ordering::Relaxed))
    }

    /// Runs foreign code, which must not unwind.
    #[inline]
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let number = (self.running.load(Ordering::Relaxed) & !CallState::HOPS).wrapping_add(CallState::NEXT);
        let hops = hops::current().saturating_add(1);
        self.running.store(number | u64::from(hops), Ordering::Relaxed);
        self.wake_handle.wake_unless_awake();
        let outcome = work();
        self.running.store(number, Ordering::Relaxed);
        outcome
    }

    /// Wraps a future of foreign code, which runs in every poll and in its drop.
    pub(crate) fn wrap<F: Future + Unpin>(&self, future: F) -> WatchedFuture<'_, F> {
        WatchedFuture { watched: self, future: Some(future) }
    }
}

impl WakeHandle {
    #[inline]
    fn wake_unless_awake(&self) {
        if !self.awake.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        if !self.awake.swap(true, Ordering::Relaxed) {
            // The channel is full if the watchdog is being woken already.
            let _ = self.sender.try_send(());
        }
    }
}

/// The future of [`Watched::wrap`].
pub(crate) struct WatchedFuture<'w, F> {
    watched: &'w Watched,
    /// `None` once it has ended.
    future: Option<F>,
}

impl<F: Future + Unpin> Future for WatchedFuture<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { watched, future } = &mut *self;
        watched.run(|| {
            let Some(running) = future else { return Poll::Pending };
            let poll = Pin::new(running).poll(cx);
            if poll.is_ready() {
                *future = None;
            }
            poll
        })
    }
}

impl<F> Drop for WatchedFuture<'_, F> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.watched.run(|| drop(future));
        }
    }
}
