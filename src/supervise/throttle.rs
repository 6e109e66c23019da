//! Bounds how often a failure is reported. Without a clock and without I/O.
//!
//! Failures of one origin about one topic are a series. The first failure of a series is reported at once. For the rest
//! there are two ways, by topic. Either nothing is reported until the [episode](Throttle::end) is over. Or failures are
//! held back and reported together, with their count: in the report of a later failure, or in one of their own when it
//! is due.

use std::sync::Arc;
use std::time::Duration;

/// The time that one report covers.
const INTERVAL: Duration = Duration::from_secs(60);
/// The largest number of series that are kept although nothing of them is held back.
const KEPT: usize = 64;

/// The topic of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A plugin fails, or failed to load and is missing.
    Plugin,
    /// After plugins miss events.
    Missed,
    /// The destination refuses the credentials.
    Unauthorized,
    /// A queue is full.
    QueueFull,
    /// Events are sent because of events, without end.
    Loop,
    /// The provider of a call's context fails.
    CallContext,
    /// Attempts are repeated.
    Retry,
    /// The inspector's server is not reached.
    Inspector,
}

/// The failures that one report stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    pub(crate) failures: usize,
    pub(crate) events: usize,
}

/// The decision about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Report it, together with those held back.
    Report(Repeats),
    /// Hold it back.
    Hold,
    /// Ignore it, because an earlier report covers it.
    Skip,
}

/// All series. `T` makes the report of failures that are held back.
#[derive(Debug)]
pub(crate) struct Throttle<T>(Vec<Series<T>>);

/// The failures of one origin about one topic.
#[derive(Debug)]
pub(crate) struct Series<T> {
    origin: Arc<str>,
    topic: Topic,
    /// Set while an episode lasts.
    open: bool,
    /// The earliest time of the next report.
    quiet_until: Duration,
    /// The failures that no report covers yet.
    unreported: Repeats,
    held: Option<Held<T>>,
}

/// A report that is held back.
#[derive(Debug)]
struct Held<T> {
    /// When it is due. `None`: with the next failure that is reported.
    due: Option<Duration>,
    report: T,
}

impl Topic {
    /// Returns whether failures within an episode are held back, rather than ignored.
    fn repeats(self) -> bool {
        matches!(self, Topic::Plugin | Topic::Missed | Topic::Unauthorized)
    }

    /// Returns whether failures that are held back are reported after a while, although nothing else fails.
    fn is_due_by_time(self) -> bool {
        self == Topic::Unauthorized
    }

    /// Returns how long one report covers a topic, even if another episode begins.
    fn interval(self) -> Duration {
        match self {
            Topic::Plugin | Topic::Missed | Topic::Unauthorized | Topic::QueueFull | Topic::Retry => INTERVAL,
            Topic::Loop | Topic::CallContext | Topic::Inspector => Duration::ZERO,
        }
    }

    /// Returns the bit of the topic.
    pub(crate) fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl Repeats {
    /// Returns the suffix for the message of a report that stands for several failures.
    pub(crate) fn suffix(self) -> String {
        match self.failures {
            0 | 1 => String::new(),
            _ => format!(" ({} events since the last report)", self.events),
        }
    }
}

impl<T> Throttle<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Calls `work` with the series of this origin and topic. The first failure creates it.
    pub(crate) fn with<R>(&mut self, origin: &str, topic: Topic, work: impl FnOnce(&mut Series<T>) -> R) -> R {
        if let Some(series) = self.find(origin, topic) {
            return work(series);
        }
        let mut series = Series::new(origin.into(), topic);
        let outcome = work(&mut series);
        self.0.push(series);
        outcome
    }

    fn find(&mut self, origin: &str, topic: Topic) -> Option<&mut Series<T>> {
        self.0.iter_mut().find(|series| series.topic == topic && *series.origin == *origin)
    }

    /// Ends the episode, because the origin works again. Returns whether no other origin has one of this topic.
    pub(crate) fn end(&mut self, origin: &str, topic: Topic) -> bool {
        if let Some(series) = self.find(origin, topic) {
            series.end();
        }
        !self.0.iter().any(|series| series.topic == topic && series.open)
    }

    /// Forgets series without held failures if there are many, because origins may come and go.
    pub(crate) fn forget(&mut self, now: Duration) {
        if self.0.len() > KEPT {
            self.0.retain(|series| series.open || series.held.is_some() || series.quiet_until > now);
        }
    }

