//! What is left when a client ends: it is taken out once, handed back packed, and counted as dropped.
//!
//! Invariant: what is taken out here has no other owner. Who closes the client waits for no foreign code meanwhile: all
//! is counted before anybody is told, and wakers are called, and values dropped, on a thread of their own.

use std::sync::Arc;
use std::time::Duration;

use tracing::dispatcher;

use super::client::{Client, Counts};
use super::intake::TakenBack as NotBegun;
use super::lane::TakenBack as Begun;
use crate::clock::Instant;
use crate::event::{Packed, Unsent};
use crate::ledger::{DropReason, Notifications, Outcome};
use crate::supervise::{hops, log};

/// How long one that gives up waits for another to take out what is left. No foreign code runs in that, and it takes
/// whoever does it the same time.
const TAKE_LIMIT: Duration = Duration::from_secs(1);
/// How long a close waits, beyond its deadline, until what is left is counted and everybody is told. Foreign code that
/// hangs costs it this long.
const TELL_LIMIT: Duration = Duration::from_millis(100);

/// What was taken out. Nothing of it is counted yet.
struct Leftover {
    begun: Vec<Begun>,
    not_begun: NotBegun,
    events: usize,
}

impl Client {
    /// Takes back what is under way, unless another close does, and counts it as dropped because of the close.
    pub(super) fn give_up(self: &Arc<Self>, deadline: Instant) {
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

    /// Wakes those who wait for room, who are refused now.
    pub(super) fn wake_refused(self: &Arc<Self>) {
        if self.ledger.capacity.is_waited_for() {
            self.tell(Instant::now(), |client| client.ledger.capacity.wake_all());
        }
    }

    /// Does what calls foreign code on a thread of its own, and waits for that until the deadline. What is logged there
    /// goes to the subscriber of this thread.
    fn tell(self: &Arc<Self>, deadline: Instant, work: impl FnOnce(&Self) + Send + 'static) {
        let limit = deadline.saturating_duration_since(Instant::now()).max(TELL_LIMIT);
        let (client, sent_by, subscriber) = (self.clone(), hops::current(), dispatcher::get_default(Clone::clone));
        self.background.run_with_limit(limit, move || {
            let _scope = hops::set(sent_by);
            dispatcher::with_default(&subscriber, || work(&client));
        });
    }

    /// Takes out everything that waits or is under way, the oldest first. What is handed back is still pending in the
    /// counts.
    fn take_back(&self) -> (Counts, Unsent, Leftover) {
        // Before the lanes, so that the worker finds nothing more to give them.
        let mut not_begun = self.intake.take_back();
        let begun: Vec<_> = self.stack.lanes().iter().map(|lane| lane.take_back(DropReason::Closed)).collect();
        let counts = self.counts();
        // An event that two destinations did not get is one event.
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
        self.begun.iter().all(Begun::is_empty) && self.not_begun.is_empty()
    }

    /// Counts everything, and then tells whoever wants to know.
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
            log!(ERROR, events, reason = %DropReason::Closed, "closed before these events were delivered");
        }
        // What is dropped here is foreign code in part: errors, and plugins that were to be registered.
    }
}
