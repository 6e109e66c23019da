//! The policy: the actions on unplanned data.

use serde::Deserialize;

/// The action on an event, a member or a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Do nothing: it passes as if it were planned.
    Allow,
    /// Let the event pass, with the violation in `context.protocols.violations`.
    #[default]
    Flag,
    /// Remove the member, and name it in `context.protocols`. A missing member cannot be removed: it is flagged.
    Omit,
    /// The event is dropped. It goes to the [quarantine](crate::TrackingPlan::quarantine), if there is one.
    Block,
}

/// The actions on the calls of one kind, like Segment's schema controls. Everything is flagged by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    pub(crate) unplanned_events: Action,
    pub(crate) unplanned_properties: Action,
    pub(crate) violations: Action,
}

impl Policy {
    /// Flags everything.
    pub const fn new() -> Self {
        Self { unplanned_events: Action::Flag, unplanned_properties: Action::Flag, violations: Action::Flag }
    }

    /// Sets the action on a track call whose event is not in the plan. Other kinds have no events to plan: without a
    /// rule they pass, and `Block` is an error of [`build`](crate::TrackingPlan::build). Segment's schema controls have
    /// that switch for track calls alone, too.
    pub const fn unplanned_events(mut self, action: Action) -> Self {
        self.unplanned_events = action;
        self
    }

    /// Sets the action on properties or traits that the rule of the event does not name.
    pub const fn unplanned_properties(mut self, action: Action) -> Self {
        self.unplanned_properties = action;
        self
    }

    /// Sets the action on violations of the schema.
    pub const fn violations(mut self, action: Action) -> Self {
        self.violations = action;
        self
    }
}
