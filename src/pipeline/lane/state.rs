//! The life of a lane, from its first event to the end of its worker.

use crate::ledger::DropReason;

/// The state of a lane. It never goes back. Events that come when it is no longer open are dropped, for the reason of
/// its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaneState {
    /// Takes events.
    Open,
    /// Takes no more events, and delivers those it has.
    Draining(DropReason),
    /// Has nothing left. Its worker may end.
    Drained(DropReason),
    /// Its worker has ended.
    Stopped(DropReason),
}

impl LaneState {
    /// Returns why an event that comes now is dropped; `None` if the lane takes it.
    pub(super) fn drop_reason(self) -> Option<DropReason> {
        match self {
            LaneState::Open => None,
            LaneState::Draining(reason) | LaneState::Drained(reason) | LaneState::Stopped(reason) => Some(reason),
        }
    }
}
