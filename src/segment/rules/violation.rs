//! The rules, Segment's reaction to a violation, and how to fix it.

use std::fmt;

/// Segment's reaction to an event that breaks a rule.
///
/// Non-exhaustive, because Segment may add another reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Segment answers 400.
    Refused,
    /// Segment answers 200, and discards the event or a part of it.
    Discarded,
}

impl Level {
    /// Returns the name: `refused` or `discarded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Refused => "refused",
            Level::Discarded => "discarded",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, $level:ident, $fix:literal;)+) => {
        /// A rule of the tracking API.
        ///
        /// Non-exhaustive, because Segment may add another rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $rule,)+
        }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)+];

            /// Returns the stable name, such as `event-too-large`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)+ }
            }

            /// Returns Segment's reaction to an event that breaks it.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Rule::$rule => Level::$level,)+ }
            }

            /// Returns how to fix it.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Rule::$rule => $fix,)+ }
            }
        }
    };
}

rules! {
    /// The body of the request is too large.
    BodyTooLarge = "body-too-large", Refused, "Send fewer events in one request.";
    /// The body or the event is not a JSON object.
    MalformedJson = "malformed-json", Refused, "Send one JSON object, in UTF-8.";
    /// The event is too large.
    EventTooLarge = "event-too-large", Refused, "Send less in the event, or make several events of it.";
    /// The batch has too many events.
    BatchTooLong = "batch-too-long", Discarded, "Send at most 2500 events in one request.";
    /// The `type` is not one of the six.
    UnknownType = "unknown-type", Discarded, "Give the event the type of its call.";
    /// There is no id of a user.
    UserIdMissing = "user-id-missing", Discarded, "Set userId, or anonymousId for a user who is not known yet.";
    /// A track call has no name.
    EventMissing = "event-missing", Discarded, "Name what happened, such as \"Order Completed\".";
    /// A group call has no group.
    GroupIdMissing = "group-id-missing", Discarded, "Set groupId.";
    /// An alias call has no earlier id.
    PreviousIdMissing = "previous-id-missing", Discarded, "Set previousId to the id that the user had before.";
    /// A field has a value of the wrong type.
    WrongType = "wrong-type", Discarded, "Send the type that the Segment Spec has for this field.";
    /// The `messageId` is too long.
    MessageIdTooLong = "message-id-too-long", Discarded, "Use a UUID, or leave messageId to the library.";
    /// The timestamp cannot be read.
    TimestampInvalid = "timestamp-invalid", Discarded, "Send RFC 3339, such as 2011-05-03T14:05:00.123Z.";
}

/// A rule that an event breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The member that is wrong, if a member is.
    pub property: Option<&'static str>,
    /// A description with the value.
    pub message: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, property: Option<&'static str>, message: String) -> Self {
        Self { rule, property, message }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.name(), self.message)
    }
}
