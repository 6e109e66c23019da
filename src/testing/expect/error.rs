//! Why an expectation cannot be asked, or is not met.

use std::fmt;

use serde_json::Value;

use super::{InvalidExpectation, Matcher, Missing, Verdict};
use crate::error::BoxError;

/// Characters of an event's name, a value or a matcher that a message shows.
const SHOWN_CHARS: usize = 200;

/// The error of a wait for events.
///
/// Its `Debug` is its `Display`, so that a test that unwraps it shows the events that came nearest.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ExpectError {
    /// The expectation cannot be asked.
    #[error(transparent)]
    Invalid(#[from] InvalidExpectation),
    /// It is not met.
    #[error(transparent)]
    NotMet(Box<NotMet>),
    /// The server cannot be asked, or did not answer the question.
    #[error("{problem}")]
    Server {
        /// What went wrong.
        problem: String,
        /// Why.
        #[source]
        source: Option<BoxError>,
    },
}

impl fmt::Debug for ExpectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An expectation that is not met: why, and which events came nearest.
#[derive(Clone, thiserror::Error)]
pub struct NotMet {
    verdict: Verdict,
    matchers: Vec<Value>,
}

impl NotMet {
    pub(in crate::testing) fn new(verdict: Verdict, expected: &[Matcher]) -> Self {
        Self { verdict, matchers: expected.iter().map(|matcher| matcher.source().clone()).collect() }
    }

    /// Returns the verdict.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// The reason in the first line; then each matcher that nothing met, and where the nearest events differ.
impl fmt::Display for NotMet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.verdict.reason.as_deref().unwrap_or("it is met");
        write!(f, "not met: {reason} ({} events were looked at)", self.verdict.seen)?;
        for missing in &self.verdict.missing {
            self.write_missing(f, missing)?;
        }
        Ok(())
    }
}

impl NotMet {
    fn write_missing(&self, f: &mut fmt::Formatter<'_>, Missing { matcher, nearest }: &Missing) -> fmt::Result {
        let expected = self.matchers.get(*matcher).map(shown).unwrap_or_default();
        write!(f, "\n  expected {expected}")?;
        for near in nearest {
            let name = ["event", "name", "groupId"].iter().find_map(|name| near.event.get(name)?.as_str());
            let kind = near.event.get("type").and_then(Value::as_str).unwrap_or("event");
            write!(f, "\n  near: {} {kind} {:?} differs:", near.seq, name.unwrap_or_default())?;
            for difference in &near.differ {
                let found = difference.found.as_ref().map_or_else(|| "nothing".to_owned(), shown);
                write!(f, "\n    {} is {found}, expected {}", difference.path, difference.expected)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for NotMet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
