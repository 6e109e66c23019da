//! The request of a destination's service: events, and the number of the attempt.

use std::iter::FusedIterator;
use std::slice;
use std::sync::Arc;
use std::time::SystemTime;

use super::Timer;
use crate::emitter::Emitter;
use crate::event::Message;
use crate::ledger::Envelope;

/// The events of one attempt at a destination. A clone shares the events.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) messages: Arc<[Arc<Envelope<Message>>]>,
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    pub(crate) sent_at: SystemTime,
    pub(crate) timer: Timer,
    pub(crate) emitter: Emitter,
}

impl Batch {
    /// Counts the events. There is at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the events, in the order of their calls.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.into_iter()
    }

    /// Counts the bytes of the events' JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.messages().map(|message| message.json().len()).sum()
    }

    /// Returns the batch's number at this destination, the same in every attempt. The halves of a split batch have
    /// numbers of their own.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the number of the attempt at these events, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns when this attempt began, by the client's clock.
    #[must_use]
    pub fn sent_at(&self) -> SystemTime {
        self.sent_at
    }

    /// Returns the client's clock.
    #[must_use]
    pub fn timer(&self) -> &Timer {
        &self.timer
    }

    /// Returns the emitter, for signals of the destination.
    #[must_use]
    pub fn emitter(&self) -> &Emitter {
        &self.emitter
    }
}

/// The events, in the order of their calls.
impl<'b> IntoIterator for &'b Batch {
    type Item = &'b Message;
    type IntoIter = BatchIter<'b>;

    fn into_iter(self) -> BatchIter<'b> {
        BatchIter(self.messages.iter())
    }
}

/// The iterator over the events of a [`Batch`].
#[derive(Clone, Debug)]
pub struct BatchIter<'b>(slice::Iter<'b, Arc<Envelope<Message>>>);

impl<'b> Iterator for BatchIter<'b> {
    type Item = &'b Message;

    fn next(&mut self) -> Option<&'b Message> {
        self.0.next().map(|envelope| &envelope.item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for BatchIter<'_> {}

impl FusedIterator for BatchIter<'_> {}
