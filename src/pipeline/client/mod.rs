//! One client between its handle and its pipeline, and how it ends: flush and close.
//!
//! Invariant: every wait has a deadline in real time, whatever the pipeline does. A caller waits on its own thread; the
//! async forms wait on a thread of their own. A deadline kept by the background thread would not hold while user code
//! blocks that thread.

#[cfg(not(target_family = "wasm"))]
mod blocking;
mod deadline;
mod driven;
mod handle;
mod leftover;
mod shutdown;
mod start;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::after::AfterQueue;
use super::intake::Intake;
use super::registry::CurrentStack;
use crate::background::{Background, Driver, Tasks};
use crate::clock::Instant;
use crate::emitter::Emitter;
use crate::event::Unsent;
use crate::inspector::Inspector;
use crate::ledger::{DestinationStats, Dispatcher, FlushReport, Ledger, Stats};
use crate::supervise::{hops, log};
use crate::wait_group::WaitGroup;
use shutdown::Shutdown;

pub(crate) use deadline::{deadline, left};
pub(crate) use start::{Layers, Setup};

/// The time to take out one leftover event, where there are very many.
const TAKE_EVENT: Duration = Duration::from_nanos(300);

/// The time that callbacks get after the last handle is gone. Nobody waits for them.
const LAST_CALLBACKS: Duration = Duration::from_secs(10);

/// The end of a client: the final counts, and the events that are handed back.
pub(crate) type End = Shutdown<FinalCounts, Unsent>;

/// One client: what its handle, its worker and its direct pipelines share.
pub(crate) struct Client {
    pub(crate) background: Background,
    pub(crate) emitter: Emitter,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) intake: Intake,
    pub(super) stack: Arc<CurrentStack>,
    pub(super) after: Arc<AfterQueue>,
    pub(super) inspector: Option<Inspector>,
    /// Counts the deregistered plugins that are still unloading.
    pub(super) unloading: WaitGroup,
    pub(crate) end: End,
    /// `true` once the plugins of the settings have loaded or failed.
    pub(super) loaded: watch::Sender<bool>,
    /// The metrics that were reported so far, if the counts are reported as metrics.
    #[cfg(feature = "metrics")]
    pub(super) metrics: Option<crate::metrics::Reported>,
}

/// The counts of all events at the moment when the leftover events were taken back.
#[derive(Clone, Copy, Default)]
pub(crate) struct FinalCounts {
    delivered: u64,
    dropped: u64,
    failed: u64,
    failed_deliveries: u64,
    pending: u64,
}

/// The longest time that closing waits for listeners to get the signals that were emitted.
const LISTENERS: Duration = Duration::from_secs(1);

/// The time that closing waits for the inspector, even beyond its deadline: the last events are the ones to look at.
const INSPECTOR_LEAST: Duration = Duration::from_millis(100);
/// The longest time that closing waits for the inspector.
const INSPECTOR_MOST: Duration = Duration::from_secs(1);

/// The outcomes of all events that a client accepted. [`stats`](crate::Analytics::stats) has them by reason and by
/// destination. Serialized, `unsent` is a number of events.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct CloseReport {
    /// Events that at least one destination took.
    pub delivered: u64,
    /// Events that were dropped [on purpose](crate::DropReason::is_deliberate), by a plugin for example.
    pub dropped: u64,
    /// Events that were dropped for any other reason.
    pub failed: u64,
    /// Deliveries that failed for good. An event counts here once per destination that lost it, even if another
    /// destination took it.
    pub failed_deliveries: u64,
    /// Events without an outcome when the deadline passed.
    pub pending: u64,
    /// Callbacks that had not returned when the deadline passed. Their events have an outcome all the same.
    pub callbacks: u64,
    /// The pending events with their ids, as far as they could be taken back. Another client can send them again, or
    /// they can be saved as JSON. Those that had been through the plugins have their changes. An event that was in flight
    /// may have arrived all the same; Segment then drops the second. If a client is closed several times, one report has
    /// them.
    #[serde(serialize_with = "number")]
    pub unsent: Unsent,
}

/// Serializes the number of events. A report is for a log, which must not show their content.
fn number<S: serde::Serializer>(unsent: &Unsent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(unsent.len() as u64)
}

impl CloseReport {
    /// Returns whether nothing failed at any destination and nothing is pending. Callbacks do not count.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.failed_deliveries == 0 && self.pending == 0
    }
}

impl Dispatcher for Client {
    fn driver(&self) -> Option<Driver> {
        self.background.tasks().map(Tasks::driver)
    }

    fn dispatch(&self, seen: u64) {
        self.intake.dispatch(seen);
    }
}

impl Client {
    /// Returns the counts so far.
    pub(crate) fn stats(&self) -> Stats {
        if self.background.is_forked() {
            // Everything is counted in the parent process, and a lock may be held for ever here.
            return Stats::default();
        }
        let version = self.stack.load();
        let plugins = &version.plugins;
        let destinations: Vec<_> = plugins.lanes.iter().map(|lane| lane.stats()).collect();
        let total = |of: fn(&DestinationStats) -> u64| destinations.iter().map(of).sum();
        Stats {
            attempts: total(|destination| destination.attempts),
            retries: total(|destination| destination.retries),
            bytes: total(|destination| destination.bytes),
            contained_panics: self.background.panics(),
            destinations,
            plugins: plugins.plugin_stats(),
            ..self.ledger.stats()
        }
    }

