//! The runtime that carries the pipeline, and the threads for user code that may block.
//!
//! By default it is a current-thread runtime on a thread of the client's own, so that events survive the host's
//! runtime. The host may hand over another. Listeners and callbacks run on [threads](pools) of the client: they can
//! neither delay nor end the pipeline. A driven client has neither: its work, listeners and callbacks among it, is
//! [tasks] that whoever awaits the client polls.

mod dispose;
mod drivers;
mod polled;
mod pools;
mod tasks;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::Instant;

pub(crate) use pools::Panics;
use pools::Pools;
pub(crate) use tasks::{Driver, HostSleep, Tasks};

use crate::process;
use crate::threads::{self, Threads};

/// The step of tokio's timers for what is more than a step away. A deadline between two steps costs one more wake-up, at
/// the step before it, because the timer is then moved to a wheel with steps of a millisecond
/// (`tokio/src/runtime/time/wheel/level.rs`).
const TIMER_STEP: Duration = Duration::from_millis(64);

/// A handle to what carries the pipeline. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Background {
    carrier: Carrier,
    /// The process that has its threads.
    process: u32,
    pools: Arc<Pools>,
}

/// What carries the pipeline.
#[derive(Clone)]
enum Carrier {
    Runtime {
        handle: Handle,
        /// Is closed when the runtime has ended: a task of it holds the other end.
        liveness: Arc<oneshot::Sender<()>>,
        /// When its timers began to count. `None`: the host has made it.
        began: Option<Instant>,
    },
    /// Whoever awaits the client.
    Driven(Tasks),
}

