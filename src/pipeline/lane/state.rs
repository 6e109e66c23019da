//! The life of a lane, from the first event to the end of its worker.

use crate::ledger::DropReason;

/// Where a lane is in its life. It never goes back; events that come when it is no longer open are dropped for the
/// reason of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaneState {
    /// Takes events.
    Open,
    /// Takes no more events, and delivers those it has.
    Draining(DropReason),
    /// Has nothing left, and its worker may end.
    Drained(DropReason),
    /// Its worker has ended.
    Stopped(DropReason),
}

impl LaneState {
    /// Why an event that comes now is dropped; `None` if the lane takes it.
    pub(super) fn drop_reason(self) -> Option<DropReason> {
        match self {
            LaneState::Open => None,
            LaneState::Draining(reason) | LaneState::Drained(reason) | LaneState::Stopped(reason) => Some(reason),
        }
    }
}
