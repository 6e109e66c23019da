//! The filter language of the page, of `tail`, and of the API.
//!
//! Terms separated by spaces, which must all match: `kind:track -name:Ping properties.total>10 has:finding text`.

mod member;
mod parse;
mod places;
mod search;
mod subject;

#[cfg(test)]
mod tests;

use member::{Comparison, MemberPath};
pub(crate) use parse::Invalid;
pub(crate) use places::Places;
pub(crate) use search::Needle;
pub(crate) use subject::Subject;

/// A filter that parsed. Without terms it takes everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Kind(Pattern),
    Name(Pattern),
    User(Pattern),
    Anonymous(Pattern),
    Key(Pattern),
    Id(Pattern),
    HasFinding,
    HasPath,
    Level(Pattern),
    Rule(Pattern),
    PathState(Pattern),
    Member(Box<MemberPath>, Comparison),
    Text(Needle),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Like,
    Equal,
    Greater,
    Less,
    AtLeast,
    AtMost,
}

/// Text in which `*` stands for any characters.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pieces: Vec<String>,
    /// The longest piece, to look for before anything is parsed.
    needle: Option<Needle>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let pieces: Vec<String> = text.split('*').map(str::to_owned).collect();
        let needle = longest(&pieces).map(Needle::new);
        Self { pieces, needle }
    }

    /// The longest text without a `*`.
    fn longest(&self) -> Option<&str> {
        longest(&self.pieces)
    }

    fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some(at) = rest.find(piece.as_str()) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        rest.ends_with(last.as_str())
    }

    /// Returns whether an event with this text can have a match somewhere.
    fn may_be_in(&self, raw: &[u8]) -> bool {
        self.needle.as_ref().is_none_or(|needle| needle.is_in(raw))
    }
}

fn longest(pieces: &[String]) -> Option<&str> {
    pieces.iter().max_by_key(|piece| piece.len()).map(String::as_str).filter(|piece| !piece.is_empty())
}

impl Filter {
    /// Reads a filter.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        parse::parse(text)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it asks how far events came.
    pub(crate) fn asks_for_paths(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::HasPath | Test::PathState(_)))
    }

    pub(crate) fn matches(&self, subject: &Subject<'_>) -> bool {
        self.terms.iter().all(|term| term.test.holds(subject) != term.negated)
    }
}

impl Test {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        let is = |pattern: &Pattern, text: Option<std::borrow::Cow<'_, str>>| {
            text.is_some_and(|text| pattern.matches(&text))
        };
        match self {
            Test::Kind(pattern) => subject.kind.is_some_and(|kind| pattern.matches(kind.as_str())),
            Test::Key(pattern) => pattern.matches(subject.key.unwrap_or_default()),
            Test::HasFinding => !subject.findings.is_empty(),
            Test::HasPath => subject.path_state.is_some(),
            Test::Level(pattern) => subject.findings.iter().any(|finding| pattern.matches(finding.level.as_str())),
            Test::Rule(pattern) => subject.findings.iter().any(|finding| pattern.matches(finding.rule)),
            Test::PathState(pattern) => subject.path_state.is_some_and(|state| pattern.matches(state)),
            Test::Text(needle) => needle.is_in(subject.raw),
            Test::Name(pattern) => pattern.may_be_in(subject.raw) && is(pattern, subject.name()),
            Test::User(pattern) => pattern.may_be_in(subject.raw) && is(pattern, subject.user_id()),
            Test::Anonymous(pattern) => pattern.may_be_in(subject.raw) && is(pattern, subject.anonymous_id()),
            Test::Id(pattern) => pattern.may_be_in(subject.raw) && is(pattern, subject.message_id()),
            Test::Member(path, wanted) => {
                wanted.may_hold_in(subject.raw) && subject.member(path).is_some_and(|found| wanted.holds(found))
            }
        }
    }
}
