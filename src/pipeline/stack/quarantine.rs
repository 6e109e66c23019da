//! Sends an event that a plugin dropped to the quarantine of that plugin: to one destination, and to no other.
//!
//! Invariant: such an event counts as dropped by a plugin, whatever its quarantine does with it.

use std::sync::Arc;

use super::fanout::Outlets;
use super::request::StackRequest;
use super::stopped::{Stopped, stop};
use crate::emitter::signal::Failure;
use crate::event::Event;
use crate::ledger::{DropReason, Envelope};
use crate::supervise::Topic;

/// The destinations that get the events that plugins drop, and no others.
#[derive(Clone)]
pub(super) struct Quarantine(pub(super) Arc<Outlets>);

impl Quarantine {
    /// Offers the event to the destination that the plugin named. The event goes no further.
    pub(super) fn take(&self, request: StackRequest) -> Stopped {
        let StackRequest { envelope, turn, quarantine } = request;
        let stopped = self.offer(envelope, &quarantine.unwrap_or_default());
        // The next event may come only now.
        drop(turn);
        stopped
    }

    fn offer(&self, Envelope { item: mut event, mut ticket }: Envelope<Event>, name: &Arc<str>) -> Stopped {
        let lane = self.0.lanes.iter().find(|lane| lane.name() == name && lane.takes(event.kind()));
        let Some(lane) = lane.filter(|_| !self.0.limits.all_disabled) else {
            self.report_absent(name);
            return stop(&ticket, DropReason::Plugin);
        };
        if self.0.is_shown {
            ticket.keep_for_after();
        }
        let message = match self.0.seal(&mut event, &ticket) {
            Ok(message) => message,
            Err(stopped) => return stopped,
        };
        self.0.ledger.capacity.fan_out(ticket.bytes(), self.0.limits.drops_oldest);
        ticket.set_quarantined(DropReason::Plugin);
        lane.offer(Arc::new(Envelope::new(message, ticket)));
        event.recycle();
        Stopped::new(DropReason::Plugin)
    }

    /// Reports that there is no such destination. The plugin dropped the event on purpose, so it is no loss.
    #[cold]
    fn report_absent(&self, name: &Arc<str>) {
        let quarantine = name.clone();
        self.0.emitter.fail_throttled(Topic::Plugin, name, (1, false), move |repeats| {
            let message = format!(
                "a plugin has this destination as its quarantine, and it is not registered; the event is dropped{}: \
                 register the destination",
                repeats.suffix()
            );
            Failure::of_destination(quarantine, message, repeats.events)
        });
    }
}
