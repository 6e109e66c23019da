//! Flush and close, for a client with a thread and for one that is driven by whoever awaits it.
//!
//! A driven client does its work in these very calls, so its deadlines hold between two polls only: code that blocks
//! holds up whoever called it. Invariant: dropping the future of a flush or a close loses nothing; what is under way stays
//! where it is until somebody drives again.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, CloseReport, LISTENERS};
use crate::background::Tasks;
use crate::clock::Instant;
use crate::ledger::{FlushReport, Ledger};
use crate::supervise::hops;
use crate::wait_group::WaitGroup;

impl Client {
    /// Waits until everything that was accepted so far has its outcome, at most `timeout`.
    pub(crate) async fn flush_within(self: Arc<Self>, timeout: Duration) -> FlushReport {
        match self.background.tasks() {
            Some(tasks) => tasks.run(self.flush_driven(tasks, timeout)).await,
            None => self.clone().wait(timeout, Client::flush).await,
        }
    }

    /// Refuses calls from now on, flushes, and ends the client, at most `timeout`.
    pub(crate) async fn close_within(self: Arc<Self>, timeout: Duration) -> CloseReport {
        match self.background.tasks() {
            Some(tasks) => tasks.run(self.close_driven(tasks, timeout)).await,
            None => self.clone().wait(timeout, Client::close).await,
        }
        self.report()
    }

    /// Drives until the client has closed.
    pub(crate) async fn drive(&self) {
        if let Some(tasks) = self.background.tasks() {
            tasks.run(tasks.until(|| self.end.has_worker_ended())).await;
        }
    }

    pub(super) async fn flush_driven(self: &Arc<Self>, tasks: &Tasks, timeout: Duration) -> FlushReport {
        let until = Deadline::new(tasks, timeout);
        let mut report = self.flush_events_driven(until).await;
        if hops::current() == 0 {
            until.wait_for(self.ledger.running_callbacks()).await;
            report.callbacks = self.ledger.callbacks();
        }
        report
    }

    async fn flush_events_driven(&self, until: Deadline<'_>) -> FlushReport {
        // The lanes have not looked since the last flush. They would take its end for the begin of this one.
        if !self.ledger.is_flushing() {
            self.stack.load().plugins.lanes.iter().for_each(|lane| lane.end_flush());
        }
        let flush = Flush { ledger: &self.ledger, number: self.intake.begin_flush() };
        until.holds(|| self.ledger.is_flushed(flush.number)).await;
        self.ledger.end_flush(flush.number)
    }

    /// In the order of [`close`](Self::close).
    pub(super) async fn close_driven(self: &Arc<Self>, tasks: &Tasks, timeout: Duration) {
        let (until, depth) = (Deadline::new(tasks, timeout), hops::current());
        self.intake.close();
        self.wake_refused();
        self.flush_events_driven(until.earlier(self.time_to_take_out())).await;
        self.give_up(Instant::now());
        until.within(self.after.seen()).await;
        self.emitter.report_held(None);
        // A plugin that closes the client does not wait for itself.
        if depth == 0 {
            until.wait_for(self.ledger.running_callbacks()).await;
            until.at_most(LISTENERS).wait_for(self.emitter.running_listeners()).await;
        }
        if self.end.tells_worker() {
            self.intake.end();
        }
        // Whatever the time: plugins are unloaded and callbacks called, as far as they wait for nothing.
        tasks.poll_to_rest();
        until.holds(|| self.end.has_worker_ended()).await;
        until.wait_for(&self.unloading).await;
        self.end.set_closed();
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            metrics.update_and_wait(|| self.stats(), Duration::ZERO);
        }
    }

    /// The last handle is gone, so nobody will drive the client any more: what is left is given up and counted, and
    /// everybody is told.
    pub(crate) fn abandon(self: &Arc<Self>, tasks: &Tasks) {
        if !self.end.is_closed() {
            self.intake.close();
            self.wake_refused();
            self.give_up(Instant::now());
            self.emitter.report_held(None);
        }
        if self.end.tells_worker() {
            self.intake.end();
        }
        tasks.end();
        let client = self.clone();
        self.background.run_with_limit(Duration::ZERO, move || client.release());
    }
}

/// When whoever awaits a driven client gives up, by the machine's clock.
#[derive(Clone, Copy)]
struct Deadline<'t> {
    tasks: &'t Tasks,
    at: Duration,
}

impl<'t> Deadline<'t> {
    fn new(tasks: &'t Tasks, timeout: Duration) -> Self {
        Self { tasks, at: tasks.timers().now().saturating_add(timeout) }
    }

    fn earlier(self, by: Duration) -> Self {
        Self { at: self.at.saturating_sub(by), ..self }
    }

    fn at_most(self, timeout: Duration) -> Self {
        Self { at: self.at.min(Self::new(self.tasks, timeout).at), ..self }
    }

    async fn within(self, future: impl Future<Output = ()>) {
        let _ = self.tasks.timers().within(self.at, future).await;
    }

    async fn holds(self, condition: impl FnMut() -> bool) {
        self.within(self.tasks.until(condition)).await;
    }

    async fn wait_for(self, group: &WaitGroup) {
        let mark = group.mark();
        self.holds(|| group.has_passed(mark)).await;
    }
}

/// A flush under way. Its count ends also where nobody waits for it any more.
struct Flush<'l> {
    ledger: &'l Ledger,
    number: u64,
}

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        self.ledger.end_flush(self.number);
    }
}
