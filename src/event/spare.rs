//! The memory of the event that ended last on a thread, for the next one that begins there, and of its copy.
//!
//! An event is a few allocations, much like those of the event before, and over soon: on the caller's thread when its
//! text has been copied into the queue, on the pipeline's when it has its final form. To allocate and to free them
//! took a third of a call.
//!
//! Always: what is kept is empty, of ordinary size, and does not leave its thread. A thread that is ending keeps
//! nothing.

use std::cell::Cell;

use super::Kind;
use super::body::Event;
use super::content::Content;

thread_local! {
    static SPARE: Cell<Option<Box<Content>>> = const { Cell::new(None) };
    /// The same for the copies that are made before plugins.
    static COPY: Cell<Option<Box<Content>>> = const { Cell::new(None) };
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

/// What is to become a copy of an event.
pub(super) fn copy() -> Box<Content> {
    let kept = COPY.try_with(Cell::take).unwrap_or_default();
    kept.unwrap_or_else(|| Box::new(Content::new(Kind::Track)))
}

/// Leaves the memory of a copy to the next one on this thread.
pub(super) fn keep_copy(mut copy: Box<Content>) {
    copy.clear();
    // On a thread that is ending it is freed.
    let _ = COPY.try_with(|kept| kept.set(Some(copy)));
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
