//! Where the work happens that no caller waits for.
//!
//! By default a thread of our own with a current-thread runtime, so that events survive the host's runtime; or a
//! runtime that the host hands over. User code that may block (listeners, callbacks) runs on [threads](observers) of the
//! client, where it can neither hold up the pipeline nor take it down.

mod aside;
mod observers;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, mpsc};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

pub(crate) use observers::Panics;
use observers::Pools;

use crate::threads;

/// A handle to the runtime that carries the pipeline. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Background {
    handle: Handle,
    /// A task of the runtime listens as long as both live.
    alive: Arc<oneshot::Sender<()>>,
    /// Where its threads are.
    process: u32,
    pools: Arc<Pools>,
}

/// Keeps the background thread alive; dropped, the thread ends when its work has. A no-op on the host's runtime.
#[derive(Debug)]
pub(crate) struct KeepAlive(#[expect(dead_code, reason = "its drop is what counts")] Option<oneshot::Sender<()>>);

impl Background {
    /// Starts the thread `name` with a runtime of its own.
    pub(crate) fn start(name: &str) -> io::Result<(Self, KeepAlive)> {
        let (keep_alive, gone) = oneshot::channel();
        let (started, handle) = mpsc::sync_channel(1);
        let mut builder = Builder::new_current_thread();
        builder.enable_all().thread_name(name).on_thread_start(threads::block_sigpipe);
        threads::spawn(name, move || {
            Background::is_aside();
            // Made on this thread: where the caller has a runtime of its own, this one could not even be dropped.
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            let _ = started.send(Ok(runtime.handle().clone()));
            // The sender is only ever dropped.
            let _ = runtime.block_on(gone);
            // Blocking threads may hang in user code; nobody waits for them.
            runtime.shutdown_background();
        })?;
        let handle = handle.recv().map_err(io::Error::other)??;
        Ok((Self::of(handle), KeepAlive(Some(keep_alive))))
    }

    fn of(handle: Handle) -> Self {
        let (alive, gone) = oneshot::channel();
        // The sender is only ever dropped.
        handle.spawn(async move { drop(gone.await) });
        Self { handle, alive: Arc::new(alive), process: std::process::id(), pools: Arc::default() }
    }

    /// Whether the runtime has ended, and nothing moves any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.alive.is_closed()
    }

    /// Whether this process was forked off from the one that the client was built in. The threads did not come along,
    /// and a lock may be held for ever: nothing here may wait or lock. The parent sends the events.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// The process in which it works.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// Works on the host's runtime.
    pub(crate) fn on(handle: Handle) -> (Self, KeepAlive) {
        (Self::of(handle), KeepAlive(None))
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }

    /// Calls what needs to know the runtime, on the calling thread.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.handle.enter();
        work()
    }

    /// Calls a listener, which is to be contained by what it is given.
    pub(crate) fn tell(&self, work: impl FnOnce(&Panics) + Send + 'static) {
        let panics = self.pools.panics.clone();
        Pools::run(&self.pools, |pools| &pools.listeners, &self.handle, Box::new(move || work(&panics)));
    }

    /// Calls a callback, which may block or panic.
    pub(crate) fn call_back(&self, callback: impl FnOnce() + Send + 'static) {
        let panics = self.pools.panics.clone();
        let work = move || panics.contain("callback", callback);
        Pools::run(&self.pools, |pools| &pools.callbacks, &self.handle, Box::new(work));
    }

    /// Panics of user code that were contained here.
    pub(crate) fn panics(&self) -> u64 {
        self.pools.panics.count()
    }

    /// Whether the calling thread is driven by this runtime, so that blocking it could block the pipeline.
    pub(crate) fn is_current(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("process", &self.process).finish_non_exhaustive()
    }
}
