//! Where the work happens that no caller waits for.
//!
//! By default a thread of our own with a current-thread runtime, so that events survive the host's runtime; or a
//! runtime that the host hands over. User code that may block (listeners, callbacks) runs on the runtime's blocking
//! threads, where it can neither hold up the pipeline nor take it down.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A handle to the runtime that carries the pipeline. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Background {
    handle: Handle,
    /// Where its threads are.
    process: u32,
}

/// Keeps the background thread alive; dropped, the thread ends when its work has. A no-op on the host's runtime.
#[derive(Debug)]
pub(crate) struct KeepAlive(#[expect(dead_code, reason = "its drop is what counts")] Option<oneshot::Sender<()>>);

impl Background {
    /// Starts the thread `name` with a runtime of its own.
    pub(crate) fn start(name: &str) -> io::Result<(Self, KeepAlive)> {
        let runtime = Builder::new_current_thread().enable_all().thread_name(name).build()?;
        let handle = runtime.handle().clone();
        let (keep_alive, gone) = oneshot::channel();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            // The sender is only ever dropped.
            let _ = runtime.block_on(gone);
            // Blocking threads may hang in user code; nobody waits for them.
            runtime.shutdown_background();
        })?;
        Ok((Self::of(handle), KeepAlive(Some(keep_alive))))
    }

    fn of(handle: Handle) -> Self {
        Self { handle, process: std::process::id() }
    }

    /// Whether this process was forked off from the one that the client was built in. The threads did not come along,
    /// and a lock may be held for ever: nothing here may wait or lock. The parent sends the events.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
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

    /// Runs user code that may block or panic; `what` names it in the log.
    pub(crate) fn run_blocking(&self, what: &'static str, work: impl FnOnce() + Send + 'static) {
        self.handle.spawn_blocking(move || {
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                tracing::error!(target: "tracklane", what, "panicked; contained");
            }
        });
    }

    /// Runs `work` on a blocking thread and waits for it; `None` if the runtime is gone.
    pub(crate) async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        self.handle.spawn_blocking(work).await.ok()
    }

    /// Whether the calling thread is driven by this runtime, so that blocking it could block the pipeline.
    pub(crate) fn is_current(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
    }
}
