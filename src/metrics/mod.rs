//! The counts as metrics of the `metrics` facade, behind the feature `metrics`. `docs/SETTINGS.md` has their names.
//!
//! Invariant: an event costs nothing more, since they are taken from a snapshot every so often, and once more at the
//! close. The clients of a process add up in [`Totals`], which are told as they are: counters by their absolute value,
//! gauges set. So it does not matter when a recorder is installed, nor whether it has forgotten what was idle. The
//! recorder is user code: it is called on a thread of its own, without a lock, and waited for no longer than wanted.

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
    /// What the totals know of this client.
    known: Mutex<Stats>,
    totals: &'static Totals,
    teller: Threads,
    /// Where there are no threads, the recorder is called at once.
    has_threads: bool,
    /// The recorder is being called, and everything will be told by that.
    telling: Arc<AtomicBool>,
}

impl Reported {
    pub(crate) fn new(has_threads: bool) -> Self {
        let (teller, telling) = (Threads::new("tracklane-count", 1), Arc::default());
        Self { known: Mutex::default(), totals: Totals::of_process(), teller, has_threads, telling }
    }

    /// Takes over what has changed, and tells the recorder, on another thread. The snapshot is taken while no other is,
    /// so that none is older than the one before.
    pub(crate) fn update(&self, snapshot: impl FnOnce() -> Stats) {
        self.take_over(snapshot);
        // One that hangs is not called again and again.
        if !self.telling.swap(true, Ordering::AcqRel) {
            let (totals, telling) = (self.totals, self.telling.clone());
            self.on_thread(move || {
                telling.store(false, Ordering::Release);
                tell(totals);
            });
        }
    }

    /// As [`update`](Self::update), and waits until the recorder knows, at most `timeout`.
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

    /// Without a thread they are told the next time.
    fn on_thread(&self, work: impl FnOnce() + Send + 'static) {
        if !self.has_threads {
            return work();
        }
        if self.teller.run(Box::new(work)).is_err() {
            self.telling.store(false, Ordering::Release);
        }
    }
}

/// What a client that has ended counted stays; nothing of it waits any more.
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

/// Tells the recorder, which may panic.
fn tell(totals: &Totals) {
    if supervise::catch(|| totals.tell()).is_err() {
        log!(ERROR, what = "recorder of metrics", "panicked; the panic was caught");
    }
}
