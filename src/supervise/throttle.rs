//! Rate-limits reports: the first is made at once, later ones at most once a minute, with a count.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long one report suffices.
pub(crate) const THROTTLE_INTERVAL: Duration = Duration::from_secs(60);

/// When the last report was made, and the events since that are in no report.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<(Option<Duration>, usize)>);

impl Throttle {
    /// Counts events. Returns how many to report, if a report is due at `now`.
    pub(crate) fn record(&self, events: usize, now: Duration) -> Option<usize> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, unreported) = *state;
        let waits = last.is_some_and(|last| now < last.saturating_add(THROTTLE_INTERVAL));
        *state = if waits { (last, unreported + events) } else { (Some(now), 0) };
        (!waits).then_some(unreported + events)
    }

    /// Counts events that must be reported now. Returns how many to report.
    pub(crate) fn record_forced(&self, events: usize, now: Duration) -> usize {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, unreported) = std::mem::replace(&mut *state, (Some(now), 0));
        unreported + events
    }
}

/// Returns what is added to a report that stands for so many events.
pub(crate) fn repeat_suffix(events: usize) -> String {
    match events {
        0 | 1 => String::new(),
        _ => format!(" ({events} events since it was said last)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_reported_at_once_and_the_others_once_a_minute_together() {
        let throttle = Throttle::default();
        let reported = [(0, 1), (1, 2), (59, 1), (60, 1), (61, 1), (200, 5)]
            .map(|(second, events)| throttle.record(events, Duration::from_secs(second)));
        assert_eq!(reported, [Some(1), None, None, Some(4), None, Some(6)]);
    }
}
