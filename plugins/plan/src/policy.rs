//! What is done about what is not as planned.

use serde::Deserialize;

/// What is done about an event, a member or a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Nothing: it passes as if it were planned.
    Allow,
    /// The event passes, and `context.protocols.violations` says what is wrong.
    #[default]
    Flag,
    /// The member is taken out, and `context.protocols` says which. What is missing cannot be taken out: it is flagged.
    Omit,
    /// The event is dropped. It goes to the [quarantine](crate::TrackingPlan::quarantine), if there is one.
    Block,
}

/// What is done about the calls of one kind, as Segment's schema controls have it. Everything is flagged by default.
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

    /// What is done about a track call whose event is not in the plan. The other kinds have no events to plan: without a
    /// rule they pass.
    pub const fn unplanned_events(mut self, action: Action) -> Self {
        self.unplanned_events = action;
        self
    }

    /// What is done about properties or traits that the rule of the event does not name.
    pub const fn unplanned_properties(mut self, action: Action) -> Self {
        self.unplanned_properties = action;
        self
    }

    /// What is done about what the schema forbids.
    pub const fn violations(mut self, action: Action) -> Self {
        self.violations = action;
        self
    }
}
