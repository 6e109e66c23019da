//! What is expected: built in code, or read from JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{InvalidExpectation, Matcher};

/// How long is waited where nothing else is said, in milliseconds.
const DEFAULT_WITHIN_MS: u64 = 5_000;

/// What is to arrive, and what is not.
///
/// A matcher is a partial event, as JSON: an event matches that has its members, and perhaps more. In the place of a value
/// may stand an operator: `$type`, `$regex`, `$gt`, `$gte`, `$lt`, `$lte`, `$in`, `$eq`, `$any` and `$absent`.
///
/// ```
/// use serde_json::json;
/// use tracklane::testing::Expectation;
///
/// let order = json!({ "event": "Order Completed", "properties": { "total": { "$gt": 10 } } });
/// let expectation = Expectation::new().event(order).no_event(json!({ "event": "Order Refunded" })).until_event(json!({ "event": "Signed Out" }));
/// # let _ = expectation;
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use = "an expectation says nothing until somebody is asked"]
pub struct Expectation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(default)]
    after: u64,
    #[serde(default = "default_within", alias = "within_ms")]
    within_ms: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) all: Vec<Matcher>,
    #[serde(default, alias = "in_order")]
    pub(super) in_order: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exactly: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) none: Vec<Matcher>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Matcher>,
    /// The first matcher that is none.
    #[serde(skip)]
    invalid: Option<InvalidExpectation>,
}

const fn default_within() -> u64 {
    DEFAULT_WITHIN_MS
}

impl Expectation {
    /// Expects nothing yet. Waits at most five seconds.
    #[expect(clippy::new_without_default, reason = "an expectation of nothing is refused")]
    pub fn new() -> Self {
        Self {
            scope: None,
            after: 0,
            within_ms: DEFAULT_WITHIN_MS,
            all: Vec::new(),
            in_order: false,
            exactly: None,
            none: Vec::new(),
            until: None,
            invalid: None,
        }
    }

    /// Reads the JSON that `POST /__tracklane/expect` takes.
    ///
    /// # Errors
    ///
    /// If it is not an expectation, or expects nothing; the error says why.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidExpectation> {
        let expectation: Self = serde_json::from_slice(json)
            .map_err(|error| InvalidExpectation::new(format!("not an expectation: {error}")))?;
        expectation.check()?;
        Ok(expectation)
    }

    /// Expects an event that matches. Each of several calls expects an event of its own.
    pub fn event(mut self, matcher: impl Into<Value>) -> Self {
        let matcher = self.matcher(matcher.into());
        self.all.extend(matcher);
        self
    }

    /// Expects so many events that match.
    pub fn events(mut self, count: usize, matcher: impl Into<Value>) -> Self {
        let matcher = self.matcher(matcher.into());
        self.all.extend(matcher.into_iter().flat_map(|matcher| std::iter::repeat_n(matcher, count)));
        self
    }

    /// Expects the events in the order in which they were named here.
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// Expects so many events in all that match one of those that were named, and no more. It is known at the
    /// [end](Self::until_event), or when time is over.
    pub fn exactly(mut self, count: usize) -> Self {
        self.exactly = Some(count);
        self
    }

    /// Expects that no event matches until the [end](Self::until_event), or until time is over.
    pub fn no_event(mut self, matcher: impl Into<Value>) -> Self {
        let matcher = self.matcher(matcher.into());
        self.none.extend(matcher);
        self
    }

    /// Ends the wait with the first event that matches: what comes behind it does not count. So it is proved without
    /// sleeping that something did not come.
    pub fn until_event(mut self, matcher: impl Into<Value>) -> Self {
        self.until = self.matcher(matcher.into());
        self
    }

    /// Looks at events with this write key only, so that tests beside each other do not meet.
    pub fn scope(mut self, write_key: impl Into<String>) -> Self {
        self.scope = Some(write_key.into());
        self
    }

    /// Looks at events behind this number only.
    pub fn after(mut self, seq: u64) -> Self {
        self.after = seq;
        self
    }

    /// Waits at most this long. Five seconds by default.
    pub fn within(mut self, time: Duration) -> Self {
        self.within_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Returns the write key that events are to have, if only those of one count.
    #[must_use]
    pub fn write_key(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Returns the number behind which events count.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.after
    }

    /// Returns how long is waited at most.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_millis(self.within_ms)
    }

    /// Checks that something is expected that can come.
    ///
    /// # Errors
    ///
    /// If a matcher is none, or nothing is expected.
    pub fn check(&self) -> Result<(), InvalidExpectation> {
        let problem = match () {
            () if self.invalid.is_some() => return self.invalid.clone().map_or(Ok(()), Err),
            () if self.all.is_empty() && self.none.is_empty() && self.until.is_none() => {
                "nothing is expected: give all, none or until"
            }
            () if self.exactly.is_some() && self.all.is_empty() => {
                "exactly counts the events that match all, which is missing"
            }
            () => return Ok(()),
        };
        Err(InvalidExpectation::new(problem))
    }

    /// Returns the partial events that are expected.
    pub(in crate::testing) fn all(&self) -> &[Matcher] {
        &self.all
    }

    /// Whether an event that comes later can unmake what is met.
    pub(in crate::testing) fn may_be_unmade(&self) -> bool {
        self.until.is_some() || !self.none.is_empty() || self.exactly.is_some()
    }

    /// The matcher, or none and the problem kept for [`check`](Self::check).
    fn matcher(&mut self, value: Value) -> Option<Matcher> {
        match Matcher::new(value) {
            Ok(matcher) => Some(matcher),
            Err(problem) => {
                self.invalid.get_or_insert(problem);
                None
            }
        }
    }
}
