//! The counts as metrics of the `metrics` facade, behind the feature `metrics`. `docs/SETTINGS.md` has their names.
//!
//! Invariant: an event costs nothing more. The metrics are taken from a snapshot at intervals, and once more at the
//! close. [`Totals`] adds up the clients of a process. Counters are set to their absolute value, and gauges are set. So
//! it does not matter when a recorder is installed, nor whether it has forgotten idle metrics. The recorder is user
//! code: it is called on a thread of its own, without a lock, and waited for with a limit.

mod totals;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use crate::ledger::Stats;
use crate::supervise::{self, log};
use crate::threads::Threads;
use totals::Totals;

/// The metrics of one client.
pub(crate) struct Reported {
    /// The counts of this client that the totals include.
    known: Mutex<Stats>,
    totals: &'static Totals,
    teller: Threads,
    /// Without threads the recorder is called at once.
    has_threads: bool,
    /// Set while the recorder is called. That call reports everything.
    telling: Arc<AtomicBool>,
}

impl Reported {
    pub(crate) fn new(has_threads: bool) -> Self {
        let (teller, telling) = (Threads::new("tracklane-count", 1), Arc::default());
        Self { known: Mutex::default(), totals: Totals::of_process(), teller, has_threads, telling }
    }

    /// Adds the changes to the totals, and calls the recorder on another thread. One snapshot is taken at a time, so
    /// none is older than the one before.
    pub(crate) fn update(&self, snapshot: impl FnOnce() -> Stats) {
        self.take_over(snapshot);
        // A recorder that hangs is not called again and again.
        if !self.telling.swap(true, Ordering::AcqRel) {
            let (totals, telling) = (self.totals, self.telling.clone());
            self.on_thread(move || {
                telling.store(false, Ordering::Release);
                tell(totals);
            });
        }
    }

    /// Like [`update`](Self::update), and waits until the recorder was called, at most `timeout`.
    pub(crate) fn update_and_wait(&self, snapshot: impl FnOnce() -> Stats, timeout: Duration) {
        self.take_over(snapshot);
        let (told, done) = mpsc::sync_channel(1);
        let totals = self.totals;
        self.on_thread(move || {
            tell(totals);
            let _ = told.send(());
        });
        let _ = done.recv_timeout(timeout);
    }

    fn take_over(&self, snapshot: impl FnOnce() -> Stats) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = snapshot();
        self.totals.change(&known, &now);
        *known = now;
    }

    /// Without a thread, the next update reports them.
    fn on_thread(&self, work: impl FnOnce() + Send + 'static) {
        if !self.has_threads {
            return work();
        }
        if self.teller.run(Box::new(work)).is_err() {
            self.telling.store(false, Ordering::Release);
        }
    }
}

/// The counts of a client that has ended stay. Nothing of it is pending any more.
impl Drop for Reported {
    fn drop(&mut self) {
        let known = std::mem::take(self.known.get_mut().unwrap_or_else(PoisonError::into_inner));
        self.totals.change(&known, &Stats { pending: 0, destinations: Vec::new(), ..known.clone() });
        if known.pending > 0 || known.destinations.iter().any(|destination| destination.queued_events > 0) {
            let totals = self.totals;
            self.on_thread(move || tell(totals));
        }
    }
}

/// Calls the recorder, which may panic.
fn tell(totals: &Totals) {
    if supervise::catch(|| totals.tell()).is_err() {
        log!(ERROR, what = "recorder of metrics", "panicked; the panic was caught");
    }
}
