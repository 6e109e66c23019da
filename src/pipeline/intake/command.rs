//! The commands that the worker gets between two events.

use tokio::sync::oneshot;

use crate::plugin::Registration;
use crate::refusal::RegisterError;

/// A command in the queue of the events. So it has a place in the order of the calls.
pub(crate) enum Command {
    Register(Registration, oneshot::Sender<Result<(), RegisterError>>),
    Deregister(String, oneshot::Sender<Result<(), RegisterError>>),
    /// Send what waits in lanes at once, and what comes while the flush is under way.
    Flush,
    /// Send what waits in lanes at once.
    Dispatch,
    /// Unload everything and end.
    End,
}
