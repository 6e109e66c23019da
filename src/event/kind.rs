//! The six calls of the Segment Spec.

use std::fmt;

/// The call that made an event; the `type` of the Segment Spec.
///
/// Exhaustive, so that a `match` covers all six. The Spec has had these since 2012, and a seventh would be another
/// contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What a user did.
    Track,
    /// Who a user is.
    Identify,
    /// A page that was viewed.
    Page,
    /// A screen of an app that was viewed.
    Screen,
    /// The group that a user belongs to.
    Group,
    /// Two identities of one user.
    Alias,
}

impl Kind {
    /// All six.
    pub const ALL: &'static [Kind] = &[Kind::Track, Kind::Identify, Kind::Page, Kind::Screen, Kind::Group, Kind::Alias];

    /// Returns the name on the wire, such as `track`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Track => "track",
            Kind::Identify => "identify",
            Kind::Page => "page",
            Kind::Screen => "screen",
            Kind::Group => "group",
            Kind::Alias => "alias",
        }
    }

    /// Returns the kind of that name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Returns the section that carries the data of the call.
    pub(crate) const fn section(self) -> &'static str {
        match self {
            Kind::Identify | Kind::Group => "traits",
            Kind::Track | Kind::Page | Kind::Screen | Kind::Alias => "properties",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
