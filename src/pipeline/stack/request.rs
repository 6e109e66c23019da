//! The request type of the stack.

use std::sync::Arc;

use super::turn::Turn;
use crate::event::Event;
use crate::ledger::Envelope;

/// An event on its way, and its turn among the events under way with it.
pub(in crate::pipeline) struct StackRequest {
    pub(in crate::pipeline) envelope: Envelope<Event>,
    pub(super) turn: Turn,
    /// The only destination that the event goes to, because a plugin dropped it.
    pub(super) quarantine: Option<Arc<str>>,
}

impl StackRequest {
    /// Makes the passage of an event that waits for no other.
    pub(in crate::pipeline) fn alone(envelope: Envelope<Event>) -> Self {
        Self { envelope, turn: Turn::default(), quarantine: None }
    }

    pub(in crate::pipeline) fn in_turn(envelope: Envelope<Event>, turn: Turn) -> Self {
        Self { envelope, turn, quarantine: None }
    }
}
