//! The id of an event, the same through every retry.

use std::borrow::Cow;

use uuid::Uuid;

use crate::random;

/// The `messageId` of an event, from the caller or from the pipeline.
///
/// Segment de-duplicates by it over at least 24 hours, across all workspaces. So the pipeline makes a random UUID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum MessageId {
    /// Made when the event enters the pipeline, away from the caller.
    #[default]
    Unset,
    Made(Uuid),
    Given(String),
}

impl MessageId {
    /// The length of an id that the pipeline makes.
    pub(crate) const MADE_LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    pub(crate) fn make_if_unset(&mut self) {
        if *self == MessageId::Unset {
            *self = MessageId::Made(random::uuid());
        }
    }

    /// Returns the id as text; empty while it is unset.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            MessageId::Unset => Cow::Borrowed(""),
            MessageId::Made(uuid) => Cow::Owned(uuid.hyphenated().to_string()),
            MessageId::Given(id) => Cow::Borrowed(id),
        }
    }
}
