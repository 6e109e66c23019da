//! The request of the stack.

use std::sync::Arc;

use super::turn::Turn;
use crate::event::Event;
use crate::ledger::Envelope;

/// An event on its way, and its turn among those that are under way with it.
pub(in crate::pipeline) struct Passage {
    pub(in crate::pipeline) envelope: Envelope<Event>,
    pub(super) turn: Turn,
    /// The destination that it goes to in place of all others, because a plugin dropped it.
    pub(super) quarantine: Option<Arc<str>>,
}

impl Passage {
    /// Of an event that waits for no other.
    pub(in crate::pipeline) fn alone(envelope: Envelope<Event>) -> Self {
        Self { envelope, turn: Turn::default(), quarantine: None }
    }

    pub(in crate::pipeline) fn in_turn(envelope: Envelope<Event>, turn: Turn) -> Self {
        Self { envelope, turn, quarantine: None }
    }
}
