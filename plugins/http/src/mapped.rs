//! The items that a vendor gets of an event, or the reason why there are none.

use tracklane::plugin::Answer;
use tracklane::plugin::Verdict;

/// The result of mapping one event. The mapping is a pure function, so that a table can test it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped<T> {
    /// The items to send. An event is delivered when all of them were taken.
    Items(Vec<T>),
    /// The vendor has no such thing, for this reason. It is no loss: see [`Verdict::Skip`].
    Skip(String),
    /// The vendor would refuse it, or take and discard it, and why. It is a loss.
    Reject(String),
}

impl<T> Mapped<T> {
    /// One item.
    pub fn one(item: T) -> Self {
        Self::Items(vec![item])
    }

    /// Sends nothing, because the vendor has no such thing.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }

    /// Sends nothing, because the vendor would refuse it, or take and discard it.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::Reject(reason.into())
    }

    /// Replaces each item by what `map` makes of it.
    pub fn map<U>(self, map: impl FnMut(T) -> U) -> Mapped<U> {
        match self {
            Self::Items(items) => Mapped::Items(items.into_iter().map(map).collect()),
            Self::Skip(reason) => Mapped::Skip(reason),
            Self::Reject(reason) => Mapped::Reject(reason),
        }
    }

    /// Returns why nothing is sent, if nothing is.
    #[must_use]
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Self::Items(_) => None,
            Self::Skip(reason) | Self::Reject(reason) => Some(reason),
        }
    }

    /// The answer to an event of which nothing is sent. `message_id` names it.
    #[must_use]
    pub fn answer(&self, message_id: &str) -> Option<Answer> {
        let (verdict, reason) = match self {
            Self::Items(_) => return None,
            Self::Skip(reason) => (Verdict::Skip, reason),
            Self::Reject(reason) => (Verdict::Reject, reason),
        };
        Some(Answer::new(verdict).with_error(EventError { message_id: message_id.to_owned(), problem: reason.clone() }))
    }
}

/// The error of one event, in the words of the vendor or of its destination here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {message_id}: {problem}")]
#[non_exhaustive]
pub struct EventError {
    /// The event's `messageId`.
    pub message_id: String,
    /// A description of the problem.
    pub problem: String,
}

impl EventError {
    /// An error of the event with that `messageId`.
    pub fn new(message_id: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { message_id: message_id.into(), problem: problem.into() }
    }
}
