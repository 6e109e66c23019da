//! The roles of plugins.

use std::fmt;

/// The role of a plugin. It decides what the plugin sees, and when.
///
/// Non-exhaustive, because a role between two of these may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Sees every event first.
    Before,
    /// Adds to events.
    Enrichment,
    /// Gets finished events.
    Destination,
    /// Sees how events ended.
    After,
    /// Gets no events.
    Utility,
}

impl Role {
    /// Returns the name in lower case, such as `before`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Before => "before",
            Role::Enrichment => "enrichment",
            Role::Destination => "destination",
            Role::After => "after",
            Role::Utility => "utility",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
