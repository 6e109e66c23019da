//! When an event happened, by the gateway's clock. Pure functions.
//!
//! Segment's formula: `timestamp = receivedAt − (sentAt − timestamp)`. A client whose clock is right gets no correction,
//! for the formula would add the time that its request took.

use std::time::{Duration, SystemTime};

use tracklane::event::Timestamp;

/// The largest difference at which a clock counts as right.
const TOLERANCE_MILLIS: i64 = 60_000;
/// The offset is rounded to this, so that it is the same for all that one client sends at about one time.
const STEP_MILLIS: i64 = 1_000;
/// An event may be later than its arrival by this, and not by more.
const AHEAD_MILLIS: i64 = 5 * 60_000;

/// The clock of the client that sent a request, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientClock {
    received_at: i64,
    /// The offset to add to the client's times. `None` if the client did not say when it sent the request.
    offset: Option<i64>,
}

/// The correction of an event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Correction {
    /// Keep the client's time.
    Keep,
    /// It is this.
    Set(Timestamp),
}

impl ClientClock {
    /// Reads the body's `sentAt`. One that cannot be read counts as missing.
    pub(crate) fn new(received_at: SystemTime, sent_at: Option<&str>) -> Self {
        let received_at = Timestamp::from(received_at).as_unix_millis();
        let sent_at = sent_at.and_then(|text| text.parse::<Timestamp>().ok());
        let offset = sent_at.map(|sent_at| match received_at.saturating_sub(sent_at.as_unix_millis()) {
            small if small.abs() < TOLERANCE_MILLIS => 0,
            large => large.saturating_add(STEP_MILLIS / 2).div_euclid(STEP_MILLIS).saturating_mul(STEP_MILLIS),
        });
        Self { received_at, offset }
    }

    /// Corrects the time of an event with this `timestamp`. An event without one happened when it arrived.
    pub(crate) fn correct(self, timestamp: Option<Timestamp>) -> Correction {
        let Some(timestamp) = timestamp else { return Correction::Set(self.arrival()) };
        let Some(offset) = self.offset else { return Correction::Keep };
        let corrected = timestamp.as_unix_millis().saturating_add(offset);
        if corrected > self.received_at.saturating_add(AHEAD_MILLIS) {
            return Correction::Set(self.arrival());
        }
        if offset == 0 { Correction::Keep } else { Correction::Set(Timestamp::from_unix_millis(corrected)) }
    }

    fn arrival(self) -> Timestamp {
        Timestamp::from_unix_millis(self.received_at)
    }
}

/// Returns how long something has waited since `then`.
pub(crate) fn age(then: SystemTime) -> Duration {
    SystemTime::now().duration_since(then).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Received at noon; the times of the client, and the time of the event.
    #[test]
    fn only_a_clock_that_is_wrong_is_corrected() {
        const NOON: &str = "2026-03-01T12:00:00.000Z";
        let noon = SystemTime::from(NOON.parse::<Timestamp>().unwrap());
        for (sent_at, timestamp, expected, why) in [
            (None, None, Some(NOON), "nothing is known: the arrival"),
            (None, Some("2026-03-01T09:00:00Z"), None, "no sentAt: as the client says"),
            (Some("2026-03-01T11:59:45Z"), Some("2026-03-01T11:59:00Z"), None, "15 s on the way are no skew"),
            (Some("2026-03-01T11:59:00.001Z"), Some("2026-03-01T11:50:00Z"), None, "just below a minute"),
            (Some("2026-03-01T10:00:00Z"), Some("2026-03-01T09:59:30Z"), Some("2026-03-01T11:59:30.000Z"), "2 h slow"),
            (Some("2026-03-01T14:00:00Z"), Some("2026-03-01T13:00:00Z"), Some("2026-03-01T11:00:00.000Z"), "2 h fast"),
            (Some("2026-03-01T10:00:00.4Z"), Some("2026-03-01T10:00:00Z"), Some("2026-03-01T12:00:00.000Z"), "rounded"),
            (Some("1970-01-01T00:00:00Z"), Some("2026-03-01T11:00:00Z"), Some(NOON), "sentAt is nonsense"),
            (Some("2026-03-01T12:00:00Z"), Some("9999-12-31T23:59:59Z"), Some(NOON), "far in the future"),
            (Some("2026-03-01T12:00:00Z"), Some("2026-03-01T12:04:59Z"), None, "a little in the future"),
            (Some("-1"), Some("2026-03-01T09:00:00Z"), None, "sentAt cannot be read"),
        ] {
            let timestamp = timestamp.map(|text: &str| text.parse::<Timestamp>().unwrap());
            let corrected = match ClientClock::new(noon, sent_at).correct(timestamp) {
                Correction::Keep => None,
                Correction::Set(timestamp) => Some(timestamp.to_string()),
            };
            assert_eq!(corrected.as_deref(), expected, "{why}");
        }
    }

    #[test]
    fn events_of_one_request_keep_their_order() {
        let clock = ClientClock::new(SystemTime::now(), Some("2020-01-01T00:00:00.123Z"));
        let at = |millis: i64| match clock.correct(Some(Timestamp::from_unix_millis(1_577_836_800_000 + millis))) {
            Correction::Set(timestamp) => timestamp.as_unix_millis(),
            Correction::Keep => panic!("six years are corrected"),
        };
        assert_eq!((at(7) - at(0), at(1_000) - at(7)), (7, 993));
    }
}