/// Keeps the background thread alive. Once it is dropped, the thread ends when its work is done. Does nothing on the
/// host's runtime.
#[derive(Debug)]
pub(crate) struct KeepAlive(#[expect(dead_code, reason = "its drop is what counts")] Option<oneshot::Sender<()>>);

impl Background {
    /// Starts the thread `name` with a runtime of its own.
    pub(crate) fn start(name: &str) -> io::Result<(Self, KeepAlive)> {
        let (keep_alive, gone) = oneshot::channel();
        let (started, runtime) = mpsc::sync_channel(1);
        let mut builder = Builder::new_current_thread();
        builder.enable_all().thread_name(name).on_thread_start(threads::block_sigpipe);
        threads::spawn(name, move || {
            Background::mark_thread();
            // Made on this thread: where the caller has a runtime of its own, this one could not even be dropped.
            let began = Instant::now();
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            let _ = started.send(Ok((runtime.handle().clone(), began)));
            // The sender is only ever dropped.
            let _ = runtime.block_on(gone);
            // Blocking threads may hang in user code; nobody waits for them.
            runtime.shutdown_background();
        })?;
        let (handle, began) = runtime.recv().map_err(io::Error::other)??;
        Ok((Self::on_runtime(handle, Some(began)), KeepAlive(Some(keep_alive))))
    }

    fn on_runtime(handle: Handle, began: Option<Instant>) -> Self {
        let (liveness, gone) = oneshot::channel();
        // The sender is only ever dropped.
        handle.spawn(async move { drop(gone.await) });
        Self::new(Carrier::Runtime { handle, liveness: Arc::new(liveness), began })
    }

    fn new(carrier: Carrier) -> Self {
        Self { carrier, process: process::id(), pools: Arc::default() }
    }

    /// Works while somebody drives it. Waits by that sleep.
    pub(crate) fn driven(sleep: HostSleep) -> (Self, KeepAlive) {
        (Self::new(Carrier::Driven(Tasks::new(sleep))), KeepAlive(None))
    }

    /// The tasks of a driven client.
    pub(crate) fn tasks(&self) -> Option<&Tasks> {
        match &self.carrier {
            Carrier::Runtime { .. } => None,
            Carrier::Driven(tasks) => Some(tasks),
        }
    }

    /// Returns whether there are threads for work that may block.
    pub(crate) fn has_threads(&self) -> bool {
        self.tasks().is_none()
    }

    /// Waits for `future`. A driven client is driven meanwhile.
    pub(crate) async fn run<F: Future>(&self, future: F) -> F::Output {
        match &self.carrier {
            Carrier::Runtime { .. } => future.await,
            Carrier::Driven(tasks) => tasks.run(future).await,
        }
    }

    /// Returns the output of `future` if it ends within `limit` of real time, whatever the client's clock.
    pub(crate) async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        match &self.carrier {
            Carrier::Runtime { .. } => tokio::time::timeout(limit, future).await.ok(),
            Carrier::Driven(tasks) => {
                let timers = tasks.timers();
                timers.within(timers.now().saturating_add(limit), future).await
            }
        }
    }

    /// Returns a time `wait` from now, or so little later that the runtime can wake up for less.
    pub(crate) fn deadline_after(&self, wait: Duration) -> Instant {
        let deadline = Instant::now() + wait;
        match &self.carrier {
            Carrier::Runtime { began: Some(began), .. } => *began + timer_step(deadline - *began, wait),
            _ => deadline,
        }
    }

    /// Has those look again who await something of a driven client. No lock may be held.
    pub(crate) fn set_changed(&self) {
        if let Carrier::Driven(tasks) = &self.carrier {
            tasks.set_changed();
        }
    }

    /// Returns whether the runtime has ended.
    pub(crate) fn is_shut_down(&self) -> bool {
        matches!(&self.carrier, Carrier::Runtime { liveness, .. } if liveness.is_closed())
    }

    /// Returns whether this process was forked from the one that built the client. The threads are in the parent, which
    /// sends the events, and a lock may be held for ever: the caller must neither wait nor lock.
    pub(crate) fn is_forked(&self) -> bool {
        process::id() != self.process
    }

    /// The process in which it works.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// Uses the host's runtime.
    pub(crate) fn from_handle(handle: Handle) -> (Self, KeepAlive) {
        (Self::on_runtime(handle, None), KeepAlive(None))
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        match &self.carrier {
            Carrier::Runtime { handle, .. } => drop(handle.spawn(future)),
            Carrier::Driven(tasks) => tasks.spawn(future),
        }
    }

    /// Calls `work` on the calling thread, in the context of the runtime.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = match &self.carrier {
            Carrier::Runtime { handle, .. } => Some(handle.enter()),
            Carrier::Driven(_) => None,
        };
        work()
    }

    /// Calls a listener on a thread for listeners, or where the client is driven. `work` catches its panic by what it is
    /// given.
    pub(crate) fn spawn_listener(&self, work: impl FnOnce(&Panics) + Send + 'static) {
        let panics = self.pools.panics.clone();
        self.spawn_on(|pools| &pools.listeners, move || work(&panics));
    }

    /// Calls a callback on a thread for callbacks, or where the client is driven. It may block or panic.
    pub(crate) fn spawn_callback(&self, callback: impl FnOnce() + Send + 'static) {
        let panics = self.pools.panics.clone();
        self.spawn_on(|pools| &pools.callbacks, move || panics.catch_panic("callback", callback));
    }

    fn spawn_on(&self, pool: fn(&Pools) -> &Threads, work: impl FnOnce() + Send + 'static) {
        match &self.carrier {
            Carrier::Runtime { handle, .. } => Pools::run(&self.pools, pool, handle, Box::new(work)),
            Carrier::Driven(tasks) => tasks.spawn(async move { work() }),
        }
    }

    /// Returns the number of panics of listeners and callbacks that were caught.
    pub(crate) fn panics(&self) -> u64 {
        self.pools.panics.count()
    }

    /// Returns whether the calling thread drives this runtime, so that blocking it could block the pipeline. The
    /// runtime's threads for blocking work do not.
    pub(crate) fn is_current(&self) -> bool {
        match &self.carrier {
            Carrier::Runtime { handle, .. } => {
                Handle::try_current().is_ok_and(|current| current.id() == handle.id()) && polled::is_polled()
            }
            Carrier::Driven(_) => true,
        }
    }
}

/// Moves a deadline to the step of the timers behind it, unless that is much later. It lies `wait` from now.
fn timer_step(deadline: Duration, wait: Duration) -> Duration {
    if wait < 10 * TIMER_STEP {
        return deadline;
    }
    let steps = deadline.as_nanos().div_ceil(TIMER_STEP.as_nanos());
    TIMER_STEP.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("process", &self.process).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_far_off_lies_on_a_step_of_the_timers_and_a_near_one_where_it_was() {
        let table = [
            // Milliseconds since the timers began, from now, then.
            (1_000, 1_000, 1_024),
            (1_024, 1_000, 1_024),
            (1_025, 1_000, 1_088),
            (1_087, 640, 1_088),
            (1_087, 639, 1_087),
            (5, 5, 5),
        ];
        for (deadline, wait, expected) in table {
            let [deadline, wait, expected] = [deadline, wait, expected].map(Duration::from_millis);
            assert_eq!(timer_step(deadline, wait), expected, "{deadline:?}, {wait:?} from now");
        }
    }
}
