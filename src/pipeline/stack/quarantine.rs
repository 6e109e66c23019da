//! Where events go that a plugin dropped which has a quarantine: to one destination, and to no other.
//!
//! Invariant: such an event counts as dropped by a plugin, whatever becomes of it in its quarantine.

use std::sync::Arc;

use super::fanout::Outlets;
use super::passage::Passage;
use super::stopped::{Stopped, stop};
use crate::emitter::signal::Failure;
use crate::event::Event;
use crate::ledger::{DropReason, Envelope};
use crate::supervise::Topic;

/// The destinations that take what plugins drop. They get nothing else.
#[derive(Clone)]
pub(super) struct Quarantine(pub(super) Arc<Outlets>);

impl Quarantine {
    /// Gives the event to the destination that the plugin named. It goes no further.
    pub(super) fn take(&self, passage: Passage) -> Stopped {
        let Passage { envelope, turn, quarantine } = passage;
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

    /// Says that there is no such destination. The plugin wanted the event out of the way, so it is no loss.
    #[cold]
    fn report_absent(&self, name: &Arc<str>) {
        let quarantine = name.clone();
        self.0.emitter.fail_throttled(Topic::Plugin, name, (1, false), move |repeats| {
            let message = format!(
                "no destination of this name takes what plugins drop, as one of them asks for; the event goes \
                 nowhere{}: register the destination",
                repeats.suffix()
            );
            Failure::of_destination(quarantine, message, repeats.events)
        });
    }
}
