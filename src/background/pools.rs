//! Thread pools for user code that may block: one for listeners, one for callbacks.
//!
//! Invariant: each pool has a bounded number of threads, apart from those that deliver. A listener or callback that
//! hangs delays only its own kind. What waits is bounded, too: signals by the queue of their listener, callbacks by the
//! capacity that their events take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::supervise::{self, log};
use crate::threads::{NoThread, Task, Threads};

/// The largest number of listeners, or callbacks, that run at once.
const MAX_THREADS: usize = 64;
/// The time until a thread that could not be started is asked for again.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// One pool for each kind of work.
pub(super) struct Pools {
    pub(super) listeners: Threads,
    pub(super) callbacks: Threads,
    pub(super) panics: Panics,
}

/// Counts panics of user code that were caught. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Panics(Arc<AtomicU64>);

impl Panics {
    /// Calls user code, and catches its panic. `what` names it in the log.
    pub(crate) fn catch_panic(&self, what: &'static str, work: impl FnOnce()) {
        if supervise::catch(work).is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
            log!(ERROR, what, "panicked; the panic was caught");
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Pools {
    fn default() -> Self {
        Self {
            listeners: Threads::new("tracklane-tell", MAX_THREADS),
            callbacks: Threads::new("tracklane-call", MAX_THREADS),
            panics: Panics::default(),
        }
    }
}

impl Pools {
    /// Does the work on a thread of `pool`. Without any it waits, and a task of `runtime` tries to start one again.
    pub(super) fn run(this: &Arc<Self>, pool: fn(&Self) -> &Threads, runtime: &Handle, work: Task) {
        let Err(NoThread { work, .. }) = pool(this).run(work) else { return };
        if !pool(this).keep(work) {
            return;
        }
        let pools = Arc::downgrade(this);
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(RETRY_AFTER).await;
                let Some(pools) = pools.upgrade() else { return };
                if pool(&pools).start().is_ok() {
                    return;
                }
            }
        });
    }
}
