//! What a vendor is sent of an event, or why it is sent nothing.

use tracklane::plugin::Answer;
use tracklane::plugin::Verdict;

/// What a mapping makes of one event: a pure function's result, so that a table can test it.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped<T> {
    /// What is sent. An event is delivered when all of it was taken.
    Items(Vec<T>),
    /// The vendor has no such thing, and why. It is no loss: see [`Verdict::Skip`].
    Skip(String),
    /// The vendor would refuse it, or take and discard it, and why. It is a loss.
    Reject(String),
}

impl<T> Mapped<T> {
    /// One item.
    pub fn one(item: T) -> Self {
        Self::Items(vec![item])
    }

    /// Nothing, since the vendor has no such thing.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }

    /// Nothing, since the vendor would refuse it, or take and discard it.
    pub fn reject(reason: impl Into<String>) -> Self {
        Self::Reject(reason.into())
    }

    /// The same with other items.
    pub fn map<U>(self, map: impl FnMut(T) -> U) -> Mapped<U> {
        match self {
            Self::Items(items) => Mapped::Items(items.into_iter().map(map).collect()),
            Self::Skip(reason) => Mapped::Skip(reason),
            Self::Reject(reason) => Mapped::Reject(reason),
        }
    }

    /// Why nothing is sent, if nothing is.
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

/// What is wrong with one event, in the words of the vendor or of its destination here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {message_id}: {problem}")]
#[non_exhaustive]
pub struct EventError {
    /// The event's `messageId`.
    pub message_id: String,
    /// What is wrong with it.
    pub problem: String,
}

impl EventError {
    /// An error of the event with that `messageId`.
    pub fn new(message_id: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { message_id: message_id.into(), problem: problem.into() }
    }
}
