//! Compares arrived events with the expected ones, event by event, without a clock and without I/O.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Difference, Expectation, Matcher};

/// Events that are shown for a matcher that none met.
const NEAREST: usize = 3;

/// The verdict on an expectation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verdict {
    /// Whether it is met.
    pub met: bool,
    /// The reason why it is not met.
    pub reason: Option<String>,
    /// Set if time ran out, and more of it might have helped.
    pub timed_out: bool,
    /// For each expected event the number of the one that met it.
    pub events: Vec<Option<u64>>,
    /// Events that were not to arrive.
    pub unexpected: Vec<u64>,
    /// The event at which the wait was over.
    pub until: Option<u64>,
    /// The number of events that were compared.
    pub seen: usize,
    /// The expected events that did not arrive, with those that came nearest.
    pub missing: Vec<Missing>,
}

/// An expected event that did not arrive.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Missing {
    /// Which of the expected events, from 0.
    pub matcher: usize,
    /// Those that came nearest, the nearest first.
    pub nearest: Vec<Near>,
}

/// An event that is not the expected one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Near {
    /// Its number.
    pub seq: u64,
    /// Where it differs.
    pub differ: Vec<Difference>,
    /// The event.
    #[serde(default)]
    pub event: Value,
}

/// Compares events with an expectation, one after the other.
///
/// ```
/// use serde_json::json;
/// use tracklane::testing::{Expectation, Judge};
///
/// let mut judge = Judge::new(Expectation::new().event(json!({ "event": "Signed Up" })));
/// judge.see(1, &json!({ "type": "page" }));
/// assert!(judge.early().is_none());
/// judge.see(2, &json!({ "type": "track", "event": "Signed Up" }));
/// assert_eq!(judge.early().unwrap().events, [Some(2)]);
/// ```
#[derive(Clone, Debug)]
pub struct Judge {
    expectation: Expectation,
    /// For each expected event those that match it.
    candidates: Vec<Vec<u64>>,
    /// The number of events that match at least one of them.
    matching: usize,
    surplus: Vec<u64>,
    until: Option<u64>,
    seen: usize,
    /// For each expected event the nearest misses, the nearest first.
    near: Vec<Vec<Near>>,
}

impl Judge {
    /// Begins with no event.
    #[must_use]
    pub fn new(expectation: Expectation) -> Self {
        let matchers = expectation.all.len();
        Self {
            expectation,
            candidates: vec![Vec::new(); matchers],
            matching: 0,
            surplus: Vec::new(),
            until: None,
            seen: 0,
            near: vec![Vec::new(); matchers],
        }
    }

    /// Takes in the next event. `seq`: its number, from 1 on; each is larger than the one before.
    pub fn see(&mut self, seq: u64, event: &Value) {
        if self.until.is_some() {
            return;
        }
        self.seen += 1;
        let mut matching = false;
        let matchers = self.expectation.all.iter().zip(&mut self.candidates).zip(&mut self.near);
        for ((matcher, candidates), near) in matchers {
            if matcher.matches(event) {
                candidates.push(seq);
                matching = true;
            } else if candidates.is_empty() {
                keep_nearest(matcher, seq, event, near);
            }
        }
        self.matching += usize::from(matching);
        let is_surplus = matching && self.expectation.exactly.is_some_and(|exactly| self.matching > exactly);
        if is_surplus || self.expectation.none.iter().any(|matcher| matcher.matches(event)) {
            self.surplus.push(seq);
        }
        if self.expectation.until.as_ref().is_some_and(|until| until.matches(event)) {
            self.until = Some(seq);
        }
    }

    /// Returns the verdict, if no further event can change it.
    #[must_use]
    pub fn early(&self) -> Option<Verdict> {
        let over = self.until.is_some() || !self.surplus.is_empty();
        // An event that must not arrive may arrive until the very end.
        (over || (!self.expectation.may_be_unmade() && self.met())).then(|| self.verdict(false))
    }

    /// Returns the verdict when time ran out.
    #[must_use]
    pub fn late(&self) -> Verdict {
        self.verdict(true)
    }

    fn met(&self) -> bool {
        self.assign().iter().all(Option::is_some)
    }

    fn verdict(&self, late: bool) -> Verdict {
        let events = self.assign();
        let reason = self.problem(&events, late);
        let open = |(index, event): (usize, &Option<u64>)| event.is_none().then_some(index);
        let missing = events.iter().enumerate().filter_map(open).map(|index| self.missing(index)).collect();
        Verdict {
            met: reason.is_none(),
            timed_out: late && reason.is_some() && self.surplus.is_empty(),
            reason,
            unexpected: self.surplus.clone(),
            until: self.until,
            seen: self.seen,
            missing,
            events,
        }
    }

    fn problem(&self, events: &[Option<u64>], late: bool) -> Option<String> {
        if let Some(seq) = self.surplus.first() {
            return Some(match self.expectation.exactly {
                Some(exactly) if self.matching > exactly => {
                    format!("event {seq} is one more than the {exactly} that were expected")
                }
                _ => format!("event {seq} was not to arrive"),
            });
        }
        let missing = events.iter().filter(|event| event.is_none()).count();
        if missing > 0 {
            let order = if self.expectation.in_order { " in this order" } else { "" };
            return Some(format!("{missing} of {} expected events did not arrive{order}", events.len()));
        }
        if let Some(exactly) = self.expectation.exactly.filter(|exactly| self.matching < *exactly) {
            return Some(format!("{} events match, and {exactly} were expected", self.matching));
        }
        (late && self.expectation.until.is_some() && self.until.is_none())
            .then(|| "the event that ends the wait did not arrive".to_owned())
    }

    /// An event for each matcher, none for two.
    fn assign(&self) -> Vec<Option<u64>> {
        if self.expectation.in_order {
            let mut last = 0;
            let next = |candidates: &Vec<u64>| {
                let found = candidates.iter().copied().find(|seq| *seq > last);
                last = found.unwrap_or(u64::MAX);
                found
            };
            return self.candidates.iter().map(next).collect();
        }
        let mut assigned: Vec<Option<u64>> = vec![None; self.candidates.len()];
        for matcher in 0..self.candidates.len() {
            self.give(matcher, &mut Vec::new(), &mut assigned);
        }
        assigned
    }

    /// Gives the matcher an event, and another one to whom that was given before.
    fn give(&self, matcher: usize, tried: &mut Vec<u64>, assigned: &mut Vec<Option<u64>>) -> bool {
        // More than these cannot be taken by others.
        let candidates = self.candidates.get(matcher).map(Vec::as_slice).unwrap_or_default();
        for &seq in candidates.iter().take(self.candidates.len()) {
            if tried.contains(&seq) {
                continue;
            }
            tried.push(seq);
            let owner = assigned.iter().position(|given| *given == Some(seq));
            if owner.is_none_or(|owner| self.give(owner, tried, assigned)) {
                if let Some(place) = assigned.get_mut(matcher) {
                    *place = Some(seq);
                }
                return true;
            }
        }
        false
    }

    fn missing(&self, index: usize) -> Missing {
        Missing { matcher: index, nearest: self.near.get(index).cloned().unwrap_or_default() }
    }
}

fn keep_nearest(matcher: &Matcher, seq: u64, event: &Value, near: &mut Vec<Near>) {
    let differ = matcher.differences(event);
    // If two are equally near, the newer one comes first.
    let at = near.partition_point(|known| known.differ.len() < differ.len());
    if at < NEAREST {
        near.insert(at, Near { seq, differ, event: event.clone() });
        near.truncate(NEAREST);
    }
}
