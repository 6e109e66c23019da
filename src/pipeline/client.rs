//! What a client is between its handle and its pipeline, and how it ends: flush and close. Every wait has a deadline in real time, whatever the pipeline does.
//!
//! Both wait on the caller's thread, or, the async ones, on a thread of their own: a deadline that depended on the
//! background thread, or on those where user code may block, would not hold when they hang.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::current::CurrentStack;
use super::deadline::left;
use super::ending::Ending;
use super::intake::Intake;
use super::settle::AfterQueue;
use crate::background::{Background, Driver, Tasks};
use crate::clock::Instant;
use crate::emitter::Emitter;
use crate::event::Unsent;
use crate::ledger::{DestinationStats, Dispatcher, FlushReport, Ledger, Stats};
use crate::supervise::{hops, log};
use crate::wait_group::WaitGroup;

/// How long it takes to take out one event that is left, where there are very many.
const TAKE_EVENT: Duration = Duration::from_nanos(300);

/// How long callbacks may go on when the last handle is gone. Nobody waits for that.
const LAST_CALLBACKS: Duration = Duration::from_secs(10);

/// The end of a client: what is counted and handed back at it.
pub(crate) type End = Ending<Counts, Unsent>;

/// One client: what its handle, its worker, and a pipeline that is driven by hand have in common.
pub(crate) struct Client {
    pub(crate) background: Background,
    pub(crate) emitter: Emitter,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) intake: Intake,
    pub(super) stack: Arc<CurrentStack>,
    pub(super) after: Arc<AfterQueue>,
    /// Plugins that were deregistered, until they are unloaded.
    pub(super) unloading: WaitGroup,
    pub(crate) end: End,
    /// Whether the plugins of the settings have loaded or failed.
    pub(super) loaded: watch::Sender<bool>,
    /// If the counts are to be metrics: what these know so far.
    #[cfg(feature = "metrics")]
    pub(super) metrics: Option<crate::metrics::Reported>,
}

/// What had become of all events when the rest was taken back.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    delivered: u64,
    dropped: u64,
    failed: u64,
    failed_deliveries: u64,
    pending: u64,
}

/// How long closing waits for listeners to hear what was emitted, at most.
pub(super) const LISTENERS: Duration = Duration::from_secs(1);

/// What became of all events that the client accepted in its life. By reason and by destination it is in
/// [`stats`](crate::Analytics::stats). Serialized, `unsent` is the number of events.
#[derive(Clone, Debug, Default, serde::Serialize)]
#[non_exhaustive]
pub struct CloseReport {
    /// Events that at least one destination has.
    pub delivered: u64,
    /// Events that were dropped because somebody [asked for it](crate::DropReason::is_deliberate): a plugin, say.
    pub dropped: u64,
    /// Events that were dropped for any other reason.
    pub failed: u64,
    /// Deliveries that failed for good: an event that one of two destinations lost counts here, although the other has
    /// it.
    pub failed_deliveries: u64,
    /// Events that had no outcome when the deadline passed.
    pub pending: u64,
    /// Callbacks that had not returned when the deadline passed. Their events have their outcome nevertheless.
    pub callbacks: u64,
    /// The pending events, with their ids, as far as they could be got hold of: they can be sent again, by another
    /// client, or saved as JSON. One that was in flight may have arrived nevertheless; Segment then drops the second.
    /// Of several closes of one client, one hands them back.
    #[serde(serialize_with = "number")]
    pub unsent: Unsent,
}

/// Serializes how many events there are: a report is for a log, which has nothing of what they say.
fn number<S: serde::Serializer>(unsent: &Unsent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(unsent.len() as u64)
}

