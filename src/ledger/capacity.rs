//! The capacity of a client: counts what is under way, so that a call is refused before memory runs out.
//!
//! An event takes capacity until the first destination has taken it, or none is left. So one slow destination does not
//! make calls fail while another keeps up (its own queue overflows instead). With a single destination the bound is
//! exact, and includes what is in flight.

use crate::supervise::catch;
use crate::sync::{AtomicU64, AtomicUsize, Notified, Notify, Ordering};

/// A number of events, and their size in bytes.
///
/// Callers and the pipeline count at the same time. Each gauge has two cache lines of its own, because processors fetch
/// them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Gauge {
    events: AtomicU64,
    bytes: AtomicU64,
}

impl Gauge {
    /// Adds like [`add`](Self::add), but for a single writer: plain stores instead of locked read-modify-writes.
    fn add_single_writer(&self, events: u64, bytes: u64) {
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

/// Counts the events that came in, and those that are done.
#[derive(Debug, Default)]
pub(crate) struct Capacity {
    accepted: Gauge,
    /// Ended before any destination saw it.
    ended_early: Gauge,
    /// Handed to the destinations.
    fanned_out: Gauge,
    /// Taken by one of them, or ended.
    done: Gauge,
    /// Settled, but not all callbacks have returned.
    calling: Gauge,
    freed: Notify,
    /// How many callers wait for capacity.
    line: AtomicUsize,
    /// How many destinations are behind.
    behind: AtomicUsize,
}

/// A place in the line of callers that wait for capacity, until it is dropped. It may be dropped at any time: a caller
/// that was [called](Capacity::call_next) and leaves has the next one called.
#[derive(Debug)]
pub(crate) struct WaitingCaller<'c> {
    capacity: &'c Capacity,
    first: bool,
}

impl WaitingCaller<'_> {
    /// Returns whether it is this caller's turn to try.
    pub(crate) fn is_first(&self) -> bool {
        self.first
    }

    pub(crate) fn is_called(&mut self) {
        self.first = true;
    }
}

impl Drop for WaitingCaller<'_> {
    fn drop(&mut self) {
        self.capacity.line.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Capacity {
    /// Counts an accepted event. Two threads must not call this at once.
    pub(crate) fn accept(&self, bytes: u32) {
        self.accepted.add_single_writer(1, u64::from(bytes));
    }

    /// Counts an event that ended before any destination saw it. The caller [calls the next](Self::call_next) in line
    /// when it holds no lock.
    pub(crate) fn count_early(&self, bytes: u32) {
        self.ended_early.add(1, u64::from(bytes));
    }

    /// Counts an event that is settled and has callbacks. It takes capacity until [`called_back`](Self::called_back).
    pub(crate) fn call_back(&self, bytes: u32) {
        self.calling.add(1, u64::from(bytes));
    }

    /// Returns how many settled events take capacity until their callbacks have returned.
    pub(crate) fn calling(&self) -> u64 {
        self.calling.events()
    }

    /// Releases the capacity of an event whose callbacks have returned.
    pub(crate) fn called_back(&self, bytes: u32) {
        self.calling.sub(1, u64::from(bytes));
        self.call_next();
    }

    /// Counts an event that is handed to the destinations. If the oldest event gives way, this `frees` capacity.
    pub(crate) fn fan_out(&self, bytes: u32, frees: bool) {
        self.fanned_out.add(1, u64::from(bytes));
        if frees {
            self.call_next();
        }
    }

    /// Counts events that a first destination has taken, or that none is left for. The caller
    /// [calls the next](Self::call_next) in line when it holds no lock.
    pub(crate) fn count_done(&self, events: u64, bytes: u64) {
        self.done.add(events, bytes);
    }

    /// Completes when capacity is released, from now on.
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.freed.notified()
    }

    /// Joins the line. A caller that finds it empty may try at once.
    pub(crate) fn wait_in_line(&self) -> WaitingCaller<'_> {
        WaitingCaller { capacity: self, first: self.line.fetch_add(1, Ordering::AcqRel) == 0 }
    }

    /// Counts one more destination that is behind, or one less.
    pub(crate) fn count_behind(&self, is_behind: bool) {
        match is_behind {
            true => self.behind.fetch_add(1, Ordering::AcqRel),
            false => self.behind.fetch_sub(1, Ordering::AcqRel),
        };
    }

    /// Returns whether a destination is behind. Callers that wait for room wait for it as well.
    pub(crate) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire) > 0
    }

    /// Returns whether callers wait in line.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.line.load(Ordering::Acquire) > 0
    }

    /// Wakes the caller that has waited longest, which calls the next if it succeeds. While a destination is behind, nobody
    /// is called; whoever notes that it has caught up calls. Runs the waker and catches its panic. No lock may be held.
    pub(crate) fn call_next(&self) {
        if self.is_behind() {
            return;
        }
        let _ = catch(|| self.freed.notify_one());
    }

    /// Wakes all callers in line. Runs their wakers, as [`call_next`](Self::call_next) does.
    pub(crate) fn wake_all(&self) {
        let _ = catch(|| self.freed.notify_waiters());
    }

    /// Returns how many events are under way, and their size.
    pub(crate) fn used(&self) -> (u64, u64) {
        let under_way = |of: fn(&Gauge) -> u64| {
            let done = of(&self.ended_early) + of(&self.done);
            (of(&self.accepted) + of(&self.calling)).saturating_sub(done)
        };
        (under_way(Gauge::events), under_way(Gauge::bytes))
    }

    /// Returns how many events no destination has been handed yet, and their size.
    pub(crate) fn used_before_destinations(&self) -> (u64, u64) {
        let under_way = |of: fn(&Gauge) -> u64| {
            let done = of(&self.ended_early) + of(&self.fanned_out);
            (of(&self.accepted) + of(&self.calling)).saturating_sub(done)
        };
        (under_way(Gauge::events), under_way(Gauge::bytes))
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.events()
    }
}
