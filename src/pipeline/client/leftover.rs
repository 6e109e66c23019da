//! The leftover events at the end of a client: taken out once, handed back packed, and counted as dropped.
//!
//! Invariant: what is taken out here has no other owner. A close waits for no foreign code meanwhile. First everything
//! is counted; then wakers are called and values are dropped, on a thread of their own.

use std::sync::Arc;
use std::time::Duration;

use tracing::dispatcher;

use super::{Client, FinalCounts};
use crate::clock::Instant;
use crate::event::{Packed, Unsent};
use crate::ledger::{DropReason, Notifications, Outcome};
use crate::pipeline::intake::QueuedEvents;
use crate::pipeline::lane::LaneEvents;
use crate::supervise::hops;

/// The longest time that a close waits for another one to take out what is left. That runs no foreign code, and takes
/// each of them equally long.
const TAKE_LIMIT: Duration = Duration::from_secs(1);
/// The longest time beyond its deadline that a close waits until everything is counted and everybody is notified.
/// Foreign code that hangs costs a close this much.
const TELL_LIMIT: Duration = Duration::from_millis(100);

/// What was taken out. Nothing of it is counted yet.
struct Leftover {
    begun: Vec<LaneEvents>,
    not_begun: QueuedEvents,
    events: usize,
}

impl Client {
    /// Takes back what is under way, unless another close does, and counts it as dropped because of the close.
    pub(in crate::pipeline) fn give_up(self: &Arc<Self>, deadline: Instant) {
        let mut leftover = None;
        self.end.give_up(deadline.max(Instant::now() + TAKE_LIMIT), || {
            let (counts, unsent, taken) = self.take_back();
            leftover = Some(taken);
            (counts, unsent)
        });
        if let Some(leftover) = leftover.filter(|leftover| !leftover.is_empty()) {
            self.tell(deadline, move |client| leftover.settle(client));
        }
    }

    /// Wakes the callers that wait for room. Their calls are refused now.
    pub(in crate::pipeline) fn wake_refused(self: &Arc<Self>) {
        if self.ledger.capacity.is_waited_for() {
            self.tell(Instant::now(), |client| client.ledger.capacity.wake_all());
        }
    }

    /// Does `work`, which calls foreign code, on a thread of its own, and waits for that until the deadline. Its log
    /// lines go to the subscriber of the current thread.
    fn tell(self: &Arc<Self>, deadline: Instant, work: impl FnOnce(&Self) + Send + 'static) {
        let limit = deadline.saturating_duration_since(Instant::now()).max(TELL_LIMIT);
        let (client, sent_by, subscriber) = (self.clone(), hops::current(), dispatcher::get_default(Clone::clone));
        self.background.run_with_limit(limit, move || {
            let _scope = hops::set(sent_by);
            dispatcher::with_default(&subscriber, || work(&client));
        });
    }

    /// Takes out everything that waits or is under way, the oldest first. The counts still have the events that are
    /// handed back as pending.
    fn take_back(&self) -> (FinalCounts, Unsent, Leftover) {
        // Before the lanes, so that the worker has nothing more to give them.
        let mut not_begun = self.intake.take_back();
        let begun: Vec<_> = self.stack.lanes().iter().map(|lane| lane.take_back(DropReason::Closed)).collect();
        let counts = self.counts();
        // An event that is missing at two destinations is one event.
        let sealed = begun.iter().map(|taken| {
            let messages = taken.messages.iter().filter(|message| message.ticket.hand_back_once());
            Packed::sealed(messages.map(|message| &message.item))
        });
        let unsent = Unsent::new(sealed.chain(std::mem::take(&mut not_begun.events)).collect());
        let events = unsent.len();
        (counts, unsent, Leftover { begun, not_begun, events })
    }
}

impl Leftover {
    fn is_empty(&self) -> bool {
        self.begun.iter().all(LaneEvents::is_empty) && self.not_begun.is_empty()
    }

    /// Counts everything, and then notifies whoever wants to know.
    fn settle(mut self, client: &Client) {
        let (mut due, events) = (Notifications::new(&client.ledger), self.events);
        let mut missed = Vec::new();
        for taken in &self.begun {
            missed.extend(taken.count(DropReason::Closed, &mut due));
        }
        self.not_begun.count(&client.ledger, Outcome::Dropped(DropReason::Closed), &mut due);
        due.notify();
        client.after.report(&missed);
        if events > 0 {
            client.emitter.log_closed(events);
        }
        // Part of what is dropped here is foreign code: errors, and plugins that were to be registered.
    }
}
