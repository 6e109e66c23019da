//! The end of the stack: seals the event, and offers it to every destination that should have it.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tower_service::Service;

use super::inspection;
use super::missing::MissingDestination;
use super::request::StackRequest;
use super::stopped::{Stopped, stop};
use super::unknown_names::UnknownNames;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Context as EventContext, Event, InvalidField, Message};
use crate::inspector::{Chosen, Inspector, Note};
use crate::ledger::{DropReason, Envelope, Ledger, Ticket};
use crate::pipeline::lane::Lane;
use crate::pipeline::limits::Limits;
use crate::plugin::Selection;
use crate::supervise::log;

/// Offers events to lanes. Never waits: a full lane drops what it is offered, and other lanes do not notice.
#[derive(Clone)]
pub(in crate::pipeline) struct FanOut(pub(super) Arc<Outlets>);

/// The destinations, and what an event needs on its way to them.
pub(super) struct Outlets {
    pub(super) lanes: Vec<Arc<Lane>>,
    /// Destinations that failed to load. An event that one of them should have had counts as lost.
    pub(super) missing: Vec<MissingDestination>,
    /// There are after plugins, which see how events end.
    pub(super) is_shown: bool,
    /// It was logged that there is no destination at all.
    pub(super) is_warned: AtomicBool,
    pub(super) unknown_names: UnknownNames,
    pub(super) defaults: Arc<EventContext>,
    pub(super) limits: Limits,
    pub(super) ledger: Arc<Ledger>,
    pub(super) emitter: Emitter,
    pub(super) inspector: Option<Inspector>,
}

impl Service<StackRequest> for FanOut {
    type Response = ();
    type Error = Stopped;
    type Future = Ready<Result<(), Stopped>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, StackRequest { envelope, turn, .. }: StackRequest) -> Self::Future {
        let passed = self.0.fan_out(envelope);
        // The next event may enter the fan-out only now.
        drop(turn);
        ready(passed)
    }
}

impl Outlets {
    fn fan_out(&self, Envelope { item: mut event, mut ticket }: Envelope<Event>) -> Result<(), Stopped> {
        // No event comes this far through the queue, but those of a direct pipeline do.
        if self.limits.all_disabled {
            inspection::report_stop(self.inspector.as_ref(), &event, DropReason::Disabled, || None);
            return Err(stop(&ticket, DropReason::Disabled));
        }
        self.unknown_names.report(&event, || self.selections());
        let chosen = self.lanes.iter().filter(|lane| lane.selects(&event)).count();
        if chosen == 0 {
            let stopped = stop(&ticket, self.why_nobody(&event));
            self.emitter.lose(&event, stopped.reason);
            inspection::report_stop(self.inspector.as_ref(), &event, stopped.reason, || None);
            return Err(stopped);
        }
        if self.is_shown {
            ticket.keep_for_after();
        }
        let message = self.seal(&mut event, &ticket)?;
        self.ledger.capacity.fan_out(ticket.bytes(), self.limits.drops_oldest);
        self.count_missing(&event, &ticket);
        self.report_destinations(&event, &message);
        ticket.set_destinations(u32::try_from(chosen).unwrap_or(u32::MAX));
        let message = Arc::new(Envelope::new(message, ticket));
        // Asked again, which is cheaper than to remember it: hardly any event names destinations.
        self.lanes.iter().filter(|lane| lane.selects(&event)).for_each(|lane| lane.offer(message.clone()));
        event.recycle();
        if chosen < self.lanes.len() {
            // Those that do not get the event shall not be kept waiting by those that do.
            self.ledger.release_capacity(std::iter::once(&message.ticket));
        }
        Ok(())
    }

    /// The names of all destinations.
    fn selections(&self) -> impl Iterator<Item = &Selection> {
        self.lanes.iter().map(|lane| lane.selection()).chain(self.missing.iter().map(MissingDestination::selection))
    }

    /// Seals the event, or stops it if plugins have made it one that cannot be sent.
    pub(super) fn seal(&self, event: &mut Event, ticket: &Ticket) -> Result<Message, Stopped> {
        event.seal(ticket.bytes(), &self.defaults).map_err(|invalid| {
            let reason = match invalid {
                InvalidField::TooLarge { .. } => DropReason::TooLarge,
                _ => DropReason::Invalid,
            };
            let stopped = stop(ticket, reason);
            self.emitter.lose(event, reason);
            inspection::report_stop(self.inspector.as_ref(), event, reason, || Some(invalid.to_string()));
            let message = format!("an event was dropped after its plugins: {invalid}");
            let mut failure = Failure::new("tracklane", message, 1);
            failure.dropped = Some(reason);
            self.emitter.fail(failure);
            stopped
        })
    }

    /// Reports the destinations of the event to an inspector.
    fn report_destinations(&self, event: &Event, message: &Message) {
        let Some(inspector) = &self.inspector else { return };
        let lanes = self.lanes.iter().filter(|lane| lane.selects(event));
        let missing = self.missing.iter().filter(|missing| missing.selects(event));
        inspector.report(Note::Chosen(Chosen {
            message_id: message.message_id().into_owned(),
            destinations: lanes.map(|lane| lane.name().clone()).collect(),
            missing: missing.map(|missing| missing.name().clone()).collect(),
        }));
    }

    /// Counts an event that other destinations have as lost for those that failed to load.
    fn count_missing(&self, event: &Event, ticket: &Ticket) {
        let missing = self.missing.iter().filter(|missing| missing.selects(event));
        missing.for_each(|_| self.ledger.count_failed_deliveries(std::iter::once(ticket)));
    }

    /// Returns why an event is dropped that no destination should have.
    #[cold]
    fn why_nobody(&self, event: &Event) -> DropReason {
        if self.missing.iter().any(|missing| missing.selects(event)) {
            return DropReason::Unavailable;
        }
        if self.lanes.is_empty() && !self.is_warned.swap(true, Ordering::Relaxed) {
            log!(WARN, "no destination is registered, so events go nowhere: add one, for example by Builder::segment");
        }
        DropReason::NoDestination
    }
}
