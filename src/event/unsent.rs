//! The events that a close hands back, packed as they were in the queues, and read one by one on demand.
//!
//! Invariant: keeping them parses nothing. An event has the same id whenever it is read.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use uuid::Uuid;

use super::{Event, Message, MessageId, PackedEvent};

/// The events that a [close](crate::Analytics::close) hands back, the oldest first.
///
/// They are kept packed, and each is read when the iteration reaches it. So a close keeps its deadline however many
/// there are. To [`iter`](Self::iter) again reads them again; a clone costs nothing.
///
/// ```no_run
/// # fn example(analytics: tracklane::Analytics) -> Result<(), Box<dyn std::error::Error>> {
/// let report = analytics.close_blocking(std::time::Duration::from_secs(5));
/// for event in &report.unsent {
///     println!("{}", serde_json::to_string(&event)?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Unsent {
    parts: Arc<[Packed]>,
    events: usize,
}

/// Events that were kept together.
pub(crate) enum Packed {
    /// Events on their way to destinations.
    Sealed(Vec<Message>),
    /// Events of a chunk, which no plugin had seen.
    Events(PackedEvents),
}

/// Events flat in a buffer, still without a ticket.
pub(crate) struct PackedEvents {
    text: Vec<u8>,
    /// The start of the next event.
    end: usize,
    events: Vec<(usize, PackedEvent, MessageId)>,
}

impl Packed {
    pub(crate) fn sealed<'m>(messages: impl Iterator<Item = &'m Message>) -> Self {
        Packed::Sealed(messages.cloned().collect())
    }

    fn len(&self) -> usize {
        match self {
            Packed::Sealed(messages) => messages.len(),
            Packed::Events(packed) => packed.events.len(),
        }
    }

    fn get(&self, at: usize) -> Option<Event> {
        match self {
            Packed::Sealed(messages) => messages.get(at).map(Message::event),
            Packed::Events(packed) => packed.get(at),
        }
    }
}

impl PackedEvents {
    /// Makes a list of at most so many events in `text`, of which the first begins at `start`.
    pub(crate) fn new(text: Vec<u8>, start: usize, events: usize) -> Self {
        Self { text, end: start, events: Vec::with_capacity(events) }
    }

    /// Adds the next event of the text. An event without an id gets one from `make_id`.
    pub(crate) fn push(&mut self, event: PackedEvent, make_id: impl FnOnce() -> Uuid) {
        let message_id = if event.message_id().is_some() { MessageId::Unset } else { MessageId::Made(make_id()) };
        self.events.push((self.end, event, message_id));
        self.end += event.len();
    }

    /// Returns the id of the event that was added last.
    pub(crate) fn last_message_id(&self) -> String {
        let Some((start, event, made)) = self.events.last() else { return String::new() };
        match event.message_id() {
            None => made.text().into_owned(),
            Some(len) => String::from_utf8_lossy(self.text.get(*start..start + len).unwrap_or_default()).into_owned(),
        }
    }

    fn get(&self, at: usize) -> Option<Event> {
        let (start, packed, made) = self.events.get(at)?;
        let mut event = packed.unpack(&mut self.text.get(*start..).unwrap_or_default(), Uuid::nil);
        if *made != MessageId::Unset {
            event.content.message_id = made.clone();
        }
        Some(event)
    }
}

impl Unsent {
    pub(crate) fn new(parts: Vec<Packed>) -> Self {
        let events = parts.iter().map(Packed::len).sum();
        Self { parts: parts.into(), events }
    }

    /// Returns the number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events
    }

    /// Returns whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Returns the events. Each is read when the iteration reaches it.
    #[must_use]
    pub fn iter(&self) -> UnsentIter {
        UnsentIter { parts: self.parts.clone(), part: 0, at: 0, left: self.events }
    }
}

/// Compares the events, which reads them.
impl PartialEq for Unsent {
    fn eq(&self, other: &Self) -> bool {
        self.events == other.events && self.iter().eq(other)
    }
}

impl Eq for Unsent {}

impl fmt::Debug for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent").field("events", &self.events).finish_non_exhaustive()
    }
}

impl IntoIterator for Unsent {
    type Item = Event;
    type IntoIter = UnsentIter;

    fn into_iter(self) -> UnsentIter {
        self.iter()
    }
}

impl IntoIterator for &Unsent {
    type Item = Event;
    type IntoIter = UnsentIter;

    fn into_iter(self) -> UnsentIter {
        self.iter()
    }
}

/// The iterator of [`Unsent`].
#[derive(Clone)]
pub struct UnsentIter {
    parts: Arc<[Packed]>,
    part: usize,
    at: usize,
    left: usize,
}

impl Iterator for UnsentIter {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let part = self.parts.get(self.part)?;
            if let Some(event) = part.get(self.at) {
                self.at += 1;
                self.left = self.left.saturating_sub(1);
                return Some(event);
            }
            (self.part, self.at) = (self.part + 1, 0);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for UnsentIter {}

impl FusedIterator for UnsentIter {}

impl fmt::Debug for UnsentIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsentIter").field("left", &self.left).finish_non_exhaustive()
    }
}
