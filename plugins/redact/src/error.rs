//! The error of a rule that cannot be used.

/// The error of a rule. It names the rule and says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// A path does not begin where an event has something to redact.
    #[error(
        "the path {path:?} begins with {root:?}: begin with properties, traits, context, userId, anonymousId, groupId, \
         previousId, name, category or event"
    )]
    UnknownRoot {
        /// The path.
        path: String,
        /// Its first member.
        root: String,
    },
    /// A path is empty or has an empty member.
    #[error("the path {path:?} has an empty member: write members with one dot between them")]
    EmptyMember {
        /// The path.
        path: String,
    },
    /// A path has an index in brackets. Items have paths with dots, like members.
    #[error("the path {path:?} has brackets: write {item:?} for that item, or {each:?} for each")]
    Brackets {
        /// The path.
        path: String,
        /// What to write for that item.
        item: String,
        /// What to write for each item.
        each: String,
    },
    /// A key is empty once separators are left out.
    #[error("the key {key:?} has no letter and no digit")]
    EmptyKey {
        /// The key.
        key: String,
    },
    /// A rule hashes, and there is no key to hash with.
    #[error("{rule} hashes, and there is no hash key: set one with hash_key, of at least 16 bytes")]
    NoHashKey {
        /// The rule.
        rule: String,
    },
    /// The key to hash with is too short to protect anything.
    #[error("the hash key has {bytes} bytes: use at least 16 random bytes, the same in every process")]
    ShortHashKey {
        /// Its length.
        bytes: usize,
    },
    /// The action does not fit the values of the rule.
    #[error("{rule}: {action} is for {for_what} only")]
    UnfitAction {
        /// The rule.
        rule: String,
        /// The action.
        action: &'static str,
        /// The values that the action can be applied to.
        for_what: &'static str,
    },
    /// An id that an event cannot be sent without would be dropped.
    #[error("the path {path:?} cannot be dropped, for an event is not sent without it: hash it, or replace it")]
    Required {
        /// The path.
        path: String,
    },
}

/// An object of an event that is no JSON. There should be none, and such an event is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a section of the event is no JSON, so that nothing could be redacted in it")]
pub(crate) struct Unreadable;
