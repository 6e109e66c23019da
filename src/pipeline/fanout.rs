//! The end of the tower stack: the event in its final form, offered to every destination that is to have it.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_service::Service;

use super::{Passage, Stopped};
use crate::emitter::signal::Failure;
use crate::event::InvalidField;
use crate::ledger::{DropReason, Outcome};

/// The future of [`FanOut`].
pub(super) type FanOutFuture = Ready<Result<(), Stopped>>;

/// Hands events to lanes. Never waits: a lane that is full drops what it is offered, and no other notices.
#[derive(Clone, Copy)]
pub(super) struct FanOut;

impl Service<Passage> for FanOut {
    type Response = ();
    type Error = Stopped;
    type Future = FanOutFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, passage: Passage) -> FanOutFuture {
        ready(fan_out(passage))
    }
}

fn fan_out(Passage { mut event, plan, shared }: Passage) -> Result<(), Stopped> {
    // A middleware that made a copy of the event has no ticket for it; the original is what counts.
    let Some(mut ticket) = event.attached.ticket.take() else {
        return Err(Stopped { reason: DropReason::Middleware });
    };
    // Through the queue nothing comes this far; by hand it does.
    if shared.intake.is_disabled() {
        ticket.settle(Outcome::Dropped(DropReason::Disabled));
        return Err(Stopped { reason: DropReason::Disabled });
    }
    let chosen = plan.lanes.iter().filter(|lane| lane.selects(&event)).count();
    if chosen == 0 {
        let reason = plan.why_nobody(&event);
        ticket.settle(Outcome::Dropped(reason));
        shared.emitter.lose(&event, reason);
        return Err(Stopped { reason });
    }
    if !plan.after.is_empty() {
        ticket.keep_for_after();
    }
    let bytes = ticket.bytes();
    let mut message = match event.seal(ticket, &shared.defaults) {
        Ok(message) => message,
        Err((ticket, invalid)) => {
            let reason = match invalid {
                InvalidField::TooLarge { .. } => DropReason::TooLarge,
                _ => DropReason::Invalid,
            };
            ticket.settle(Outcome::Dropped(reason));
            shared.emitter.lose(&event, reason);
            let mut failure =
                Failure::new("tracklane", format!("an event was dropped after its plugins: {invalid}"), 1);
            failure.dropped = Some(reason);
            shared.emitter.fail(failure);
            return Err(Stopped { reason });
        }
    };
    shared.intake.fan_out(bytes);
    plan.count_absent(&event, &message.ticket, &shared.ledger);
    message.ticket.set_destinations(u32::try_from(chosen).unwrap_or(u32::MAX));
    let message = Arc::new(message);
    // Asked again, which costs less than to remember it: hardly any event names destinations.
    plan.lanes.iter().filter(|lane| lane.selects(&event)).for_each(|lane| lane.offer(message.clone()));
    event.recycle();
    if chosen < plan.lanes.len() {
        // Those that it is not for are done with it.
        shared.ledger.release_capacity(std::iter::once(&message.ticket));
    }
    Ok(())
}
