//! Drops values of user code, and does other work of unknown length, where nobody waits without a limit.

use std::cell::Cell;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Background;
use crate::threads;

thread_local! {
    /// Whether values of user code may be dropped on this thread: it is one of the client's.
    static MAY_DROP: Cell<bool> = const { Cell::new(false) };
}

/// Work, until a thread takes it. The sender is dropped when it is done.
type SharedWork<W> = Arc<Mutex<Option<(W, SyncSender<()>)>>>;

impl Background {
    /// Marks the calling thread as one where values of user code may be dropped.
    pub(super) fn mark_thread() {
        MAY_DROP.set(true);
    }

    /// Does `work` on a thread of its own. Returns a receiver that is disconnected when it is done.
    ///
    /// # Errors
    ///
    /// Gives the work back if no thread can be started.
    pub(crate) fn spawn_thread<W: FnOnce() + Send + 'static>(&self, work: W) -> Result<Receiver<()>, W> {
        let (done, end) = mpsc::sync_channel(0);
        let work: SharedWork<W> = Arc::new(Mutex::new(Some((work, done))));
        let (there, background) = (work.clone(), self.clone());
        let spawned = threads::spawn("tracklane-drop", move || {
            Background::mark_thread();
            if let Some((work, done)) = take(&there) {
                background.pools.panics.catch_panic("drop", work);
                drop(done);
            }
        });
        match spawned.map_err(|_| take(&work)) {
            Err(Some((work, _))) => Err(work),
            Ok(_) | Err(None) => Ok(end),
        }
    }

    /// Does `work` on a thread of its own, and waits for its end, at most `limit`. Where no thread can be started, or is
    /// wanted, there is only the caller's.
    pub(crate) fn run_with_limit(&self, limit: Duration, work: impl FnOnce() + Send + 'static) {
        if !self.has_threads() {
            return self.pools.panics.catch_panic("drop", work);
        }
        match self.spawn_thread(work) {
            // The sender is only ever dropped.
            Ok(end) => drop(end.recv_timeout(limit)),
            Err(work) => work(),
        }
    }

    /// Drops a value of user code on a thread where nobody waits for it. A driven client has none.
    pub(crate) fn dispose(&self, value: impl Send + 'static) {
        let drops = move || drop(value);
        if MAY_DROP.get() || !self.has_threads() {
            return self.pools.panics.catch_panic("drop", drops);
        }
        if let Err(drops) = self.spawn_thread(drops) {
            let background = self.clone();
            self.spawn(async move { background.pools.panics.catch_panic("drop", drops) });
        }
    }
}

fn take<W>(work: &SharedWork<W>) -> Option<(W, SyncSender<()>)> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}
