//! Events that a destination refused permanently, in a stream of their own until an operator decides.
//!
//! Invariant: a message of the log is acknowledged after the dead events in it are stored here.

use std::sync::Arc;

use tracklane_spool::DeadLetter;

use crate::jetstream::{DeadMessage, JetStream, LogError};

/// An event that a destination will never have.
#[derive(Debug)]
pub(super) struct DeadEvent {
    /// Its place in the message.
    place: usize,
    /// The destination; `None` if it is no event for anybody.
    destination: Option<String>,
    reason: &'static str,
    error: Option<String>,
}

impl DeadEvent {
    pub(super) fn new(place: usize, destination: Option<&str>, reason: &'static str, error: Option<String>) -> Self {
        Self { place, destination: destination.map(str::to_owned), reason, error }
    }
}

/// Stores them, one message each.
pub(super) async fn store(
    log: &Arc<JetStream>,
    pipeline: &str,
    lines: &[&[u8]],
    dead: &[DeadEvent],
) -> Result<(), LogError> {
    for event in dead {
        let Some(line) = lines.get(event.place) else { continue };
        // Text that is no JSON is kept as a string.
        let text = || serde_json::Value::from(String::from_utf8_lossy(line)).to_string();
        let letter = DeadLetter::new(line, event.reason, event.error.clone())
            .or_else(|| DeadLetter::new(text().as_bytes(), event.reason, event.error.clone()));
        if let Some(letter) = letter {
            let destination = event.destination.as_deref();
            log.publish_dead(DeadMessage { pipeline, destination, event: line, letter: &letter }).await?;
        }
    }
    Ok(())
}
