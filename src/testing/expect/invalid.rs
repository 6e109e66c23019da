//! The error of what is no expectation.

/// The error of an expectation that expects nothing, or has a matcher that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidExpectation {
    problem: String,
}

impl InvalidExpectation {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }
}
