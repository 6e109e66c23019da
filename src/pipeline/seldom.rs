//! What is said at once, and then at most once a minute, with the number of events that it stands for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long one report suffices.
pub(super) const EVERY: Duration = Duration::from_secs(60);

/// When something was said last, and the events for which it was not said since.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<(Option<Duration>, usize)>);

impl Seldom {
    /// Counts events. How many there are to be told of, if it may be said again at `now`.
    pub(super) fn count(&self, events: usize, now: Duration) -> Option<usize> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, unsaid) = *state;
        let waits = last.is_some_and(|last| now < last.saturating_add(EVERY));
        *state = if waits { (last, unsaid + events) } else { (Some(now), 0) };
        (!waits).then_some(unsaid + events)
    }

    /// As [`count`](Self::count), for what must be said in any case.
    pub(super) fn count_and_say(&self, events: usize, now: Duration) -> usize {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, unsaid) = std::mem::replace(&mut *state, (Some(now), 0));
        unsaid + events
    }
}

/// What is added to a report that stands for so many events.
pub(super) fn said_for(events: usize) -> String {
    match events {
        0 | 1 => String::new(),
        _ => format!(" ({events} events since it was said last)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_others_once_a_minute_together() {
        let seldom = Seldom::default();
        let told = [(0, 1), (1, 2), (59, 1), (60, 1), (61, 1), (200, 5)]
            .map(|(second, events)| seldom.count(events, Duration::from_secs(second)));
        assert_eq!(told, [Some(1), None, None, Some(4), None, Some(6)]);
    }
}
