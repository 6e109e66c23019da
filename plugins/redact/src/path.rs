//! The path of a rule in an event: members with dots between them, `*` for any one, `**` for any number.

use crate::error::RedactError;

/// The members of an event that a path may begin with.
const ROOTS: &[&str] =
    &["properties", "traits", "context", "userId", "anonymousId", "groupId", "previousId", "name", "category", "event"];

/// A path of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Any,
    AnyDepth,
}

impl Path {
    pub(crate) fn new(text: &str) -> Result<Self, RedactError> {
        let path = || text.to_owned();
        if let (Some(item), Some(each)) = (with_dots(text, false), with_dots(text, true)) {
            return Err(RedactError::Brackets { path: path(), item, each });
        }
        let root = text.split('.').next().unwrap_or_default();
        if !ROOTS.contains(&root) && root != "*" && root != "**" {
            return Err(RedactError::UnknownRoot { path: path(), root: root.to_owned() });
        }
        let step = |member: &str| match member {
            "" => Err(RedactError::EmptyMember { path: path() }),
            "*" => Ok(Step::Any),
            "**" => Ok(Step::AnyDepth),
            member => Ok(Step::Member(member.to_owned())),
        };
        Ok(Self(text.split('.').map(step).collect::<Result<_, _>>()?))
    }

    /// The root member that the path names alone, such as `userId`.
    pub(crate) fn root(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Step::Member(root)] => Some(root),
            _ => None,
        }
    }

    /// Returns whether the path names the member at `members`, or one that is around it.
    pub(crate) fn covers(&self, members: &[&str]) -> bool {
        (1..=members.len()).any(|len| members.get(..len).is_some_and(|members| self.matches(members)))
    }

    /// Returns whether the path names the member at `members`.
    pub(crate) fn matches(&self, members: &[&str]) -> bool {
        matches(&self.0, members)
    }

    /// Returns whether the path may name something inside of `members`.
    pub(crate) fn reaches_into(&self, members: &[&str]) -> bool {
        reaches(&self.0, members)
    }
}

/// Returns the path with dots where it has an index in brackets, such as `[0]`, `[*]` or `[]`: with the index, or with `*`.
/// None if it has no index in brackets.
fn with_dots(path: &str, each: bool) -> Option<String> {
    let mut dotted = String::new();
    for piece in path.split_inclusive(']') {
        let (before, index) = piece.strip_suffix(']').and_then(|piece| piece.rsplit_once('[')).unzip();
        match index.filter(|index| *index == "*" || index.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(index) => {
                dotted += before.unwrap_or_default();
                dotted += ".";
                dotted += if each || index.is_empty() { "*" } else { index };
            }
            None => dotted += piece,
        }
    }
    (dotted != path).then_some(dotted)
}

fn matches(steps: &[Step], members: &[&str]) -> bool {
    match (steps, members) {
        ([], []) => true,
        ([Step::AnyDepth, rest @ ..], _) => {
            (0..=members.len()).any(|skipped| members.get(skipped..).is_some_and(|members| matches(rest, members)))
        }
        ([Step::Any, rest @ ..], [_, members @ ..]) => matches(rest, members),
        ([Step::Member(name), rest @ ..], [member, members @ ..]) => name == member && matches(rest, members),
        _ => false,
    }
}

fn reaches(steps: &[Step], members: &[&str]) -> bool {
    match (steps, members) {
        ([], _) => false,
        (_, []) | ([Step::AnyDepth, ..], _) => true,
        ([Step::Any, rest @ ..], [_, members @ ..]) => reaches(rest, members),
        ([Step::Member(name), rest @ ..], [member, members @ ..]) => name == member && reaches(rest, members),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_what_it_says_and_no_more() {
        let rows: &[(&str, &str, bool)] = &[
            ("properties.card", "properties.card", true),
            ("properties.card", "properties.card.number", false),
            ("properties.*", "properties.card", true),
            ("properties.*", "properties.card.number", false),
            ("properties.**", "properties.card.number", true),
            ("properties.**.number", "properties.a.b.number", true),
            ("properties.**.number", "properties.number", true),
            ("**.email", "context.traits.email", true),
            ("*.email", "traits.email", true),
            ("*.email", "context.traits.email", false),
            ("userId", "userId", true),
            ("properties.items.*.id", "properties.items.0.id", true),
            ("properties.filter[status]", "properties.filter[status]", true),
        ];
        for (path, members, expected) in rows {
            let members: Vec<&str> = members.split('.').collect();
            assert_eq!(Path::new(path).unwrap().matches(&members), *expected, "{path} at {members:?}");
        }
    }

    #[test]
    fn a_path_that_names_nothing_is_refused() {
        for (path, expected) in [("props.card", "props"), ("", ""), ("property.card", "property")] {
            let error = Path::new(path).unwrap_err();
            assert_eq!(error, RedactError::UnknownRoot { path: path.into(), root: expected.into() });
        }
        assert_eq!(Path::new("properties..a").unwrap_err(), RedactError::EmptyMember { path: "properties..a".into() });
    }
}