impl CloseReport {
    /// Whether nothing failed, at any destination, and nothing is pending, whatever callbacks do.
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
    /// What is counted so far.
    pub(crate) fn stats(&self) -> Stats {
        if self.background.is_forked() {
            // Everything is counted in the other process, and a lock may be held for ever here.
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
        FlushReport { pending: self.ledger.capacity.used().0, ..FlushReport::default() }
    }

    /// Blocks until everything that was accepted so far has its outcome and its callbacks have returned, at most until
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

    /// As [`flush`](Self::flush), whatever callbacks do.
    fn flush_events(&self, deadline: Instant) -> FlushReport {
        if self.background.is_forked() {
            return self.forked();
        }
        if self.intake.is_deserted() {
            // Nothing moves any more: what was under way was given up.
            let pending = self.end.counts().map_or(0, |counts| counts.pending);
            return FlushReport { pending, ..FlushReport::default() };
        }
        let flush = self.intake.begin_flush();
        self.ledger.wait(flush, deadline)
    }

    /// Refuses calls from now on, flushes, gives up at `deadline` what is left, and ends the worker, which unloads every
    /// plugin. Any number of closes may be under way: the first that runs out of time gives up for all of them.
    pub(crate) fn close(self: &Arc<Self>, deadline: Instant) {
        if self.background.is_forked() {
            return;
        }
        self.intake.close();
        let deadline = if self.intake.is_deserted() { Instant::now() } else { deadline };
        self.wake_refused();
        // What is left has to be taken out in time: the more it is, the earlier.
        if self.flush_events(self.last_moment(deadline)).pending > 0 {
            // Less may be left by now.
            self.flush_events(self.last_moment(deadline));
        }
        self.give_up(deadline);
        self.after.wait(deadline);
        self.emitter.report_held(None);
        // A callback or listener that closes the client does not wait for itself.
        if hops::current() == 0 {
            self.ledger.wait_for_callbacks(left(deadline));
            self.emitter.wait(left(deadline).min(LISTENERS));
        }
        if self.end.tells_worker() {
            self.intake.end();
        }
        // Where this is the worker's thread, it would wait for itself.
        if !self.background.is_current() {
            // A plugin that needs longer to unload goes on without being waited for.
            self.end.wait_for_worker(deadline);
            self.unloading.wait(left(deadline));
        }
        self.end.set_closed();
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.update_and_wait(|| self.stats(), left(deadline));
        }
    }

    /// When a close has to give up, so that it has taken everything out by its deadline.
    fn last_moment(&self, deadline: Instant) -> Instant {
        deadline.checked_sub(self.time_to_take_out()).unwrap_or_else(Instant::now)
    }

    /// How long it takes to take out everything that is under way.
    pub(super) fn time_to_take_out(&self) -> Duration {
        let (events, _) = self.ledger.capacity.used();
        TAKE_EVENT.saturating_mul(u32::try_from(events).unwrap_or(u32::MAX))
    }

    /// The report of a close that has ended. The first that asks gets what is handed back, and is told what was counted
    /// then; for those that come later it is dropped like anything else.
    pub(crate) fn report(&self) -> CloseReport {
        if self.background.is_forked() {
            let pending = self.forked().pending;
            return CloseReport { pending, ..CloseReport::default() };
        }
        let (counts, unsent) = self.end.take_rest().unwrap_or_else(|| (self.counts(), Unsent::default()));
        let Counts { delivered, dropped, failed, failed_deliveries, pending } = counts;
        let callbacks = self.ledger.callbacks();
        CloseReport { delivered, dropped, failed, failed_deliveries, pending, callbacks, unsent }
    }

    pub(super) fn counts(&self) -> Counts {
        let Stats { delivered, dropped, pending, .. } = self.ledger.stats();
        let deliberate = dropped.deliberate();
        let failed_deliveries = self.ledger.failed_deliveries();
        Counts { delivered, dropped: deliberate, failed: dropped.total() - deliberate, failed_deliveries, pending }
    }

    /// The worker has ended. If nobody has told it to, its runtime has ended, and everything else there: what is under
    /// way is given up, for a close to hand back.
    pub(super) fn worker_ended(self: &Arc<Self>) {
        self.intake.desert();
        self.wake_refused();
        if self.intake.is_deserted() {
            self.give_up(Instant::now());
            self.loaded.send_replace(true);
        }
        self.end.worker_ended();
    }

    /// Blocks while callbacks run, so that those of events that were given up at the last moment are called.
    pub(crate) fn call_the_last(&self) {
        self.ledger.wait_for_callbacks(LAST_CALLBACKS);
    }

    /// Drops what is user code, now that the client has ended: plugins and listeners. That may take any time.
    pub(crate) fn release(&self) {
        drop((self.stack.take(), self.emitter.take_listeners()));
    }
}

/// The last use may end anywhere, a pipeline's that somebody drives by hand included: plugins are dropped elsewhere.
impl Drop for Client {
    fn drop(&mut self) {
        let provider = self.intake.take_call_context();
        if provider.is_some() || !self.stack.is_empty() {
            self.background.dispose((self.stack.take(), provider));
        }
    }
}
