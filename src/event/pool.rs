//! Reuses the memory of the last event on a thread for the next one that begins there, and for its copy.
//!
//! An event is a few allocations, and they are much alike from event to event. On the caller's thread it ends when its
//! text is in the queue; on the pipeline's, when it has its final form. Allocating and freeing took a third of a call.
//!
//! Invariant: memory in the pool is empty, of ordinary size, and stays on its thread. A thread that is ending keeps
//! none.

use std::cell::Cell;

use super::Kind;
use super::content::Content;

thread_local! {
    static CONTENT: Cell<Option<Box<Content>>> = const { Cell::new(None) };
    /// The memory for the copies that are made before plugins.
    static COPY: Cell<Option<Box<Content>>> = const { Cell::new(None) };
}

/// Returns the content of a new event.
pub(super) fn take(kind: Kind) -> Box<Content> {
    match CONTENT.try_with(Cell::take) {
        Ok(Some(mut content)) => {
            content.kind = kind;
            content
        }
        _ => Box::new(Content::new(kind)),
    }
}

/// Returns content to copy an event into.
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
