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
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Events per poll, in halves, from which on polling often is cheaper than a wake-up for each event: one and a half.
const EVENTS_WORTH_A_POLL: u128 = 3;
/// Polls this far apart cost next to nothing. Half an event per poll is enough for them: what they cost the worker, they
/// spare the callers.
const SELDOM: Duration = Duration::from_millis(100);
const EVENTS_WORTH_A_SELDOM_POLL: u128 = 1;

/// The state of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WorkerState {
    #[default]
    Awake,
    /// Waits until it polls by itself, or until so many events wait.
    Parked { wake_at: usize },
}

impl WorkerState {
    /// Notes that the worker polls.
    pub(crate) fn poll(&mut self) {
        *self = WorkerState::Awake;
    }

    /// Notes that the worker has found nothing, and waits.
    pub(crate) fn park(&mut self, wake_at: usize) {
        *self = WorkerState::Parked { wake_at };
    }

    /// Returns whether the worker must be woken, now that so many events wait. If so, it counts as awake from now on.
    pub(crate) fn should_wake(&mut self, urgent: bool, waiting: usize) -> bool {
        let wakes = match self {
            WorkerState::Awake => false,
            WorkerState::Parked { wake_at } => urgent || waiting >= *wake_at,
        };
        if wakes {
            *self = WorkerState::Awake;
        }
        wakes
    }
}

/// The delay that the destinations allow before they get an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxDelay {
    /// The number of further events that makes a batch due at some destination.
    pub(crate) events: usize,
    pub(crate) time: Duration,
}

/// One wait of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdleWait {
    /// The time until it polls by itself. `None`: it waits until it is woken.
    pub(crate) limit: Option<Duration>,
    /// It is woken when so many events wait.
    pub(crate) wake_at: usize,
}

impl IdleWait {
    /// The wait of a driven client, which has no time of its own. A wake-up costs nothing there.
    pub(crate) const UNTIL_WOKEN: Self = Self { limit: None, wake_at: 1 };

    /// Chooses the cheapest way to wait, if events keep coming as they did lately: so many in that time.
    pub(crate) fn choose(events: u64, time: Duration, max_delay: MaxDelay) -> Self {
        let come_within = |limit: Duration, halves: u128| {
            2 * u128::from(events) * limit.as_nanos() >= halves.saturating_mul(time.as_nanos().max(1))
        };
        if come_within(POLL_INTERVAL, EVENTS_WORTH_A_POLL.max(2 * max_delay.events as u128)) {
            // A batch is due at the next poll in any case, so a wake-up gains nothing.
            return Self { limit: Some(POLL_INTERVAL), wake_at: usize::MAX };
        }
        let worth = if max_delay.time < SELDOM { EVENTS_WORTH_A_POLL } else { EVENTS_WORTH_A_SELDOM_POLL };
        if come_within(max_delay.time, worth) {
            return Self { limit: Some(max_delay.time), wake_at: max_delay.events };
        }
        Self::UNTIL_WOKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_follows_from_how_often_events_come() {
        let batches = MaxDelay { events: 15, time: Duration::from_millis(100) };
        let soon = MaxDelay { events: 15, time: Duration::from_millis(99) };
        let singles = MaxDelay { events: 1, time: POLL_INTERVAL };
        let (sleep, look) = ((None, 1), (Some(5), usize::MAX));
        let table = [
            // Events in so many microseconds, allowed delay; longest wait in ms, events that wake.
            (0, 5_000, batches, sleep),
            (1, 1_000_000, batches, sleep),
            (1, 201_000, batches, sleep),
            (1, 200_000, batches, (Some(100), 15)),
            (10, 100_000, batches, (Some(100), 15)),
            (14, 5_000, batches, (Some(100), 15)),
            (15, 5_000, batches, look),
            (1, 50, batches, look),
            (1, 0, batches, look),
            (1, 67_000, soon, sleep),
            (1, 66_000, soon, (Some(99), 15)),
            (1, 1_000_000, singles, sleep),
            (1, 3_334, singles, sleep),
            (1, 3_333, singles, look),
            (100, 5_000, singles, look),
        ];
        for (events, micros, max_delay, (limit, wake_at)) in table {
            let chosen = IdleWait::choose(events, Duration::from_micros(micros), max_delay);
            let expected = IdleWait { limit: limit.map(Duration::from_millis), wake_at };
            assert_eq!(chosen, expected, "{events} events in {micros} us, {max_delay:?}");
        }
    }

    #[test]
    fn the_worker_is_woken_once_when_enough_waits_or_at_once_for_what_is_urgent() {
        for (wake_at, urgent, waiting, wakes) in
            [(1, false, 1, true), (15, false, 14, false), (15, false, 15, true), (15, true, 0, true)]
        {
            let mut worker = WorkerState::default();
            assert!(!worker.should_wake(urgent, waiting), "it is awake");
            worker.park(wake_at);
            assert_eq!(worker.should_wake(urgent, waiting), wakes, "{wake_at} {urgent} {waiting}");
            assert!(!wakes || !worker.should_wake(urgent, waiting), "it is woken once");
        }
    }
}
