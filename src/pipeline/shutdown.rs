//! Flush and close: every wait has a deadline in real time, whatever the pipeline does.
//!
//! Both wait on the caller's thread, or on a blocking thread for the async ones: a deadline that depended on the
//! background thread would not hold when that thread hangs.

use std::collections::HashSet;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::Shared;
use super::intake::Taken;
use super::registry::Command;
use crate::event::Event;
use crate::ledger::{DropReason, FlushReport, Outcome, Stats};

/// What became of the events that had no outcome when the client was closed. What ended earlier is in
/// [`stats`](crate::Analytics::stats).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CloseReport {
    /// Events that at least one destination has.
    pub delivered: u64,
    /// Events that were dropped since, before the deadline, whatever the reason.
    pub failed: u64,
    /// Events that had no outcome when the deadline passed.
    pub pending: u64,
    /// The pending events, with their ids, as far as they could be got hold of: they can be sent again, by another
    /// client, or saved as JSON. One that was in flight may have arrived nevertheless; Segment then drops the second.
    pub unsent: Vec<Event>,
}

impl CloseReport {
    /// Whether nothing failed and nothing is pending.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.pending == 0
    }
}

impl Shared {
    /// What is counted so far.
    pub(crate) fn stats(&self) -> Stats {
        let destinations = self.plan.load().lanes.iter().map(|lane| lane.stats()).collect();
        Stats { destinations, ..self.ledger.stats() }
    }

    /// Nothing delivered, and pending what is under way, as far as that can be said without a lock.
    fn forked(&self) -> FlushReport {
        tracing::warn!(target: "tracklane", "the client was built before this process was forked: nothing is sent");
        FlushReport { pending: self.ledger.room.used().0, ..FlushReport::default() }
    }

    /// Blocks until everything that was accepted so far has its outcome, at most until `deadline`.
    pub(crate) fn flush(&self, deadline: Instant) -> FlushReport {
        if self.background.is_forked() {
            return self.forked();
        }
        let flush = self.intake.begin_flush();
        self.ledger.wait(flush, deadline)
    }

    /// Refuses calls from now on, flushes, gives up at `deadline` what is left, and ends the worker, which unloads every
    /// plugin.
    pub(crate) fn close(&self, deadline: Instant) -> CloseReport {
        if self.background.is_forked() {
            let FlushReport { delivered, failed, pending } = self.forked();
            return CloseReport { delivered, failed, pending, unsent: Vec::new() };
        }
        let first = self.intake.close();
        let FlushReport { delivered, failed, pending } = self.flush(deadline);
        let unsent = if pending > 0 { self.give_up() } else { Vec::new() };
        self.after.wait(left(deadline));
        self.ledger.wait_for_callbacks(left(deadline));
        if first {
            let (ended, end) = mpsc::sync_channel(0);
            self.intake.command(Command::End(ended));
            // Answered by being dropped. A plugin that needs longer to unload goes on without being waited for.
            let _ = end.recv_timeout(left(deadline));
        }
        CloseReport { delivered, failed, pending, unsent }
    }

    /// Takes back what is under way, counts it as dropped because of the close, and hands it over.
    fn give_up(&self) -> Vec<Event> {
        let (mut unsent, mut seen) = (Vec::new(), HashSet::new());
        for lane in &self.plan.load().lanes {
            for message in lane.abandon(DropReason::Closed) {
                // An event that two destinations did not get is one event.
                if seen.insert(Arc::as_ptr(&message)) {
                    unsent.push(message.event());
                }
            }
        }
        while let Some(mut chunk) = self.intake.take_away() {
            while let Some(taken) = self.intake.next(&mut chunk) {
                let Taken::Event(mut event) = taken else { continue };
                if let Some(ticket) = event.attached.ticket.take() {
                    ticket.settle(Outcome::Dropped(DropReason::Closed));
                }
                unsent.push(event);
            }
        }
        if !unsent.is_empty() {
            tracing::warn!(target: "tracklane", events = unsent.len(), "closed before these events were delivered");
        }
        unsent
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
