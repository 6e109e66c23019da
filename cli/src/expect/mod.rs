//! Expectations: the events that must arrive, their order and number, and those that must not.

pub(crate) mod command;
mod judge;
mod matcher;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use judge::{Judge, Verdict};
pub(crate) use matcher::{Difference, Matcher};

/// The default time to wait.
const DEFAULT_WITHIN_MS: u64 = 5_000;

/// An expectation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Expectation {
    /// Only events with this write key count.
    #[serde(default)]
    pub(crate) scope: Option<String>,
    /// Only events after this one count.
    #[serde(default)]
    pub(crate) after: u64,
    #[serde(default = "default_within", alias = "within_ms")]
    pub(crate) within_ms: u64,
    /// Each must be met by an event of its own.
    #[serde(default)]
    pub(crate) all: Vec<Matcher>,
    /// In the order of `all`.
    #[serde(default, alias = "in_order")]
    pub(crate) in_order: bool,
    /// The exact number of events that must match one of `all`.
    #[serde(default)]
    pub(crate) exactly: Option<usize>,
    /// No event is to match one of these.
    #[serde(default)]
    pub(crate) none: Vec<Matcher>,
    /// The event at which the wait is over; those behind it do not count.
    #[serde(default)]
    pub(crate) until: Option<Matcher>,
}

const fn default_within() -> u64 {
    DEFAULT_WITHIN_MS
}

impl Expectation {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let expectation: Self = serde_json::from_slice(json).map_err(|error| format!("not an expectation: {error}"))?;
        if expectation.all.is_empty() && expectation.none.is_empty() && expectation.until.is_none() {
            return Err("nothing is expected: give all, none or until".to_owned());
        }
        if expectation.exactly.is_some() && expectation.all.is_empty() {
            return Err("exactly counts the events that match all, which is missing".to_owned());
        }
        Ok(expectation)
    }
}

/// An event that arrived, as a matcher sees it.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) seq: u64,
    pub(crate) event: Value,
}
