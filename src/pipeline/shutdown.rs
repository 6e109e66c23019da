//! Flush and close: every wait has a deadline in real time, whatever the pipeline does.
//!
//! Both wait on the caller's thread, or, the async ones, on a thread of their own: a deadline that depended on the
//! background thread, or on those where user code may block, would not hold when they hang.

use std::collections::HashSet;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::Shared;
use super::intake::Taken;
use crate::contained::log;
use crate::event::Event;
use crate::ledger::{DeliveryError, DestinationStats, DropReason, FlushReport, Outcome, Receipt, Settlement, Stats};
use crate::reentry;

/// How long closing waits for listeners to hear what was emitted, at most.
const LISTENERS: Duration = Duration::from_secs(1);

/// What became of all events that the client accepted in its life. By reason and by destination it is in
/// [`stats`](crate::Analytics::stats).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloseReport {
    /// Events that at least one destination has.
    pub delivered: u64,
    /// Events that were dropped because somebody [asked for it](DropReason::is_deliberate): a plugin, say.
    pub dropped: u64,
    /// Events that were dropped for any other reason.
    pub failed: u64,
    /// Events that had no outcome when the deadline passed.
    pub pending: u64,
    /// Callbacks that had not returned when the deadline passed. Their events have their outcome nevertheless.
    pub callbacks: u64,
    /// The pending events, with their ids, as far as they could be got hold of: they can be sent again, by another
    /// client, or saved as JSON. One that was in flight may have arrived nevertheless; Segment then drops the second.
    pub unsent: Vec<Event>,
}

impl CloseReport {
    /// Whether nothing failed and nothing is pending, whatever callbacks do.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.pending == 0
    }
}

impl Shared {
    /// What is counted so far.
    pub(crate) fn stats(&self) -> Stats {
        if self.background.is_forked() {
            // Everything is counted in the other process, and a lock may be held for ever here.
            return Stats::default();
        }
        let plan = self.plan.load();
        let destinations: Vec<_> = plan.lanes.iter().map(|lane| lane.stats()).collect();
        let total = |of: fn(&DestinationStats) -> u64| destinations.iter().map(of).sum();
        Stats {
            attempts: total(|destination| destination.attempts),
            retries: total(|destination| destination.retries),
            bytes: total(|destination| destination.bytes),
            contained_panics: self.background.panics(),
            destinations,
            plugins: plan.plugin_stats(),
            ..self.ledger.stats()
        }
    }

    /// Brings the metrics up to date, if there are to be any.
    #[cfg(feature = "metrics")]
    pub(crate) fn report_metrics(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.update(|| self.stats());
        }
    }

    /// Nothing delivered, and pending what is under way, as far as that can be said without a lock.
    fn forked(&self) -> FlushReport {
        log!(WARN, "the client was built before this process was forked: nothing is sent");
        FlushReport { pending: self.ledger.room.used().0, ..FlushReport::default() }
    }

    /// Blocks until everything that was accepted so far has its outcome and its callbacks have returned, at most until
    /// `deadline`.
    pub(crate) fn flush(&self, deadline: Instant) -> FlushReport {
        let mut report = self.flush_events(deadline);
        // A callback that flushes does not wait for itself.
        if reentry::depth() == 0 && !self.background.is_forked() {
            self.ledger.wait_for_callbacks(left(deadline));
            report.callbacks = self.ledger.callbacks();
        }
        report
    }

    /// As [`flush`](Self::flush), whatever callbacks do.
    fn flush_events(&self, deadline: Instant) -> FlushReport {
        if self.background.is_forked() {
            return self.forked();
        }
        let flush = self.intake.begin_flush();
        self.ledger.wait(flush, deadline)
    }

    /// As [`flush`](Self::flush), but waits for the end of one event only. Without one in time, the error of the first
    /// destination whose last attempt failed.
    pub(crate) fn flush_for(
        &self,
        receipt: Receipt,
        deadline: Instant,
    ) -> Result<Settlement, Option<Arc<DeliveryError>>> {
        let flush = self.intake.begin_flush();
        let end = receipt.wait_timeout(left(deadline));
        self.ledger.wait(flush, Instant::now());
        end.map_err(|_| self.plan.load().lanes.iter().find_map(|lane| lane.last_error()))
    }

    /// Refuses calls from now on, flushes, gives up at `deadline` what is left, and ends the worker, which unloads every
    /// plugin.
    pub(crate) fn close(&self, deadline: Instant) -> CloseReport {
        if self.background.is_forked() {
            let pending = self.forked().pending;
            return CloseReport { pending, ..CloseReport::default() };
        }
        let first = self.intake.close();
        self.flush_events(deadline);
        let Stats { delivered, dropped, pending, .. } = self.ledger.stats();
        let unsent = if pending > 0 { self.give_up() } else { Vec::new() };
        self.after.wait(left(deadline));
        // A callback or listener that closes the client does not wait for itself.
        let mut callbacks = 0;
        if reentry::depth() == 0 {
            self.ledger.wait_for_callbacks(left(deadline));
            callbacks = self.ledger.callbacks();
            self.emitter.wait(left(deadline).min(LISTENERS));
        }
        if first {
            let (ended, end) = mpsc::sync_channel(0);
            self.intake.end(ended);
            // Answered by being dropped. A plugin that needs longer to unload goes on without being waited for.
            let _ = end.recv_timeout(left(deadline));
        }
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.update_and_wait(|| self.stats(), left(deadline));
        }
        let (dropped, failed) = (dropped.deliberate(), dropped.total() - dropped.deliberate());
        CloseReport { delivered, dropped, failed, pending, callbacks, unsent }
    }

    /// Takes back what is under way, counts it as dropped because of the close, and hands it over, the oldest first.
    fn give_up(&self) -> Vec<Event> {
        // Before the lanes, so that the worker finds nothing more to give them.
        let not_begun: Vec<Event> = std::iter::from_fn(|| self.intake.take_away()).filter_map(give_back).collect();
        let plan = self.plan.load();
        let abandoned: Vec<_> = plan.lanes.iter().flat_map(|lane| lane.abandon(DropReason::Closed)).collect();
        // An event that two destinations did not get is one event.
        let mut seen = HashSet::new();
        let begun = abandoned.iter().filter(|message| seen.insert(Arc::as_ptr(message)));
        let unsent: Vec<Event> = begun.map(|message| message.event()).chain(not_begun).collect();
        if !unsent.is_empty() {
            log!(WARN, events = unsent.len(), "closed before these events were delivered");
        }
        unsent
    }
}

/// The event, if it is one, with its outcome: dropped because of the close.
fn give_back(taken: Taken) -> Option<Event> {
    let Taken::Event(mut event) = taken else { return None };
    if let Some(ticket) = event.attached.ticket.take() {
        ticket.settle(Outcome::Dropped(DropReason::Closed));
    }
    Some(event)
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
