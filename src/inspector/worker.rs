//! Sends notes as reports, some at a time, on the client's own runtime.
//!
//! If the server is not reached, the notes are lost and counted, and the signal `error` says so once.

use std::sync::Arc;
use std::time::Duration;

use super::note::Note;
use super::queue::{Shared, Taken};
use super::server::Server;
use super::trace;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::error::BoxError;
use crate::supervise::{self, Topic};

/// The origin of a failure.
const CLIENT: &str = "tracklane";
/// The number of events in one request, more or less. To write their JSON takes the pipeline's thread well under a
/// millisecond.
const EVENTS: usize = 128;
/// The longest time of one request.
const LIMIT: Duration = Duration::from_secs(5);

/// The side of the queue that the worker reads.
pub(crate) struct Notes(pub(super) Arc<Shared>);

/// Reads notes and sends them.
pub(crate) struct Worker {
    notes: Notes,
    server: Server,
    clock: Clock,
    emitter: Emitter,
}

impl Worker {
    pub(crate) fn new(notes: Notes, server: Server, clock: Clock, emitter: Emitter) -> Self {
        Self { notes, server, clock, emitter }
    }

    /// Works until the last inspector is dropped.
    pub(crate) async fn run(mut self) {
        let shared = self.notes.0.clone();
        loop {
            let Taken { notes, missed, is_closed } = shared.take(EVENTS).await;
            if is_closed {
                return;
            }
            let events: u64 = notes.iter().map(|note| note.events() as u64).sum();
            if events > 0 && !self.send(trace::to_json(&notes, missed)).await {
                shared.miss(missed + events);
            }
            for note in notes {
                if let Note::Mark(mark) = note {
                    // The waiting side may have given up.
                    let _ = mark.try_send(());
                }
            }
            // Gives other tasks on this thread their turn.
            tokio::task::yield_now().await;
        }
    }

    /// Sends a report. Returns whether the server took it.
    async fn send(&mut self, traces: Vec<u8>) -> bool {
        let sent = self.server.send(traces);
        let clock = self.clock.clone();
        let outcome = clock.timeout(LIMIT, Box::pin(sent)).await;
        let outcome = outcome.unwrap_or_else(|| Err(format!("it did not answer within {LIMIT:?}").into()));
        match outcome {
            Ok(()) => {
                self.emitter.works(Topic::Inspector, CLIENT);
                true
            }
            Err(error) => {
                self.report(error);
                false
            }
        }
    }

    #[cold]
    fn report(&self, error: BoxError) {
        let origin = self.server.origin();
        self.emitter.fail_once(Topic::Inspector, CLIENT, || {
            let text = supervise::text_with_causes(&*error);
            let message = format!(
                "the inspector at {origin} is not reached: {text}; its reports are lost, and the events are sent as usual"
            );
            let mut failure = Failure::new(CLIENT, message, 0);
            failure.error = Some(Arc::from(error));
            failure
        });
    }
}
