//! The memory of the event that ended last on a thread, for the next one that begins there, and of its copy.
//!
//! An event is a few allocations, much like those of the event before, and over soon: on the caller's thread when its
//! text has been copied into the queue, on the pipeline's when it has its final form. To allocate and to free them
//! took a third of a call.
//!
//! Invariant: what is kept is empty, of ordinary size, and does not leave its thread. A thread that is ending keeps
//! nothing.

use std::cell::Cell;

use super::Kind;
use super::content::Content;

thread_local! {
    static CONTENT: Cell<Option<Box<Content>>> = const { Cell::new(None) };
    /// The same for the copies that are made before plugins.
    static COPY: Cell<Option<Box<Content>>> = const { Cell::new(None) };
}

/// The content of a new event.
pub(super) fn take(kind: Kind) -> Box<Content> {
    match CONTENT.try_with(Cell::take) {
        Ok(Some(mut content)) => {
            content.kind = kind;
            content
        }
        _ => Box::new(Content::new(kind)),
    }
}

/// What is to become a copy of an event.
pub(super) fn take_copy() -> Box<Content> {
    let kept = COPY.try_with(Cell::take).unwrap_or_default();
    kept.unwrap_or_else(|| Box::new(Content::new(Kind::Track)))
}

/// Leaves the memory of a copy to the next one on this thread.
pub(super) fn put_copy(mut copy: Box<Content>) {
    copy.clear();
    // On a thread that is ending it is freed.
    let _ = COPY.try_with(|kept| kept.set(Some(copy)));
}

/// Leaves the memory of an event that has ended to the next one on this thread.
pub(super) fn put(mut content: Box<Content>) {
    content.clear();
    // On a thread that is ending it is freed.
    let _ = CONTENT.try_with(|kept| kept.set(Some(content)));
}
