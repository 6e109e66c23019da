//! When it is said that a destination refuses its credentials: at once, then at most once a minute while it goes on.
//!
//! Such a refusal concerns every batch alike, so one report stands for many. Always: every batch that was refused is
//! in one report, at the latest a minute after it was.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::DeliveryError;
use crate::supervise::THROTTLE_INTERVAL;

/// Refused batches of one destination.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Nothing is said before.
    quiet_until: Duration,
    /// The newest credentials that were refused.
    credentials: u64,
    /// The destination has taken a batch since the last refusal.
    worked: bool,
    unreported: Option<Refused>,
}

/// Batches that one report stands for.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) events: usize,
    pub(super) batches: u64,
    /// Of the last of them.
    pub(super) error: Arc<DeliveryError>,
}

impl Refusals {
    /// A batch of `events` was refused. It is news if the credentials are new, or have worked in between.
    pub(super) fn add(&mut self, events: usize, credentials: u64, error: Arc<DeliveryError>) {
        if std::mem::take(&mut self.worked) || credentials > self.credentials {
            self.quiet_until = Duration::ZERO;
        }
        self.credentials = self.credentials.max(credentials);
        let (before, batches) = self.unreported.as_ref().map_or((0, 0), |refused| (refused.events, refused.batches));
        self.unreported = Some(Refused { events: before + events, batches: batches + 1, error });
    }

    /// The destination has taken a batch.
    pub(super) fn worked(&mut self) {
        self.worked = true;
    }

    /// When there is something to say, if there is.
    pub(super) fn due(&self) -> Option<Duration> {
        self.unreported.as_ref().map(|_| self.quiet_until)
    }

    /// What is to be said now; at the end of time everything is.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Refused> {
        self.due().filter(|due| *due <= now)?;
        self.quiet_until = now.saturating_add(THROTTLE_INTERVAL);
        self.unreported.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds a batch of ten events and asks at once. What is said then, as events and batches.
    fn refuse(refusals: &mut Refusals, second: u64, credentials: u64) -> Option<(usize, u64)> {
        refusals.add(10, credentials, Arc::new(DeliveryError::new(None, None)));
        ask(refusals, second)
    }

    fn ask(refusals: &mut Refusals, second: u64) -> Option<(usize, u64)> {
        refusals.take_due(Duration::from_secs(second)).map(|refused| (refused.events, refused.batches))
    }

    #[test]
    fn the_first_is_said_at_once_and_the_others_together_a_minute_later() {
        let mut refusals = Refusals::default();
        assert_eq!(ask(&mut refusals, 0), None, "nothing was refused");
        assert_eq!(refuse(&mut refusals, 5, 0), Some((10, 1)));
        assert_eq!((refuse(&mut refusals, 6, 0), refuse(&mut refusals, 64, 0)), (None, None));
        assert_eq!(refusals.due(), Some(Duration::from_secs(65)));
        assert_eq!(ask(&mut refusals, 65), Some((20, 2)));
        assert_eq!((ask(&mut refusals, 125), refusals.due()), (None, None), "nothing was refused since");
        assert_eq!(refuse(&mut refusals, 126, 0), Some((10, 1)));
    }

    #[test]
    fn it_is_news_after_the_destination_worked_or_for_new_credentials() {
        let mut refusals = Refusals::default();
        assert_eq!(refuse(&mut refusals, 0, 0), Some((10, 1)));
        refusals.worked();
        assert_eq!(refuse(&mut refusals, 1, 0), Some((10, 1)), "it had worked");
        assert_eq!(refuse(&mut refusals, 2, 0), None);
        assert_eq!(refuse(&mut refusals, 3, 1), Some((20, 2)), "the key is new; what was not said is said with it");
        assert_eq!(refuse(&mut refusals, 4, 0), None, "an old key that comes late is no news");
        refusals.worked();
        assert_eq!(ask(&mut refusals, 5), None, "that it works is no reason to say anything early");
        assert_eq!(ask(&mut refusals, 63), Some((10, 1)));
        assert_eq!(refuse(&mut refusals, 64, 1), Some((10, 1)));
        assert_eq!(refuse(&mut refusals, 65, 1), None);
        assert_eq!(ask(&mut refusals, u64::MAX), Some((10, 1)));
    }
}
