//! Reuses the memory of the last event on a thread for the next one that begins there, and for its copy.
//!
//! An event is a few allocations, and they are much alike from event to event. On the caller's thread it ends when its
//! text is in the queue; on the pipeline's, when it has its final form. Allocating and freeing took a third of a call.
//!
//! Invariant: memory in the pool is empty, of ordinary size, and stays on its thread. A thread that is ending keeps
//! none.

use std::cell::Cell;

use bytes::Bytes;

use super::content::Content;
use super::Kind;

/// The memory for the text of an event that is kept, at most.
const KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    static CONTENT: Cell<Option<Box<Content>>> = const { Cell::new(None) };
    /// The memory for the copies that are made before plugins.
    static COPY: Cell<Option<Box<Content>>> = const { Cell::new(None) };
    /// The memory in which an event is written, before it is known how long it is.
    static JSON: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
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

/// Returns what `write` appends, in memory of just that size, and its result.
pub(super) fn written<T>(write: impl FnOnce(&mut Vec<u8>) -> T) -> (Bytes, T) {
    let mut json = JSON.try_with(Cell::take).unwrap_or_default();
    let result = write(&mut json);
    let written = Bytes::copy_from_slice(&json);
    json.clear();
    if json.capacity() <= KEPT_BYTES {
        // On a thread that is ending it is freed.
        let _ = JSON.try_with(|kept| kept.set(json));
    }
    (written, result)
}