    /// Takes out the reports that are due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<(T, Repeats)> {
        self.0.iter_mut().filter_map(|series| series.take_due(now)).collect()
    }

    /// Forgets all series of one origin, or of all. Returns the reports that are held back, and the other values.
    pub(crate) fn take_all(&mut self, origin: Option<&str>) -> (Vec<(T, Repeats)>, Vec<T>) {
        let of = |series: &mut Series<T>| origin.is_none_or(|origin| *series.origin == *origin);
        let (mut due, mut others) = (Vec::new(), Vec::new());
        for series in self.0.extract_if(.., of) {
            match series.held {
                Some(Held { due: Some(_), report }) => due.push((report, series.unreported)),
                Some(Held { due: None, report }) => others.push(report),
                None => {}
            }
        }
        (due, others)
    }
}

impl<T> Series<T> {
    fn new(origin: Arc<str>, topic: Topic) -> Self {
        let (quiet_until, unreported) = (Duration::ZERO, Repeats::default());
        Self { origin, topic, open: false, quiet_until, unreported, held: None }
    }

    /// Counts a failure that concerns so many events. An `urgent` one is reported at once.
    pub(crate) fn record(&mut self, events: usize, urgent: bool, now: impl FnOnce() -> Duration) -> Decision {
        let repeats = self.topic.repeats();
        if self.open && !repeats {
            return Decision::Skip;
        }
        let now = now();
        let is_quiet = !urgent && now < self.quiet_until;
        if is_quiet && !repeats {
            return Decision::Skip;
        }
        self.open = true;
        self.unreported.failures += 1;
        self.unreported.events += events;
        if is_quiet {
            return Decision::Hold;
        }
        self.quiet_until = now.saturating_add(self.topic.interval());
        Decision::Report(std::mem::take(&mut self.unreported))
    }

    /// Keeps `report`, and returns when it is due, if ever. Gives it back if there is one already.
    pub(crate) fn hold(&mut self, report: T) -> Result<Option<Duration>, T> {
        if self.held.is_some() {
            return Err(report);
        }
        let due = self.topic.is_due_by_time().then_some(self.quiet_until);
        self.held = Some(Held { due, report });
        Ok(due)
    }

    /// Takes out the held report, because another report has covered it.
    pub(crate) fn take_stale(&mut self) -> Option<T> {
        self.held.take().map(|held| held.report)
    }

    fn take_due(&mut self, now: Duration) -> Option<(T, Repeats)> {
        let held = self.held.take_if(|held| held.due.is_some_and(|due| due <= now))?;
        self.quiet_until = now.saturating_add(self.topic.interval());
        Some((held.report, std::mem::take(&mut self.unreported)))
    }

