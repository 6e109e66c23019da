//! The hand-over: what was just written goes to the feeder in memory, so that it need not be read back and parsed.
//!
//! ```text
//! store: a batch is synced to its file ─▶ Copies::copy_of ─▶ feeder ─▶ Copy::events ─▶ the client behind the spool
//!                                          │ full: None     └ first in the queue of files, and young enough
//!                                          └──────────────▶ the file is read when its turn comes
//! ```
//!
//! Invariant: a copy never stands for its file. The file is on the disk before there is a copy, and stays there until the
//! feeder is done with its events. So a copy may be dropped at any time: it costs a read and no event. A file keeps its
//! place in the queue with and without a copy, so the order does not depend on it. All copies together have at most
//! [`MAX_BYTES`].

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use tracklane::Event;
use tracklane::event::Message;

/// Bytes of events that wait in memory for the feeder, at most: about as much as it has under way.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The copies that wait, as the bytes that they have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copies {
    bytes: Arc<AtomicUsize>,
}

/// The events of a file that was just written. It gives its bytes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Copy {
    messages: Vec<Message>,
    bytes: usize,
    copies: Copies,
}

impl Copies {
    /// Returns a copy of the events of a file that is on the disk; `None` if there is no room for it, or if one of them
    /// would not be read back as it is.
    pub(crate) fn copy_of<'m>(&self, messages: impl ExactSizeIterator<Item = &'m Message> + Clone) -> Option<Copy> {
        let bytes = messages.clone().map(|message| message.json().len() + size_of::<Message>()).sum();
        let take = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= MAX_BYTES);
        self.bytes.fetch_update(Relaxed, Relaxed, take).ok()?;
        let copy = Copy { messages: messages.cloned().collect(), bytes, copies: self.clone() };
        let readable = copy.messages.iter().all(|message| !message.message_id().is_empty());
        readable.then_some(copy)
    }
}

impl Copy {
    /// Returns how many events there are.
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the events, each with its place among the lines of the file, as if they were read from there. Their
    /// parts are copied. Each is made when it is asked for: then it gets the memory of the one before.
    pub(crate) fn events(&self) -> impl Iterator<Item = (usize, Event)> {
        self.messages.iter().map(Message::event).enumerate()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.copies.bytes.fetch_sub(self.bytes, Relaxed);
    }
}
