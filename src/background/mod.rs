//! The runtime that carries the pipeline, and the threads for user code that may block.
//!
//! By default it is a current-thread runtime on a thread of the client's own, so that events survive the host's
//! runtime. The host may hand over another. Listeners and callbacks run on [threads](pools) of the client: they can
//! neither delay nor end the pipeline.

mod dispose;
mod pools;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, mpsc};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

pub(crate) use pools::Panics;
use pools::Pools;

use crate::threads;

/// A handle to the runtime that carries the pipeline. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Background {
    handle: Handle,
    /// Is closed when the runtime has ended: a task of it holds the other end.
    liveness: Arc<oneshot::Sender<()>>,
    /// The process that has its threads.
    process: u32,
    pools: Arc<Pools>,
}

/// Keeps the background thread alive. Once it is dropped, the thread ends when its work is done. Does nothing on the
/// host's runtime.
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
            Background::mark_thread();
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
        Ok((Self::new(handle), KeepAlive(Some(keep_alive))))
    }

    fn new(handle: Handle) -> Self {
        let (liveness, gone) = oneshot::channel();
        // The sender is only ever dropped.
        handle.spawn(async move { drop(gone.await) });
        Self { handle, liveness: Arc::new(liveness), process: std::process::id(), pools: Arc::default() }
    }

    /// Returns whether the runtime has ended.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.liveness.is_closed()
    }

    /// Returns whether this process was forked from the one that built the client. The threads are in the parent, which
    /// sends the events, and a lock may be held for ever: the caller must neither wait nor lock.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// The process in which it works.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// Uses the host's runtime.
    pub(crate) fn from_handle(handle: Handle) -> (Self, KeepAlive) {
        (Self::new(handle), KeepAlive(None))
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }

    /// Calls `work` on the calling thread, in the context of the runtime.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.handle.enter();
        work()
    }

    /// Calls a listener on a thread for listeners. `work` catches its panic by what it is given.
    pub(crate) fn spawn_listener(&self, work: impl FnOnce(&Panics) + Send + 'static) {
        let panics = self.pools.panics.clone();
        Pools::run(&self.pools, |pools| &pools.listeners, &self.handle, Box::new(move || work(&panics)));
    }

    /// Calls a callback on a thread for callbacks. It may block or panic.
    pub(crate) fn spawn_callback(&self, callback: impl FnOnce() + Send + 'static) {
        let panics = self.pools.panics.clone();
        let work = move || panics.catch_panic("callback", callback);
        Pools::run(&self.pools, |pools| &pools.callbacks, &self.handle, Box::new(work));
    }

    /// Returns the number of panics of listeners and callbacks that were caught.
    pub(crate) fn panics(&self) -> u64 {
        self.pools.panics.count()
    }

    /// Returns whether the calling thread drives this runtime, so that blocking it could block the pipeline.
    pub(crate) fn is_current(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("process", &self.process).finish_non_exhaustive()
    }
}
