//! How the worker waits while there is nothing to do: it polls, or it is woken.
//!
//! To wake a sleeping thread costs the caller a system call. To poll costs the worker one. So the worker polls often
//! while calls come so often that such a poll finds several. It polls seldom, as the destinations allow, while events
//! come as seldom as that. Otherwise it waits to be woken.
//!
//! [`WorkerState`] is part of the state under the intake's lock. Invariant: if an entry has to wake the worker, exactly
//! one caller is told to. Only the worker marks itself as polling, because a worker that is taken for awake is not
//! woken.

use std::time::Duration;

/// The time between two polls while many events come.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Events per poll, in halves, from which on polling often is cheaper than a wake-up for each event: one and a half.
const EVENTS_WORTH_A_POLL: u128 = 3;
/// Polls this far apart cost next to nothing. Half an event per poll is enough for them: what they cost the worker, they
/// spare the callers.
const SELDOM: Duration = Duration::from_millis(100);
const EVENTS_WORTH_A_SELDOM_POLL: u128 = 1;
/// The longest time until a poll. More would spare next to nothing.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest time until a poll where plugins, layers or an inspector see events before their batch leaves.
const LONGEST_IF_SEEN: Duration = Duration::from_secs(1);

/// Bytes of events that wake the worker however it waits.
const MOST_BYTES: usize = 256 * 1024;

/// The state of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WorkerState {
    #[default]
    Awake,
    /// Waits until it polls by itself, or until so many more events or bytes have come.
    Parked { events: usize, bytes: usize },
}

impl WorkerState {
    /// Notes that the worker polls.
    pub(crate) fn poll(&mut self) {
        *self = WorkerState::Awake;
    }

    /// Notes that the worker has found nothing, and waits. It is woken for so many events or bytes.
    pub(crate) fn park(&mut self, events: usize, bytes: usize) {
        *self = WorkerState::Parked { events, bytes: bytes.min(MOST_BYTES) };
    }

    /// Notes an event of so many bytes. Returns whether the worker must be woken. If so, it counts as awake from now on.
    pub(crate) fn wakes_for_event(&mut self, size: usize) -> bool {
        let WorkerState::Parked { events, bytes } = self else { return false };
        (*events, *bytes) = (events.saturating_sub(1), bytes.saturating_sub(size));
        (*events == 0 || *bytes == 0) && self.wakes()
    }

    /// Returns whether the worker must be woken for what cannot wait. If so, it counts as awake from now on.
    pub(crate) fn wakes(&mut self) -> bool {
        std::mem::take(self) != WorkerState::Awake
    }
}

/// The delay that is allowed before an event is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxDelay {
    /// The number of further events that makes a batch due at some destination.
    pub(crate) events: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl MaxDelay {
    /// The least of what the next batch of each destination allows. `is_seen`: something sees events before. `at_once`:
    /// something waits for each event.
    pub(crate) fn of(batches: impl Iterator<Item = Self>, is_seen: bool, at_once: bool) -> Self {
        let longest = if is_seen { LONGEST_IF_SEEN } else { LONGEST };
        let mut least = Self { events: usize::MAX, bytes: usize::MAX, time: longest };
        for batch in batches {
            least.events = least.events.min(batch.events);
            least.bytes = least.bytes.min(batch.bytes);
            least.time = least.time.min(batch.time);
        }
        // A batch of one event is a destination that takes single ones.
        if at_once || least.events <= 1 {
            least.time = POLL_INTERVAL;
        }
        least.time = least.time.max(POLL_INTERVAL);
        least
    }
}

/// One wait of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdleWait {
    /// The time until it polls by itself. `None`: it waits until it is woken.
    pub(crate) limit: Option<Duration>,
    /// It is woken when so many events wait,
    pub(crate) events: usize,
    /// or so many bytes.
    pub(crate) bytes: usize,
}

impl IdleWait {
    /// The wait of a driven client, which has no time of its own. A wake-up costs nothing there.
    pub(crate) const UNTIL_WOKEN: Self = Self { limit: None, events: 1, bytes: usize::MAX };

    /// Returns whether events may come that neither wake the worker nor are found by the next frequent poll.
    pub(crate) fn lets_events_wait(&self) -> bool {
        self.events > 1 && self.limit.is_some_and(|limit| limit > POLL_INTERVAL)
    }

