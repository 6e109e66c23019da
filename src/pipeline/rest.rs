//! How long the worker rests, and what wakes it.
//!
//! To wake a thread that sleeps costs the caller a system call, and to look whether there is something costs the worker
//! one. So the worker looks by itself while calls come so often that a look finds several, and is woken else.
//!
//! [`WorkerIs`] is part of what the intake's lock guards. Invariant: whoever puts in what is to wake the worker is told
//! to wake it, exactly one of them. Only the worker may say that it looks: a worker that is taken for awake is not woken.

use std::time::Duration;

/// The time between two looks while many events come.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Events that a look must find to be cheaper than to be woken for each, in halves: one and a half.
const WORTH_A_LOOK: u128 = 3;

/// What the worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WorkerIs {
    #[default]
    Awake,
    /// Resting until it looks by itself or so many events wait.
    Resting { wake_at: usize },
}

impl WorkerIs {
    /// The worker looks whether there is something.
    pub(crate) fn looks(&mut self) {
        *self = WorkerIs::Awake;
    }

    /// The worker has found nothing, and rests.
    pub(crate) fn rests(&mut self, wake_at: usize) {
        *self = WorkerIs::Resting { wake_at };
    }

    /// Whether the worker must be woken, now that so many events wait; it counts as awake then.
    pub(crate) fn must_wake(&mut self, urgent: bool, waiting: usize) -> bool {
        let wakes = match self {
            WorkerIs::Awake => false,
            WorkerIs::Resting { wake_at } => urgent || waiting >= *wake_at,
        };
        if wakes {
            *self = WorkerIs::Awake;
        }
        wakes
    }
}

/// How long events may wait before the destinations get them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// So many more events make a batch due somewhere.
    pub(crate) events: usize,
    pub(crate) time: Duration,
}

/// How the worker rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// The time until it looks by itself. Without one it rests until it is woken.
    pub(crate) limit: Option<Duration>,
    /// It is woken when so many events wait.
    pub(crate) wake_at: usize,
}

impl Rest {
    /// For a driven client, which has no time of its own: a wake-up costs nothing where nobody drives.
    pub(crate) const UNTIL_WOKEN: Self = Self { limit: None, wake_at: 1 };

    /// Chooses the rest that costs least, if events go on to come as lately: so many in that time.
    pub(crate) fn choose(events: u64, time: Duration, patience: Patience) -> Self {
        let come_within = |limit: Duration, halves: u128| {
            2 * u128::from(events) * limit.as_nanos() >= halves.saturating_mul(time.as_nanos().max(1))
        };
        if come_within(LOOK_EVERY, WORTH_A_LOOK.max(2 * patience.events as u128)) {
            // A batch is due as soon as it looks. To wake it would be no use.
            return Self { limit: Some(LOOK_EVERY), wake_at: usize::MAX };
        }
        if come_within(patience.time, WORTH_A_LOOK) {
            return Self { limit: Some(patience.time), wake_at: patience.events };
        }
        Self::UNTIL_WOKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_follows_from_how_often_events_come() {
        let batches = Patience { events: 15, time: Duration::from_millis(100) };
        let singles = Patience { events: 1, time: LOOK_EVERY };
        let (sleep, look) = ((None, 1), (Some(5), usize::MAX));
        let table = [
            // Events in so many microseconds, patience, how long at most in ms, until so many wait.
            (0, 5_000, batches, sleep),
            (1, 1_000_000, batches, sleep),
            (1, 67_000, batches, sleep),
            (1, 66_000, batches, (Some(100), 15)),
            (10, 100_000, batches, (Some(100), 15)),
            (14, 5_000, batches, (Some(100), 15)),
            (15, 5_000, batches, look),
            (1, 50, batches, look),
            (1, 0, batches, look),
            (1, 1_000_000, singles, sleep),
            (1, 3_334, singles, sleep),
            (1, 3_333, singles, look),
            (100, 5_000, singles, look),
        ];
        for (events, micros, patience, (limit, wake_at)) in table {
            let chosen = Rest::choose(events, Duration::from_micros(micros), patience);
            let expected = Rest { limit: limit.map(Duration::from_millis), wake_at };
            assert_eq!(chosen, expected, "{events} events in {micros} us, {patience:?}");
        }
    }

    #[test]
    fn the_worker_is_woken_once_when_enough_waits_or_at_once_for_what_is_urgent() {
        for (wake_at, urgent, waiting, wakes) in
            [(1, false, 1, true), (15, false, 14, false), (15, false, 15, true), (15, true, 0, true)]
        {
            let mut worker = WorkerIs::default();
            assert!(!worker.must_wake(urgent, waiting), "it is awake");
            worker.rests(wake_at);
            assert_eq!(worker.must_wake(urgent, waiting), wakes, "{wake_at} {urgent} {waiting}");
            assert!(!wakes || !worker.must_wake(urgent, waiting), "it is woken once");
        }
    }
}
