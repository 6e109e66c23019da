//! The limits of an event, checked once at the call.
//!
//! Segment answers 200 to most events that it then discards. So this check is the only error that a caller ever sees.

use super::fields::Field;
use super::json::{JsonType, Problem, ValueError};
use super::{Event, InvalidTimestamp, Kind, MAX_DEPTH, MessageId, Object};

/// Bytes that the final JSON of one event may have ([Segment: HTTP API, max request
/// size](https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#max-request-size)).
pub const MAX_EVENT_BYTES: usize = 32_768;
/// Bytes that the body of one request may have (same source).
pub const MAX_BATCH_BYTES: usize = 500_000;
/// Events that one request may have. Segment answers 200 and discards those beyond (same source).
pub const MAX_BATCH_EVENTS: usize = 2_500;
/// Characters that a `messageId` may have (same source: fewer than 100).
pub const MAX_MESSAGE_ID_CHARS: usize = 99;

/// The error of one field of an event.
///
/// Non-exhaustive, because another limit may be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidField {
    /// Neither a user id nor an anonymous id.
    #[error("the {kind} call has neither userId nor anonymousId: set one of them")]
    MissingId {
        /// The call.
        kind: Kind,
    },
    /// A required field of this call is missing or empty.
    #[error("{field} is missing or empty: a {kind} call needs it")]
    Missing {
        /// The call.
        kind: Kind,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// The `messageId` is too long for Segment's de-duplication.
    #[error("messageId has {chars} characters, at most {MAX_MESSAGE_ID_CHARS} are allowed")]
    MessageIdTooLong {
        /// Its length in characters.
        chars: usize,
    },
    /// The event as JSON is too large.
    #[error("the event has {bytes} bytes of JSON, at most {MAX_EVENT_BYTES} are allowed: send less, or several events")]
    TooLarge {
        /// Its final size, with the default context.
        bytes: usize,
    },
    /// A value is nested too deeply.
    #[error("{field} is nested more than {MAX_DEPTH} levels deep: flatten it")]
    TooDeep {
        /// The section, and the key in it.
        field: String,
    },
    /// A number is NaN or infinite, which JSON cannot carry.
    #[error("{field} is NaN or infinite, which JSON cannot carry: leave it out or send a string")]
    NotFinite {
        /// The section, and the key in it.
        field: String,
    },
    /// A whole number has more than 64 bits, or a decimal has more digits than a double keeps.
    #[error("{field} is a number that 64 bits cannot hold exactly: send it as a string")]
    Inexact {
        /// The section, and the key in it.
        field: String,
    },
    /// The text for a point in time is not RFC 3339.
    #[error("{field} is {:?}, and must be RFC 3339 in the years 0 to 9999, such as \"2011-05-03T14:05:00.123Z\"", source.text())]
    Timestamp {
        /// The field, or the section and the key in it.
        field: String,
        /// The error of the text.
        source: InvalidTimestamp,
    },
    /// A section is not a JSON object.
    #[error("{field} is {found}, and must be an object with keys{}", hint(*found))]
    NotAnObject {
        /// The section.
        field: String,
        /// The type that it has.
        found: JsonType,
    },
    /// The value of a setter for numbers is not a number.
    #[error("{field} is {found}, and must be a number, or a number in text, such as \"39.95\"")]
    NotANumber {
        /// The section, and the key in it.
        field: String,
        /// The type that it has; `String` for a string that is not a number.
        found: JsonType,
    },
    /// The value of a setter for lists is not a list.
    #[error("{field} is {found}, and must be a list")]
    NotAList {
        /// The section, and the key in it.
        field: String,
        /// The type that it has.
        found: JsonType,
    },
    /// A value cannot be written as JSON.
    #[error("{field} cannot be written as JSON: {problem}")]
    Unserializable {
        /// The section, and the key in it.
        field: String,
        /// The message of the serializer.
        problem: String,
    },
}

