//! Waits for events that a test expects.
//!
//! What counts is what was accepted: the events of requests that were answered with a 2xx status, in the order of their
//! arrival. Whether something did not come is said only when every request before the end has its answer.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;

use super::{Request, TrackingApi};
use crate::segment::rules::Endpoint;
use crate::testing::expect::{ExpectError, Expectation, Judge, NotMet, Verdict};

impl TrackingApi {
    /// Blocks until the expectation is met or cannot be met any more, at most for its time. Returns the event that met
    /// each matcher, in the order of the matchers.
    ///
    /// Events are numbered from 1 in the order of their arrival. Each counts that [`events`](Self::events) has, so also
    /// one that was sent a second time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use serde_json::json;
    /// use tracklane::segment::Segment;
    /// use tracklane::testing::{Expectation, TrackingApi};
    /// use tracklane::{Analytics, Track};
    ///
    /// let api = TrackingApi::start()?;
    /// let analytics = Analytics::builder().segment(Segment::new("KEY").host(api.url())).build()?;
    /// analytics.track(Track::new("Order Completed").user_id("42").property("total", 39.95))?;
    /// analytics.flush_blocking(Duration::from_secs(5));
    ///
    /// let order = json!({ "event": "Order Completed", "properties": { "total": { "$gt": 10 } } });
    /// let events = api.expect(Expectation::new().event(order).scope("KEY"))?;
    /// assert_eq!(events[0]["userId"], "42");
    /// # analytics.close_blocking(Duration::from_secs(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is not met; the error shows the events that came nearest, and where they differ. If it is no expectation.
    pub fn expect(&self, expectation: Expectation) -> Result<Vec<Value>, ExpectError> {
        expectation.check()?;
        // A time too long for the clock is no limit.
        let deadline = Instant::now().checked_add(expectation.time());
        let mut read = Read::default();
        loop {
            let (requests, progress) = {
                let record = &self.shared.state().record;
                (record.requests().to_vec(), record.progress())
            };
            let is_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
            let judge = read.judge(&requests, &expectation, is_late);
            if let Some(verdict) = judge.early().or_else(|| is_late.then(|| judge.late())) {
                return read.answer(verdict, &expectation);
            }
            self.shared.wait_for_progress(progress, deadline);
        }
    }
}

/// The events that were read so far, with the number of the first, by their request.
#[derive(Default)]
struct Read(HashMap<usize, (u64, Vec<Value>)>);

impl Read {
    /// Shows the events that count to a new judge. `all`: also those behind a request that has no answer yet.
    fn judge(&mut self, requests: &[Request], expectation: &Expectation, all: bool) -> Judge {
        let mut judge = Judge::new(expectation.clone());
        let mut next = 1;
        for (place, request) in requests.iter().enumerate() {
            // What it holds may be what is not to come.
            if !all && expectation.may_be_unmade() && !request.is_settled() {
                break;
            }
            let first = next;
            next += request.event_count() as u64;
            if !request.is_accepted() || !in_scope(request, expectation) {
                continue;
            }
            let (_, events) = self.0.entry(place).or_insert_with(|| (first, events(request)));
            let numbered = (first..).zip(events.iter());
            numbered.filter(|(seq, _)| *seq > expectation.cursor()).for_each(|(seq, event)| judge.see(seq, event));
        }
        judge
    }

    fn answer(&self, verdict: Verdict, expectation: &Expectation) -> Result<Vec<Value>, ExpectError> {
        if !verdict.met {
            return Err(ExpectError::NotMet(Box::new(NotMet::new(verdict, expectation.all()))));
        }
        Ok(verdict.events.iter().flatten().filter_map(|seq| self.event(*seq)).cloned().collect())
    }

    fn event(&self, seq: u64) -> Option<&Value> {
        self.0.values().find_map(|(first, events)| events.get(usize::try_from(seq.checked_sub(*first)?).ok()?))
    }
}

fn in_scope(request: &Request, expectation: &Expectation) -> bool {
    expectation.write_key().is_none_or(|key| request.write_key().as_deref() == Some(key))
}

/// The events of a request, with the type that its path gives them.
fn events(request: &Request) -> Vec<Value> {
    let mut events = request.events();
    if let Some(Endpoint::Single(kind)) = Endpoint::of(request.path()) {
        for event in events.iter_mut().filter_map(Value::as_object_mut) {
            event.insert("type".to_owned(), kind.as_str().into());
        }
    }
    events
}
