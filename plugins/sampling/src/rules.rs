//! The rules, checked: which rate an event has.

use std::borrow::Cow;

use sha2::Sha256;
use tracklane::{Event, Kind};

use crate::sampling::SampleKey;

#[derive(Debug)]
pub(crate) struct Rules {
    /// The hash of the seed.
    pub(crate) seeded: Sha256,
    pub(crate) keys: Vec<SampleKey>,
    pub(crate) rate: f64,
    pub(crate) kinds: Vec<(Kind, f64)>,
    pub(crate) events: Vec<(Pattern, f64)>,
    pub(crate) destinations: Vec<(String, f64)>,
    pub(crate) mark: bool,
}

/// A name with `*` for any letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_none() {
                return rest.ends_with(piece);
            }
            match rest.find(piece) {
                Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        rest.is_empty()
    }
}

/// Returns whether calls of this kind identify a user.
pub(crate) fn is_identity(kind: Kind) -> bool {
    matches!(kind, Kind::Identify | Kind::Group | Kind::Alias)
}

impl Rules {
    /// The share of events such as this one that is sent. None if all are, whatever the share of others.
    pub(crate) fn rate_of(&self, event: &Event) -> Option<f64> {
        if is_identity(event.kind()) {
            return None;
        }
        let by_name = || {
            let name = if self.events.is_empty() { None } else { event.name() }?;
            self.events.iter().find(|(pattern, _)| pattern.matches(&name)).map(|(_, rate)| *rate)
        };
        let by_kind = || self.kinds.iter().find(|(kind, _)| *kind == event.kind()).map(|(_, rate)| *rate);
        by_name().or_else(by_kind).or(Some(self.rate)).filter(|rate| *rate < 1.0)
    }

    /// Returns the key of the event: the first key that it has, otherwise its own id.
    pub(crate) fn key_of<'e>(&self, event: &'e Event) -> (SampleKey, Cow<'e, str>) {
        self.keys
            .iter()
            .find_map(|key| Some((*key, key.of(event)?)))
            .unwrap_or_else(|| (SampleKey::MessageId, event.message_id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        let rows = [
            ("Order Completed", "Order Completed", true),
            ("Order Completed", "Order Complete", false),
            ("Order *", "Order Completed", true),
            ("Order *", "Reorder Completed", false),
            ("* Viewed", "Product Viewed", true),
            ("*", "", true),
            ("A*B*C", "AxxByyC", true),
            ("A*B*C", "AxxCyyB", false),
            ("A*A", "A", false),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} against {name}");
        }
    }
}
