//! Reports the way of each event to a `tracklane dev`: the changes of each plugin, the destinations, and every attempt.
//!
//! ```text
//!  stack, lanes ─note─▶ queue ─▶ worker ─▶ traces as JSON ─▶ POST /__tracklane/trace
//! ```
//!
//! There is no inspector unless [`Builder::inspector`](crate::Builder::inspector) names a server. Invariant: to make a
//! note never waits. The queue is bounded; the oldest notes are removed for newer ones, and counted. A note holds no write
//! key and no header, and of errors only the text that the signal `error` has.

mod note;
mod patch;
mod queue;
mod server;
mod trace;
mod worker;

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

pub(crate) use note::{Attempted, Chosen, End, Ended, Note, Reply, Step, StepOutcome, Stop};
use queue::Shared;
pub(crate) use server::Server;
pub(crate) use worker::Worker;

/// The side that takes notes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Inspector(Arc<Handle>);

/// Ends the worker when the last [`Inspector`] is dropped.
struct Handle(Arc<Shared>);

/// Makes an inspector, and the notes for its worker.
pub(crate) fn pair() -> (Inspector, worker::Notes) {
    let shared = Arc::<Shared>::default();
    (Inspector(Arc::new(Handle(shared.clone()))), worker::Notes(shared))
}

impl Inspector {
    /// Queues a note. Never waits.
    pub(crate) fn report(&self, note: Note) {
        self.0.0.push(note);
    }

    /// Blocks until all notes so far are sent or lost, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let (mark, sent) = mpsc::sync_channel(1);
        self.0.0.push(Note::Mark(mark));
        // Without an answer the worker has ended, or the mark was removed for newer notes.
        let _ = sent.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}