    /// Makes the next failure begin an episode. It is not reported within a minute of the report before, for topics that say
    /// so.
    fn end(&mut self) {
        self.open = false;
        if self.topic.repeats() {
            self.quiet_until = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A failure of ten events at a second of `topic`. Returns the events that are reported at once.
    fn fail(throttle: &mut Throttle<()>, topic: Topic, second: u64, urgent: bool) -> Option<usize> {
        throttle.with("origin", topic, |series| {
            match series.record(10, urgent, || Duration::from_secs(second)) {
                Decision::Report(repeats) => {
                    series.take_stale();
                    return Some(repeats.events);
                }
                Decision::Hold => _ = series.hold(()),
                Decision::Skip => {}
            }
            None
        })
    }

    /// Returns the failures and events of what is due.
    fn held(throttle: &mut Throttle<()>, second: u64) -> Vec<(usize, usize)> {
        let due = throttle.take_due(Duration::from_secs(second));
        due.into_iter().map(|((), repeats)| (repeats.failures, repeats.events)).collect()
    }

    #[test]
    fn the_first_is_reported_at_once_and_the_others_with_the_first_after_a_minute() {
        for topic in [Topic::Plugin, Topic::Missed, Topic::Unauthorized] {
            let mut throttle = Throttle::new();
            let reported = [5, 6, 64, 65, 66, 200].map(|second| fail(&mut throttle, topic, second, false));
            assert_eq!(reported, [Some(10), None, None, Some(30), None, Some(20)], "{topic:?}");
            assert_eq!(held(&mut throttle, 1_000), [], "{topic:?}: each is in one report");
        }
    }

    #[test]
    fn refused_credentials_are_reported_when_the_minute_is_over_though_nothing_else_fails() {
        for (topic, due) in [(Topic::Plugin, vec![]), (Topic::Missed, vec![]), (Topic::Unauthorized, vec![(2, 20)])] {
            let mut throttle = Throttle::new();
            assert_eq!([5, 6, 64].map(|second| fail(&mut throttle, topic, second, false)), [Some(10), None, None]);
            assert_eq!(held(&mut throttle, 64), []);
            assert_eq!(held(&mut throttle, 65), due, "{topic:?}");
        }
        let mut throttle = Throttle::new();
        let mut at = |second| fail(&mut throttle, Topic::Unauthorized, second, false);
        assert_eq!([at(5), at(6)], [Some(10), None]);
        assert_eq!(held(&mut throttle, 65), [(1, 10)]);
        assert_eq!(fail(&mut throttle, Topic::Unauthorized, 124, false), None, "that report suffices for a minute");
    }

    #[test]
    fn what_is_urgent_or_news_is_reported_at_once_with_what_was_held_back() {
        let mut throttle = Throttle::new();
        let mut at = |second, urgent| fail(&mut throttle, Topic::Unauthorized, second, urgent);
        assert_eq!([at(0, false), at(1, false), at(2, true), at(3, false)], [Some(10), None, Some(20), None]);
        throttle.end("origin", Topic::Unauthorized);
        assert_eq!(held(&mut throttle, 61), [], "that it works is no reason to report anything early");
        assert_eq!(held(&mut throttle, 62), [(1, 10)]);
        throttle.end("origin", Topic::Unauthorized);
        assert_eq!(fail(&mut throttle, Topic::Unauthorized, 63, false), Some(10), "it had worked");
    }

    #[test]
    fn an_episode_is_reported_once() {
        for (topic, again) in [
            (Topic::CallContext, Some(10)),
            (Topic::Loop, Some(10)),
            (Topic::Inspector, Some(10)),
            // A queue that is full again, and a destination that fails again, is no news within a minute.
            (Topic::QueueFull, None),
            (Topic::Retry, None),
        ] {
            let mut throttle = Throttle::new();
            let reported = [0, 1, 100].map(|second| fail(&mut throttle, topic, second, false));
            assert_eq!(reported, [Some(10), None, None], "{topic:?}");
            throttle.end("origin", topic);
            assert_eq!(fail(&mut throttle, topic, 30, false), again, "{topic:?}: the next episode");
            throttle.end("origin", topic);
            assert_eq!(fail(&mut throttle, topic, 200, false), Some(10), "{topic:?}: one that is later");
            assert_eq!(held(&mut throttle, 1_000), [], "{topic:?}: nothing is held back");
        }
    }

    #[test]
    fn each_origin_and_topic_is_a_series_of_its_own() {
        let mut throttle: Throttle<()> = Throttle::new();
        let mut first =
            |origin: &str, topic| throttle.with(origin, topic, |series| series.record(1, false, || Duration::ZERO));
        let report = Decision::Report(Repeats { failures: 1, events: 1 });
        assert_eq!([first("a", Topic::Retry), first("b", Topic::Retry), first("a", Topic::QueueFull)], [report; 3]);
        assert_eq!(first("b", Topic::Retry), Decision::Skip);
        assert!(!throttle.end("a", Topic::Retry), "that of b is open");
        assert!(throttle.end("b", Topic::Retry));
    }

    #[test]
    fn refused_credentials_that_were_held_back_are_reported_when_their_origin_ends() {
        let repeats = Repeats { failures: 1, events: 10 };
        for (topic, expected) in
            [(Topic::Plugin, (vec![], vec![()])), (Topic::Unauthorized, (vec![((), repeats)], vec![]))]
        {
            let mut throttle = Throttle::new();
            assert_eq!([0, 1].map(|second| fail(&mut throttle, topic, second, false)), [Some(10), None]);
            assert_eq!(throttle.take_all(Some("another")), (vec![], vec![]));
            assert_eq!(throttle.take_all(Some("origin")), expected, "{topic:?}");
            assert_eq!(fail(&mut throttle, topic, 2, false), Some(10), "one of that name that comes later is another");
        }
    }

    #[test]
    fn origins_that_come_and_go_are_forgotten() {
        let mut throttle: Throttle<()> = Throttle::new();
        for number in 0..1_000 {
            let now = Duration::from_secs(number * 61);
            throttle.with(&number.to_string(), Topic::Retry, |series| series.record(1, false, || now));
            throttle.end(&number.to_string(), Topic::Retry);
            throttle.forget(now);
        }
        assert!(throttle.0.len() <= KEPT + 1, "{}", throttle.0.len());
    }
}
