//! Where something is done that may take any time and that its caller does not wait for without a limit: above all,
//! where values are dropped that are user code.

use std::cell::Cell;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use super::Background;
use crate::threads;

thread_local! {
    /// Whether this thread is one of the client's, where nobody is held up.
    static IS_ASIDE: Cell<bool> = const { Cell::new(false) };
}

/// What is to be done, until somebody does it. The sender is dropped when it is done.
type Work<W> = Arc<Mutex<Option<(W, SyncSender<()>)>>>;

impl Background {
    /// Marks the calling thread as one where values of user code may be dropped.
    pub(super) fn is_aside() {
        IS_ASIDE.set(true);
    }

    /// Does `work` on a thread of its own. Returns what is disconnected when it is done; the work, if there is no thread
    /// to be had.
    pub(crate) fn aside<W: FnOnce() + Send + 'static>(&self, work: W) -> Result<Receiver<()>, W> {
        let (done, end) = mpsc::sync_channel(0);
        let work: Work<W> = Arc::new(Mutex::new(Some((work, done))));
        let (there, background) = (work.clone(), self.clone());
        let spawned = threads::spawn("tracklane-drop", move || {
            Background::is_aside();
            if let Some((work, done)) = take(&there) {
                background.pools.panics.contain("drop", work);
                drop(done);
            }
        });
        match spawned.map_err(|_| take(&work)) {
            Err(Some((work, _))) => Err(work),
            Ok(_) | Err(None) => Ok(end),
        }
    }

    /// Drops a value of user code, where that holds up nobody.
    pub(crate) fn dispose(&self, value: impl Send + 'static) {
        let drops = move || drop(value);
        if IS_ASIDE.get() {
            return self.pools.panics.contain("drop", drops);
        }
        if let Err(drops) = self.aside(drops) {
            let background = self.clone();
            self.spawn(async move { background.pools.panics.contain("drop", drops) });
        }
    }
}

fn take<W>(work: &Work<W>) -> Option<(W, SyncSender<()>)> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}
