//! The memory of the event that ended last on a thread, for the next one that begins there.
//!
//! An event is a few allocations, much like those of the event before, and over soon: on the caller's thread when its
//! text has been copied into the queue, on the pipeline's when it has its final form. To allocate and to free them
//! took a third of a call.
//!
//! Always: what is kept is empty, of ordinary size, and does not leave its thread. A thread that is ending keeps
//! nothing.

use std::cell::Cell;

use super::Kind;
use super::body::{Content, Event};

thread_local! {
    static SPARE: Cell<Option<Box<Content>>> = const { Cell::new(None) };
}

/// The content of a new event.
pub(super) fn content(kind: Kind) -> Box<Content> {
    match SPARE.try_with(Cell::take) {
        Ok(Some(mut content)) => {
            content.kind = kind;
            content
        }
        _ => Box::new(Content::new(kind)),
    }
}

impl Event {
    /// Ends the event, and leaves its memory to the next one on this thread.
    pub(crate) fn recycle(self) {
        let mut content = self.content;
        content.clear();
        // On a thread that is ending it is freed.
        let _ = SPARE.try_with(|spare| spare.set(Some(content)));
    }
}
