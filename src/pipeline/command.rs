//! What the worker is told between two events.

use tokio::sync::oneshot;

use crate::plugin::Registration;
use crate::refusal::RegisterError;

/// A command in the queue of the events, so that it has a place in the order of the calls.
pub(crate) enum Command {
    Register(Registration, oneshot::Sender<Result<(), RegisterError>>),
    Deregister(String, oneshot::Sender<Result<(), RegisterError>>),
    /// What waits in lanes leaves at once, and what comes while the flush is under way.
    Flush,
    /// What waits in lanes leaves at once.
    Dispatch,
    /// Unload everything and end.
    End,
}
