//! Decides which errors of a stream are logged. A stream that is new, or whose server has ended, has no leader for some
//! seconds; reading it fails then, and goes on by itself.

use std::time::{Duration, Instant};

/// The time for which errors must go on before one is logged.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time without an error after which all is well again. Whatever fails is tried again sooner.
const QUIET: Duration = Duration::from_secs(10);

/// The errors of one stream.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    /// When the first and the last of these errors came.
    errors: Option<(Instant, Instant)>,
    /// The last one that was logged.
    logged: Option<String>,
}

impl Trouble {
    /// Notes an error. Returns whether to log it: it lasts, and is not the one that was logged last.
    pub(super) fn note(&mut self, error: &str, now: Instant) -> bool {
        let since = match self.errors {
            Some((since, last)) if now.saturating_duration_since(last) < QUIET => since,
            _ => {
                self.logged = None;
                now
            }
        };
        self.errors = Some((since, now));
        if now.saturating_duration_since(since) < PATIENCE || self.logged.as_deref() == Some(error) {
            return false;
        }
        self.logged = Some(error.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_logged_once_if_it_lasts_and_again_when_it_comes_back() {
        let (mut trouble, begin) = (Trouble::default(), Instant::now());
        for (seconds, error, logged) in [
            (0, "no responders", false),
            (1, "missed idle heartbeat", false),
            (4, "missed idle heartbeat", false),
            (5, "missed idle heartbeat", true),
            (6, "missed idle heartbeat", false),
            (7, "no responders", true),
            (8, "no responders", false),
            // All was well for a while.
            (20, "no responders", false),
            (24, "no responders", false),
            (25, "no responders", true),
            // One now and then is none.
            (60, "no responders", false),
            (90, "no responders", false),
            (120, "no responders", false),
        ] {
            assert_eq!(trouble.note(error, begin + Duration::from_secs(seconds)), logged, "at {seconds} s: {error}");
        }
    }
}
