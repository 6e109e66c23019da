//! Findings about an event: Segment's rules, which are the library's, and smells, which are our own.

mod smells;
mod walk;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use tracklane::segment::rules::{self as segment, Violation};

pub use smells::{Smell, smells};
pub use walk::{Leaf, Path, walk};

/// The severity of a finding, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Segment answers 400.
    Refused,
    /// Segment answers 200, and discards the event or a part of it.
    Discarded,
    /// It arrives, but is probably not what was meant.
    Smell,
}

impl Level {
    /// The name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Refused => "refused",
            Level::Discarded => "discarded",
            Level::Smell => "smell",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's name, such as `user-id-missing`.
    pub rule: &'static str,
    /// The severity.
    pub level: Level,
    /// The place: the members' names from the top, joined by dots.
    pub property: Option<Cow<'static, str>>,
    /// The problem.
    pub message: String,
    /// The remedy.
    pub fix: &'static str,
}

impl From<Violation> for Finding {
    fn from(violation: Violation) -> Self {
        let level = match violation.rule.level() {
            segment::Level::Refused => Level::Refused,
            _ => Level::Discarded,
        };
        Self {
            rule: violation.rule.name(),
            level,
            property: violation.property.map(Cow::Borrowed),
            message: violation.message,
            fix: violation.rule.fix(),
        }
    }
}