    /// Brings the metrics up to date, if there are any.
    #[cfg(feature = "metrics")]
    pub(crate) fn report_metrics(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.update(|| self.stats());
        }
    }

    /// Makes a report with nothing delivered, and with what is pending as far as it can be read without a lock.
    fn forked(&self) -> FlushReport {
        log!(WARN, "the client was built before this process was forked: nothing is sent");
        FlushReport { pending: self.ledger.capacity.used().0, ..FlushReport::default() }
    }

    /// Blocks until everything that was accepted so far has its outcome and its callbacks have returned, or until
    /// `deadline`.
    pub(crate) fn flush(self: &Arc<Self>, deadline: Instant) -> FlushReport {
        let mut report = self.flush_events(deadline);
        // A callback that flushes does not wait for itself.
        if hops::current() == 0 && !self.background.is_forked() {
            self.ledger.wait_for_callbacks(left(deadline));
            report.callbacks = self.ledger.callbacks();
        }
        report
    }

    /// Like [`flush`](Self::flush), without waiting for callbacks.
    fn flush_events(&self, deadline: Instant) -> FlushReport {
        if self.background.is_forked() {
            return self.forked();
        }
        if self.intake.is_orphaned() {
            // Nothing moves any more: what was under way was given up.
            let pending = self.end.counts().map_or(0, |counts| counts.pending);
            return FlushReport { pending, ..FlushReport::default() };
        }
        let flush = self.intake.begin_flush();
        self.ledger.wait(flush, deadline)
    }

    /// Closes the client. Refuses calls from now on, flushes, gives up at `deadline` what is left, and ends the worker,
    /// which unloads every plugin. Any number of closes may run at once: the first that runs out of time gives up for
    /// all.
    pub(crate) fn close(self: &Arc<Self>, deadline: Instant) {
        if self.background.is_forked() {
            return;
        }
        self.intake.close();
        let deadline = if self.intake.is_orphaned() { Instant::now() } else { deadline };
        self.wake_refused();
        // Leftover events must be taken out before the deadline: the more there are, the earlier that begins.
        if self.flush_events(self.give_up_at(deadline)).pending > 0 {
            // Fewer may be left by now.
            self.flush_events(self.give_up_at(deadline));
        }
        self.give_up(deadline);
        self.after.wait(deadline);
        if let Some(inspector) = &self.inspector
            && !self.background.is_current()
        {
            inspector.wait(left(deadline).clamp(INSPECTOR_LEAST, INSPECTOR_MOST));
        }
        self.emitter.report_held(None);
        // A callback or listener that closes the client does not wait for itself.
        if hops::current() == 0 {
            self.ledger.wait_for_callbacks(left(deadline));
            self.emitter.wait(left(deadline).min(LISTENERS));
        }
        if self.end.tells_worker() {
            self.intake.end();
        }
        // On the worker's own thread it would wait for itself.
        if !self.background.is_current() {
            // A plugin that needs longer to unload goes on alone.
            self.end.wait_for_worker(deadline);
            self.unloading.wait(left(deadline));
        }
        self.end.set_closed();
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.update_and_wait(|| self.stats(), left(deadline));
        }
    }

    /// Returns when a close has to give up, so that everything is taken out by its deadline.
    fn give_up_at(&self, deadline: Instant) -> Instant {
        deadline.checked_sub(self.time_to_take_out()).unwrap_or_else(Instant::now)
    }

    /// Returns how long it takes to take out everything that is under way.
    fn time_to_take_out(&self) -> Duration {
        let (events, _) = self.ledger.capacity.used();
        TAKE_EVENT.saturating_mul(u32::try_from(events).unwrap_or(u32::MAX))
    }

    /// Returns the report of a close that has ended. The first caller gets the events that are handed back, with the
    /// counts of that moment. For later callers those events are dropped.
    pub(crate) fn report(&self) -> CloseReport {
        if self.background.is_forked() {
            let pending = self.forked().pending;
            return CloseReport { pending, ..CloseReport::default() };
        }
        let (counts, unsent) = self.end.take_rest().unwrap_or_else(|| (self.counts(), Unsent::default()));
        let FinalCounts { delivered, dropped, failed, failed_deliveries, pending } = counts;
        let callbacks = self.ledger.callbacks();
        CloseReport { delivered, dropped, failed, failed_deliveries, pending, callbacks, unsent }
    }

    pub(super) fn counts(&self) -> FinalCounts {
        let Stats { delivered, dropped, pending, .. } = self.ledger.stats();
        let deliberate = dropped.deliberate();
        let failed_deliveries = self.ledger.failed_deliveries();
        FinalCounts { delivered, dropped: deliberate, failed: dropped.total() - deliberate, failed_deliveries, pending }
    }

    /// Notes that the worker has ended. If nobody told it to, its runtime has ended: gives up what is under way, so
    /// that a close can hand it back.
    pub(super) fn worker_ended(self: &Arc<Self>) {
        self.intake.stop();
        self.wake_refused();
        if self.intake.is_orphaned() {
            self.give_up(Instant::now());
            self.loaded.send_replace(true);
        }
        self.end.worker_ended();
    }

    /// Blocks while callbacks run, so that those of events that were given up last are called, too.
    pub(crate) fn run_last_callbacks(&self) {
        self.ledger.wait_for_callbacks(LAST_CALLBACKS);
    }

    /// Drops the user code that is left at the end of the client: plugins and listeners. That may take any time.
    pub(crate) fn release(&self) {
        drop((self.stack.take(), self.emitter.take_listeners()));
    }
}

/// The last handle may end on any thread, that of a direct pipeline included. Plugins are dropped elsewhere.
impl Drop for Client {
    fn drop(&mut self) {
        let provider = self.intake.take_call_context();
        if provider.is_some() || !self.stack.is_empty() {
            self.background.dispose((self.stack.take(), provider));
        }
    }
}
