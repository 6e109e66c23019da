//! Threads for user code that may block, and what it costs if it panics.
//!
//! Always: listeners and callbacks have a bounded number of threads each, apart from those that delivery needs. So
//! those that hang hold up their own kind and nothing else, and what waits for them is bounded where it waits: a
//! listener's signals in its queue, callbacks by the room that their events keep.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::contained::{self, log};
use crate::threads::{NoThread, Threads, Work};

/// Listeners, or callbacks, that are called at once.
const MOST_THREADS: usize = 64;
/// How long work waits until a thread for it is asked for again.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// One pool for each kind of work.
pub(super) struct Pools {
    pub(super) listeners: Threads,
    pub(super) callbacks: Threads,
    pub(super) panics: Panics,
}

/// Counts panics of user code that were contained. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Panics(Arc<AtomicU64>);

impl Panics {
    /// Calls user code; `what` names it in the log.
    pub(crate) fn contain(&self, what: &'static str, work: impl FnOnce()) {
        if contained::call(work).is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
            log!(ERROR, what, "panicked; contained");
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Pools {
    fn default() -> Self {
        Self {
            listeners: Threads::new("tracklane-tell", MOST_THREADS),
            callbacks: Threads::new("tracklane-call", MOST_THREADS),
            panics: Panics::default(),
        }
    }
}

impl Pools {
    /// Has one of the `pool`'s threads do the work. Without any it waits, and `runtime` asks again for one.
    pub(super) fn run(this: &Arc<Self>, pool: fn(&Self) -> &Threads, runtime: &Handle, work: Work) {
        let Err(NoThread { work, .. }) = pool(this).run(work) else { return };
        if !pool(this).keep(work) {
            return;
        }
        let pools = Arc::downgrade(this);
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(TRY_AGAIN).await;
                let Some(pools) = pools.upgrade() else { return };
                if pool(&pools).start().is_ok() {
                    return;
                }
            }
        });
    }
}
