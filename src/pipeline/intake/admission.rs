//! Checks an event at the call, and says why a call is refused.
//!
//! Invariant: an event is counted as accepted before anybody can settle it. A refused call is counted, too.

use std::sync::MutexGuard;

use super::Intake;
use super::queue_state::{Credit, QueueState};
use crate::emitter::signal::{Emitted, Failure};
use crate::event::{self, Event, InvalidField, MAX_EVENT_BYTES};
use crate::ledger::Observers;
use crate::pipeline::limits::Limits;
use crate::refusal::{CallError, RefusalReason};
use crate::supervise::{self, Topic, hops, log};

/// Events that are accepted after one look at how much is under way.
const CREDIT_EVENTS: u64 = 128;

/// The origin of the failures that are reported here.
const CLIENT: &str = "tracklane";

/// The weight that a callback or receipt adds to its event.
const WATCH_BYTES: u64 = 512;

impl Intake {
    /// Counts one more event of `bytes`. Returns the lock under which it is put into the queue, and its number; or why
    /// the event is refused.
    pub(super) fn accept(&self, bytes: u32) -> Result<(MutexGuard<'_, QueueState>, u64), RefusalReason> {
        let mut front = self.lock_for_call()?;
        if front.closed {
            return Err(front.closed_because());
        }
        let weight = u64::from(bytes);
        if front.credit.events == 0 || front.credit.bytes < weight {
            front.credit = self.refill_credit(weight)?;
        }
        front.credit.events -= 1;
        front.credit.bytes -= weight;
        self.ledger.accept(bytes);
        let epoch = front.epoch;
        Ok((front, epoch))
    }

    /// Locks the queue for a call. In a forked process the holder of the lock may be gone, so nobody waits for it
    /// there. To detect a fork takes a system call. So it is done only before waiting, and now and then in
    /// [`refill_credit`](Self::refill_credit).
    pub(super) fn lock_for_call(&self) -> Result<MutexGuard<'_, QueueState>, RefusalReason> {
        match self.queue.try_front() {
            Some(front) => Ok(front),
            None if self.ledger.is_forked() => Err(RefusalReason::Forked),
            None => Ok(self.front()),
        }
    }

    /// Returns how much can be accepted without another look, if that is enough for an event of `bytes`.
    #[cold]
    fn refill_credit(&self, bytes: u64) -> Result<Credit, RefusalReason> {
        if self.ledger.is_forked() {
            return Err(RefusalReason::Forked);
        }
        let room = &self.ledger.capacity;
        let Limits { events: max_events, bytes: max_bytes, drops_oldest, .. } = self.limits;
        let (events, used) = if drops_oldest { room.used_before_destinations() } else { room.used() };
        if events >= max_events || used + bytes > max_bytes {
            return Err(RefusalReason::QueueFull { events, bytes: used, max_events, max_bytes });
        }
        // The episode is over when half of the room is free again.
        if events <= max_events / 2 && used <= max_bytes / 2 {
            self.emitter.works(Topic::QueueFull, CLIENT);
        }
        Ok(Credit { events: CREDIT_EVENTS.min(max_events - events), bytes: max_bytes - used })
    }

    /// Returns whether another event may come in.
    pub(super) fn has_room(&self) -> bool {
        let room = &self.ledger.capacity;
        let (events, bytes) = if self.limits.drops_oldest { room.used_before_destinations() } else { room.used() };
        events < self.limits.events && bytes < self.limits.bytes
    }

    /// Checks the event and completes it. Returns its weight: the bytes of its final JSON, and of its watch.
    pub(super) fn check(&self, event: &mut Event) -> Result<u32, RefusalReason> {
        detach_ticket(event);
        if hops::current() >= hops::LIMIT {
            return Err(RefusalReason::Loop);
        }
        event::check(event).map_err(RefusalReason::Invalid)?;
        if let Some(provider) = &self.call_context {
            provider.add_to(event, &self.emitter);
        }
        event.stamp(|| self.clock.wall().into());
        let bytes = event.final_len(&self.defaults);
        if bytes > MAX_EVENT_BYTES {
            return Err(RefusalReason::Invalid(InvalidField::TooLarge { bytes }));
        }
        let watched = event.slot.holds::<Observers>();
        // A receipt or callback would never hear of this event.
        if watched && self.ledger.is_forked() {
            return Err(RefusalReason::Forked);
        }
        let watch = if watched { WATCH_BYTES } else { 0 };
        // No event weighs more than all the room there is, or it would wait for ever.
        let weight = (bytes as u64 + watch).min(self.limits.bytes);
        Ok(u32::try_from(weight).unwrap_or(u32::MAX))
    }

    /// Returns the message for a full queue. It names callbacks that block, because only the application can mend
    /// those.
    fn full(&self, because: &RefusalReason) -> String {
        match self.ledger.capacity.calling() {
            0 => because.to_string(),
            calling => format!("{because}; {calling} of them wait for their callbacks to return"),
        }
    }

    #[cold]
    pub(super) fn refuse(&self, because: RefusalReason, event: Box<Event>) -> CallError {
        self.ledger.refuse();
        // Listeners are called because of this call, even though it was refused.
        let _scope = hops::follow(hops::current());
        match because {
            RefusalReason::Closed => self.emitter.emit(Emitted::CallAfterClose(Event::clone(&event))),
            RefusalReason::QueueFull { .. } => {
                self.emitter.fail_once(Topic::QueueFull, CLIENT, || Failure::new(CLIENT, self.full(&because), 1));
            }
            RefusalReason::Loop => {
                self.emitter.fail_once(Topic::Loop, CLIENT, || Failure::new(CLIENT, because.to_string(), 1));
            }
            RefusalReason::Invalid(_) => {
                log!(DEBUG, kind = %event.kind(), "call refused: {because}");
            }
            // The listeners are in the other process.
            RefusalReason::Forked | RefusalReason::RuntimeEnded => {}
        }
        CallError { reason: because, event }
    }
}

/// Takes out what a layer's event has from its first way through a client. That event ends here; the one that is sent
/// is new.
fn detach_ticket(event: &mut Event) {
    if !event.slot.is_empty() && !event.slot.holds::<Observers>() {
        supervise::discard(std::mem::take(&mut event.slot));
    }
}
