//! The observers of one event: its callbacks and its receipt.

use std::fmt;

use super::outcome::{DestinationOutcome, Settlement};
use super::receipt::ReceiptSender;

/// A function that is called with the settlement of an event.
pub(super) type Callback = Box<dyn FnOnce(&Settlement) + Send + Sync>;

/// The callbacks and the receipt of one event, and its outcome so far.
#[derive(Default)]
pub(crate) struct Observers {
    pub(crate) callbacks: Vec<Callback>,
    pub(crate) receipt: Option<ReceiptSender>,
    pub(crate) message_id: String,
    pub(crate) destinations: Vec<DestinationOutcome>,
    /// Set if the ticket keeps the settlement for after plugins.
    pub(super) keep: bool,
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").field("callbacks", &self.callbacks.len()).finish_non_exhaustive()
    }
}
