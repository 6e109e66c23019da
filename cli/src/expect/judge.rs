//! Compares arrived events with the expected ones, event by event, without a clock and without I/O.

use serde::Serialize;

use super::{Arrived, Difference, Expectation, Matcher};

/// Events that are shown for a matcher that none met.
const NEAREST: usize = 3;

/// The verdict on an expectation.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    pub(crate) met: bool,
    /// The reason why it is not met.
    pub(crate) reason: Option<String>,
    /// Set if time ran out, and more of it might have helped.
    pub(crate) timed_out: bool,
    /// For each matcher of `all` the event that met it.
    pub(crate) events: Vec<Option<u64>>,
    /// Events that were not to arrive.
    pub(crate) unexpected: Vec<u64>,
    /// The event at which the wait was over.
    pub(crate) until: Option<u64>,
    /// The number of events that were compared.
    pub(crate) seen: usize,
    /// The matchers that no event met, with the events that came nearest.
    pub(crate) missing: Vec<Missing>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Missing {
    /// The place in `all`, from 0.
    matcher: usize,
    nearest: Vec<Near>,
}

#[derive(Clone, Debug, Serialize)]
struct Near {
    seq: u64,
    differ: Vec<Difference>,
}

/// The state so far.
pub(crate) struct Judge {
    expectation: Expectation,
    /// For each matcher of `all` the events that match it.
    candidates: Vec<Vec<u64>>,
    /// The number of events that match at least one of them.
    matching: usize,
    surplus: Vec<u64>,
    until: Option<u64>,
    seen: usize,
    /// For each matcher of `all` the nearest misses, the nearest first.
    near: Vec<Vec<(usize, Arrived)>>,
}

impl Judge {
    pub(crate) fn new(expectation: Expectation) -> Self {
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

    /// Takes the next event in.
    pub(crate) fn see(&mut self, arrived: &Arrived) {
        if self.until.is_some() {
            return;
        }
        self.seen += 1;
        let mut matching = false;
        let matchers = self.expectation.all.iter().zip(&mut self.candidates).zip(&mut self.near);
        for ((matcher, candidates), near) in matchers {
            if matcher.matches(&arrived.event) {
                candidates.push(arrived.seq);
                matching = true;
            } else if candidates.is_empty() {
                keep_nearest(matcher, arrived, near);
            }
        }
        self.matching += usize::from(matching);
        let is_surplus = matching && self.expectation.exactly.is_some_and(|exactly| self.matching > exactly);
        if is_surplus || self.expectation.none.iter().any(|matcher| matcher.matches(&arrived.event)) {
            self.surplus.push(arrived.seq);
        }
        if self.expectation.until.as_ref().is_some_and(|until| until.matches(&arrived.event)) {
            self.until = Some(arrived.seq);
        }
    }

    /// The verdict, if no further event can change it.
    pub(crate) fn early(&self) -> Option<Verdict> {
        let over = self.until.is_some() || !self.surplus.is_empty();
        // An event that must not arrive may arrive until the very end.
        let may_change =
            self.expectation.until.is_some() || !self.expectation.none.is_empty() || self.expectation.exactly.is_some();
        (over || (!may_change && self.met())).then(|| self.verdict(false))
    }

    /// The verdict when time ran out.
    pub(crate) fn late(&self) -> Verdict {
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
        let matcher = self.expectation.all.get(index);
        let near = self.near.get(index).map(Vec::as_slice).unwrap_or_default();
        let nearest = near.iter().map(|(_, arrived)| Near {
            seq: arrived.seq,
            differ: matcher.map(|matcher| matcher.differences(&arrived.event)).unwrap_or_default(),
        });
        Missing { matcher: index, nearest: nearest.collect() }
    }
}

fn keep_nearest(matcher: &Matcher, arrived: &Arrived, near: &mut Vec<(usize, Arrived)>) {
    let distance = matcher.differences(&arrived.event).len();
    // If two are equally near, the newer one comes first.
    let at = near.partition_point(|(known, _)| *known < distance);
    if at < NEAREST {
        near.insert(at, (distance, arrived.clone()));
        near.truncate(NEAREST);
    }
}
