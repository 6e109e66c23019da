//! How much is under way, so that a call can be refused before memory runs out.
//!
//! An event takes room until the first destination is done with it. So one slow destination does not make calls fail
//! while another keeps up (its own queue overflows instead), and with a single destination the bound is exact, what
//! is in flight included.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sync::{AtomicU64, AtomicUsize, Notified, Notify, Ordering};

/// A number of events and what they weigh in bytes.
///
/// Callers and the pipeline count at the same time: each count has cache lines of its own (two, because processors
/// fetch them in pairs), so that neither waits for the other's.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Load {
    events: AtomicU64,
    bytes: AtomicU64,
}

impl Load {
    /// As [`add`](Self::add), for one caller at a time: no bus is locked, which is dear on the way of a call.
    fn add_alone(&self, events: u64, bytes: u64) {
        self.events.store(self.events() + events, Ordering::Release);
        self.bytes.store(self.bytes() + bytes, Ordering::Release);
    }

    fn add(&self, events: u64, bytes: u64) {
        self.events.fetch_add(events, Ordering::AcqRel);
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    fn sub(&self, events: u64, bytes: u64) {
        self.events.fetch_sub(events, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    fn events(&self) -> u64 {
        self.events.load(Ordering::Acquire)
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }
}

/// What came in, and what is done.
#[derive(Debug, Default)]
pub(crate) struct Room {
    accepted: Load,
    /// Ended before any destination saw it.
    ended_early: Load,
    /// Handed to the destinations.
    fanned_out: Load,
    /// Done by at least one of them.
    done: Load,
    /// Has its outcome, and its callbacks have not all returned.
    calling: Load,
    freed: Notify,
    /// How many wait for room.
    line: AtomicUsize,
}

/// A place in the line of those who wait for room, until it is dropped. It may be dropped at any time: whoever was
/// [called](Room::call_next) and goes has the next one called.
#[derive(Debug)]
pub(crate) struct InLine<'r> {
    room: &'r Room,
    first: bool,
}

impl InLine<'_> {
    /// Whether it is this one's turn to look for room.
    pub(crate) fn is_first(&self) -> bool {
        self.first
    }

    pub(crate) fn is_called(&mut self) {
        self.first = true;
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.room.line.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Room {
    /// Not to be called by two threads at once.
    pub(crate) fn accept(&self, bytes: u32) {
        self.accepted.add_alone(1, u64::from(bytes));
    }

    /// Ended before any destination saw it. Whoever waits for room is to be [called](Self::call_next) when no lock is held.
    pub(crate) fn count_early(&self, bytes: u32) {
        self.ended_early.add(1, u64::from(bytes));
    }

    /// An event that has its outcome takes room on, until it was [called back](Self::called_back).
    pub(crate) fn call_back(&self, bytes: u32) {
        self.calling.add(1, u64::from(bytes));
    }

    /// Events that have their outcome, and take room on until they were called back.
    pub(crate) fn calling(&self) -> u64 {
        self.calling.events()
    }

    /// The callbacks of an event have returned.
    pub(crate) fn called_back(&self, bytes: u32) {
        self.calling.sub(1, u64::from(bytes));
        self.call_next();
    }

    /// Where the oldest gives way, this is what makes room: it `frees`.
    pub(crate) fn fan_out(&self, bytes: u32, frees: bool) {
        self.fanned_out.add(1, u64::from(bytes));
        if frees {
            self.call_next();
        }
    }

    /// Destinations are done with events that no other was done with before. Whoever waits for room is to be
    /// [called](Self::call_next) when no lock is held.
    pub(crate) fn count_done(&self, events: u64, bytes: u64) {
        self.done.add(events, bytes);
    }

    /// Ends when something under way is done, from now on.
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    /// Joins the line. Who finds it empty may look for room at once.
    pub(crate) fn wait_in_line(&self) -> InLine<'_> {
        InLine { room: self, first: self.line.fetch_add(1, Ordering::AcqRel) == 0 }
    }

    /// Has the one look for room that has waited longest. Who finds some calls the next. Runs its waker, whose panic
    /// stays here; no lock may be held.
    pub(crate) fn call_next(&self) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.freed.notify_one()));
    }

    /// Has everybody look who waits for room. Runs their wakers, as [`call_next`](Self::call_next) does.
    pub(crate) fn wake_all(&self) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.freed.notify_waiters()));
    }

    /// Events under way, and what they weigh.
    pub(crate) fn used(&self) -> (u64, u64) {
        let under_way = |of: fn(&Load) -> u64| {
            let done = of(&self.ended_early) + of(&self.done);
            (of(&self.accepted) + of(&self.calling)).saturating_sub(done)
        };
        (under_way(Load::events), under_way(Load::bytes))
    }

    /// Events that no destination has been handed yet, and what they weigh.
    pub(crate) fn used_before_destinations(&self) -> (u64, u64) {
        let under_way = |of: fn(&Load) -> u64| {
            let done = of(&self.ended_early) + of(&self.fanned_out);
            (of(&self.accepted) + of(&self.calling)).saturating_sub(done)
        };
        (under_way(Load::events), under_way(Load::bytes))
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.events()
    }
}
