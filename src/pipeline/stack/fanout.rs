//! The end of the stack: the event in its final form, offered to every destination that is to have it.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;

use super::absent::Absent;
use super::passage::Passage;
use super::stopped::{Stopped, stop};
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Context as EventContext, Event, InvalidField, Message};
use crate::ledger::{DropReason, Envelope, Ledger, Ticket};
use crate::pipeline::lane::Lane;
use crate::pipeline::limits::Limits;

/// Hands events to lanes. Never waits: a lane that is full drops what it is offered, and no other notices.
#[derive(Clone)]
pub(in crate::pipeline) struct FanOut(pub(super) Arc<Outlets>);

/// The destinations, and what an event needs on its way to them.
pub(super) struct Outlets {
    pub(super) lanes: Vec<Arc<Lane>>,
    /// Destinations that could not be loaded: what they were to have is lost, and not unwanted.
    pub(super) absent: Vec<Absent>,
    /// Whether there are after plugins, which are to see how events end.
    pub(super) is_shown: bool,
    pub(super) defaults: Arc<EventContext>,
    pub(super) limits: Limits,
    pub(super) ledger: Arc<Ledger>,
    pub(super) emitter: Emitter,
}

impl Service<Passage> for FanOut {
    type Response = ();
    type Error = Stopped;
    type Future = Ready<Result<(), Stopped>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, Passage { envelope, turn, .. }: Passage) -> Self::Future {
        let passed = self.0.fan_out(envelope);
        // The next event may come only now.
        drop(turn);
        ready(passed)
    }
}

impl Outlets {
    fn fan_out(&self, Envelope { item: mut event, mut ticket }: Envelope<Event>) -> Result<(), Stopped> {
        // Through the queue nothing comes this far; by hand it does.
        if self.limits.all_disabled {
            return Err(stop(&ticket, DropReason::Disabled));
        }
        let chosen = self.lanes.iter().filter(|lane| lane.selects(&event)).count();
        if chosen == 0 {
            let stopped = stop(&ticket, self.why_nobody(&event));
            self.emitter.lose(&event, stopped.reason);
            return Err(stopped);
        }
        if self.is_shown {
            ticket.keep_for_after();
        }
        let message = self.seal(&mut event, &ticket)?;
        self.ledger.capacity.fan_out(ticket.bytes(), self.limits.drops_oldest);
        self.count_absent(&event, &ticket);
        ticket.set_destinations(u32::try_from(chosen).unwrap_or(u32::MAX));
        let message = Arc::new(Envelope::new(message, ticket));
        // Asked again, which costs less than to remember it: hardly any event names destinations.
        self.lanes.iter().filter(|lane| lane.selects(&event)).for_each(|lane| lane.offer(message.clone()));
        event.recycle();
        if chosen < self.lanes.len() {
            // Those that it is not for are done with it.
            self.ledger.release_capacity(std::iter::once(&message.ticket));
        }
        Ok(())
    }

    /// Makes the event's final form, or stops it if plugins have made it what cannot be sent.
    pub(super) fn seal(&self, event: &mut Event, ticket: &Ticket) -> Result<Message, Stopped> {
        event.seal(ticket.bytes(), &self.defaults).map_err(|invalid| {
            let reason = match invalid {
                InvalidField::TooLarge { .. } => DropReason::TooLarge,
                _ => DropReason::Invalid,
            };
            let stopped = stop(ticket, reason);
            self.emitter.lose(event, reason);
            let message = format!("an event was dropped after its plugins: {invalid}");
            let mut failure = Failure::new("tracklane", message, 1);
            failure.dropped = Some(reason);
            self.emitter.fail(failure);
            stopped
        })
    }

    /// Counts an event that others have as lost for the destinations that could not be loaded.
    fn count_absent(&self, event: &Event, ticket: &Ticket) {
        let missing = self.absent.iter().filter(|absent| absent.selects(event));
        missing.for_each(|_| self.ledger.count_failed_deliveries(std::iter::once(ticket)));
    }

    /// Why an event is dropped that no destination is to have.
    #[cold]
    fn why_nobody(&self, event: &Event) -> DropReason {
        if self.absent.iter().any(|absent| absent.selects(event)) {
            DropReason::Unavailable
        } else {
            DropReason::NoDestination
        }
    }
}