/// Returns the usual cause where an object is null: a builder whose last step was a statement.
fn hint(found: JsonType) -> &'static str {
    match found {
        JsonType::Null => ": `insert` returns the old value, `with` returns the object; leave it out if there is none",
        _ => "",
    }
}

/// Checks everything but the size, which depends on the settings.
pub(crate) fn check(event: &Event) -> Result<(), InvalidField> {
    let kind = event.kind();
    let content = &event.content;
    let has = |field| content.fields.has(field);
    let needs = |field: Field| match has(field) {
        true => Ok(()),
        false => Err(InvalidField::Missing { kind, field: field.as_str() }),
    };
    match kind {
        Kind::Track => needs(Field::Event)?,
        Kind::Group => needs(Field::GroupId)?,
        Kind::Alias => needs(Field::UserId).and_then(|()| needs(Field::PreviousId))?,
        Kind::Identify | Kind::Page | Kind::Screen => {}
    }
    if !has(Field::UserId) && !has(Field::AnonymousId) {
        return Err(InvalidField::MissingId { kind });
    }
    if let MessageId::Given(id) = &content.message_id {
        check_message_id(id)?;
    }
    event.check_sections()
}

impl Event {
    /// Checks whether the event can be written: whether its sections are objects, and JSON can carry their values. A call
    /// refuses an event of which that is not true, and serializing it fails. To check is cheaper than either.
    ///
    /// ```
    /// use tracklane::Event;
    ///
    /// let event = Event::from_json(br#"{"type":"track","event":"Item Purchased","userId":"u1","properties":"none"}"#)?;
    /// assert!(event.check_sections().is_err());
    /// # Ok::<(), tracklane::event::InvalidEvent>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the first value that cannot be written, by its place.
    pub fn check_sections(&self) -> Result<(), InvalidField> {
        let content = &self.content;
        check_object(FIELDS, content.fields.members())?;
        check_object(content.kind.section(), &content.section)?;
        check_object("context", &content.context)?;
        check_object("integrations", &content.integrations)
    }

    /// Keeps the changes since the call, or since the event was last [saved](super::Checkpoint::save), if it can be
    /// sent with them.
    pub(crate) fn commit(&mut self) -> Result<(), InvalidField> {
        if !self.edited {
            return Ok(());
        }
        self.normalise();
        self.check_sections()
    }

    /// Writes `All` where a call, a layer or a plugin wrote `all` into the integrations.
    fn normalise(&mut self) {
        if self.content.has_integrations {
            self.content.integrations.normalise();
        }
    }
}

fn check_message_id(id: &str) -> Result<(), InvalidField> {
    // A character has a byte at least.
    if id.len() <= MAX_MESSAGE_ID_CHARS {
        return Ok(());
    }
    match id.chars().count() {
        chars if chars > MAX_MESSAGE_ID_CHARS => Err(InvalidField::MessageIdTooLong { chars }),
        _ => Ok(()),
    }
}

/// The name for all fields outside of the sections.
const FIELDS: &str = "fields";

fn check_object(section: &'static str, object: &Object) -> Result<(), InvalidField> {
    object.check().map_err(|error| invalid(section, error))
}

#[cold]
fn invalid(section: &'static str, error: ValueError) -> InvalidField {
    let (key, problem) = error.into_parts();
    let field = match (section, key) {
        // On the wire these fields are beside the sections.
        (FIELDS, key) if !key.is_empty() => key,
        (section, key) if key.is_empty() => section.to_owned(),
        (section, key) => format!("{section}.{key}"),
    };
    match problem {
        Problem::Inexact => InvalidField::Inexact { field },
        Problem::Timestamp(source) => InvalidField::Timestamp { field, source },
        Problem::TooDeep => InvalidField::TooDeep { field },
        Problem::NotFinite => InvalidField::NotFinite { field },
        Problem::Unserializable(problem) => InvalidField::Unserializable { field, problem },
        Problem::NotAnObject(found) => InvalidField::NotAnObject { field, found },
        Problem::NotANumber(found) => InvalidField::NotANumber { field, found },
        Problem::NotAList(found) => InvalidField::NotAList { field, found },
    }
}