    /// Chooses the cheapest way to wait, if events keep coming as they did lately: so many in that time.
    pub(crate) fn choose(events: u64, time: Duration, max_delay: MaxDelay) -> Self {
        let come_within = |limit: Duration, halves: u128| {
            2 * u128::from(events) * limit.as_nanos() >= halves.saturating_mul(time.as_nanos().max(1))
        };
        if come_within(POLL_INTERVAL, EVENTS_WORTH_A_POLL.max(2 * max_delay.events as u128)) {
            // A batch is due at the next poll in any case, so a wake-up gains nothing.
            return Self { limit: Some(POLL_INTERVAL), events: usize::MAX, bytes: usize::MAX };
        }
        let worth = if max_delay.time < SELDOM { EVENTS_WORTH_A_POLL } else { EVENTS_WORTH_A_SELDOM_POLL };
        if come_within(max_delay.time, worth) {
            return Self { limit: Some(max_delay.time), events: max_delay.events, bytes: max_delay.bytes };
        }
        Self::UNTIL_WOKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_from_how_often_events_come() {
        let of = |events, millis| MaxDelay { events, bytes: 500_000, time: Duration::from_millis(millis) };
        let (batches, soon, singles) = (of(15, 100), of(15, 99), of(1, 5));
        let (sleep, poll) = ((None, 1, usize::MAX), (Some(5), usize::MAX, usize::MAX));
        let table = [
            // Events in so many microseconds, allowed delay; longest wait in ms, events and bytes that wake.
            (0, 5_000, batches, sleep),
            (1, 1_000_000, batches, sleep),
            (1, 201_000, batches, sleep),
            (1, 200_000, batches, (Some(100), 15, 500_000)),
            (10, 100_000, batches, (Some(100), 15, 500_000)),
            (14, 5_000, batches, (Some(100), 15, 500_000)),
            (15, 5_000, batches, poll),
            (1, 50, batches, poll),
            (1, 0, batches, poll),
            (1, 67_000, soon, sleep),
            (1, 66_000, soon, (Some(99), 15, 500_000)),
            (1, 1_000_000, singles, sleep),
            (1, 3_334, singles, sleep),
            (1, 3_333, singles, poll),
            (100, 5_000, singles, poll),
        ];
        for (come, micros, max_delay, (limit, events, bytes)) in table {
            let chosen = IdleWait::choose(come, Duration::from_micros(micros), max_delay);
            let expected = IdleWait { limit: limit.map(Duration::from_millis), events, bytes };
            assert_eq!(chosen, expected, "{come} events in {micros} us, {max_delay:?}");
        }
    }

    #[test]
    fn the_allowed_delay_is_the_least_of_all_batches_and_shorter_where_somebody_waits() {
        let batch = |events, bytes, millis| MaxDelay { events, bytes, time: Duration::from_millis(millis) };
        let table = [
            // Batches, seen, at once; events, bytes, milliseconds.
            (vec![], false, false, (usize::MAX, usize::MAX, 10_000)),
            (vec![], true, false, (usize::MAX, usize::MAX, 1_000)),
            (vec![batch(15, 500, 9_000)], false, false, (15, 500, 9_000)),
            (vec![batch(15, 500, 60_000)], false, false, (15, 500, 10_000)),
            (vec![batch(15, 500, 9_000)], true, false, (15, 500, 1_000)),
            (vec![batch(15, 500, 9_000), batch(20, 400, 50)], true, false, (15, 400, 50)),
            (vec![batch(15, 500, 1)], false, false, (15, 500, 5)),
            (vec![batch(1, 500, 9_000)], false, false, (1, 500, 5)),
            (vec![batch(15, 500, 9_000)], false, true, (15, 500, 5)),
        ];
        for (batches, is_seen, at_once, (events, bytes, millis)) in table {
            let delay = MaxDelay::of(batches.iter().copied(), is_seen, at_once);
            assert_eq!(delay, batch(events, bytes, millis), "{batches:?}, seen: {is_seen}, at once: {at_once}");
        }
    }

    #[test]
    fn the_worker_is_woken_once_when_enough_has_come() {
        let table = [
            // Events and bytes that wake, bytes of each event, the event that wakes.
            (1, usize::MAX, 1, 1),
            (15, usize::MAX, 1, 15),
            (15, 1_000, 100, 10),
            (15, 1_000, 99, 11),
            (usize::MAX, usize::MAX, MOST_BYTES / 2, 2),
        ];
        for (events, bytes, size, wakes_at) in table {
            let mut worker = WorkerState::default();
            assert!(!worker.wakes_for_event(size), "it is awake");
            worker.park(events, bytes);
            let woken = (1..=20).filter(|_| worker.wakes_for_event(size)).count();
            assert_eq!(woken, 1, "it is woken once: {events} events, {bytes} bytes");
            worker.park(events, bytes);
            assert_eq!(
                (1..=20).find(|_| worker.wakes_for_event(size)),
                Some(wakes_at),
                "{events} events, {bytes} bytes"
            );
        }
    }

    #[test]
    fn the_worker_is_woken_at_once_and_once_for_what_cannot_wait() {
        let mut worker = WorkerState::default();
        assert!(!worker.wakes(), "it is awake");
        worker.park(15, usize::MAX);
        assert!(worker.wakes() && !worker.wakes());
    }
}
