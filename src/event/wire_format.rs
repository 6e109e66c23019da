//! Converts events from and to JSON, in Segment's form.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::fields::Field;
use super::json::{self, Found, Input, Split, Transcode, ValueError, drop_iteratively};
use super::{Context, Event, Integrations, Kind, MessageId, Object, Timestamp};

/// Characters of a string that an error shows.
const SHOWN_CHARS: usize = 40;

/// Members that are no objects in any event, and that are read by their names.
const KNOWN: [&str; 14] = [
    "type",
    "messageId",
    "timestamp",
    "event",
    "userId",
    "anonymousId",
    "name",
    "category",
    "groupId",
    "previousId",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "writeKey",
];

/// Members of an event in a batch or an export that belong to one sending. Segment ignores the `timestamp` of an event
/// that has a `sentAt`, and a write key must not be passed on.
const NOT_THE_EVENTS: [&str; 4] = ["sentAt", "receivedAt", "originalTimestamp", "writeKey"];

/// Members that are objects in every event that has them.
const SECTIONS: [&str; 4] = ["context", "integrations", "properties", "traits"];

/// The error of JSON that is not an event.
///
/// Non-exhaustive, because more may be checked later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEvent {
    /// It is not a JSON object.
    #[error("an event must be a JSON object")]
    NotAnObject,
    /// The `type` is missing, or is not one of the six.
    #[error("type is {found}, and must be one of track, identify, page, screen, group, alias")]
    UnknownType {
        /// The value that was found: a string in quotes, cut to 40 characters, or the name of another JSON type.
        found: String,
    },
    /// A field has the wrong type.
    #[error("{field} must be {expected}")]
    WrongType {
        /// The field's name on the wire.
        field: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
    /// The timestamp is not RFC 3339.
    #[error(transparent)]
    Timestamp(#[from] super::InvalidTimestamp),
    /// The text is not JSON, or has a value that no event can carry.
    #[error("{problem}")]
    Unreadable {
        /// What is wrong, and in which member; never the value.
        problem: String,
    },
}

impl Event {
    /// Reads an event from the text of one JSON object, exactly and without a tree of values.
    ///
    /// ```
    /// use tracklane::Event;
    ///
    /// let event = Event::from_json(br#"{"type":"track","event":"Item Purchased","userId":42,"properties":{"total":1.50}}"#)?;
    /// assert_eq!(event.user_id().as_deref(), Some("42"));
    /// # Ok::<(), tracklane::event::InvalidEvent>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is not such text, or not an event, or has a value that an event cannot carry, which is named.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidEvent> {
        let unreadable = |fault: ValueError| InvalidEvent::Unreadable { problem: fault.to_string() };
        let split = json::split(json, SECTIONS, KNOWN).map_err(unreadable)?;
        of_split(split.ok_or(InvalidEvent::NotAnObject)?)
    }
}

/// The event that a JSON object in Segment's form describes, for gateways and imports.
///
/// Null stands for no value. Ids may be whole numbers of at most 64 bits. Members that the Spec does not know are kept.
///
/// Reading by serde is exact: a number that does not fit 64 bits is an error that names its field. A `Value` has such
/// numbers rounded already, and so has a value that serde buffers (`#[serde(flatten)]`). Then only ids are refused.
///
/// An export of Segment can be sent again: `sentAt`, `receivedAt`, `originalTimestamp` and `writeKey` belong to the
/// earlier sending and are left out. Without a `timestamp` the event happened at `originalTimestamp`.
///
/// ```
/// use tracklane::Event;
///
/// let json = serde_json::json!({"type": "track", "event": "Item Purchased", "userId": 42});
/// let event = Event::try_from(json)?;
/// assert_eq!(event.user_id().as_deref(), Some("42"));
/// # Ok::<(), tracklane::event::InvalidEvent>(())
/// ```
impl TryFrom<Value> for Event {
    type Error = InvalidEvent;

    fn try_from(json: Value) -> Result<Self, InvalidEvent> {
        let Value::Object(mut others) = json else {
            drop_iteratively(json);
            return Err(InvalidEvent::NotAnObject);
        };
        let known = KNOWN.map(|name| others.remove(name).map(Found::from));
        let mut members = Members { known, others };
        let event = of_members(&mut members);
        members.known.into_iter().flatten().for_each(discard);
        drop_iteratively(Value::Object(members.others));
        event
    }
}

/// The members of an event that are values.
struct Members<'t> {
    /// In the order of [`KNOWN`].
    known: [Option<Found<'t>>; KNOWN.len()],
    others: Map<String, Value>,
}

impl<'t> Members<'t> {
    fn remove(&mut self, name: &str) -> Option<Found<'t>> {
        self.known.get_mut(KNOWN.iter().position(|known| *known == name)?)?.take()
    }
}

fn discard(found: Found<'_>) {
    if let Found::Other(value) = found {
        drop_iteratively(value);
    }
}

/// The event of members that are values, but for its sections.
fn of_split(mut split: Split<'_, { SECTIONS.len() }, { KNOWN.len() }>) -> Result<Event, InvalidEvent> {
    let (known, others) =
        (std::mem::replace(&mut split.known, [const { None }; KNOWN.len()]), std::mem::take(&mut split.others));
    let mut event = of_members(&mut Members { known, others })?;
    let own = event.kind().section();
    let content = event.write();
    for (at, name) in SECTIONS.into_iter().enumerate() {
        let Some(members) = split.object(at) else { continue };
        match name {
            "context" => content.context.set_known_members(&members),
            "integrations" => {
                content.integrations_mut().set_known_members(&members);
                content.integrations_mut().normalise();
            }
            section if section == own => content.section_mut().set_known_members(&members),
            // That of another kind is a member like any that the Spec does not know.
            other => {
                let member = [b"\"", other.as_bytes(), b"\":{", members.text, b"}"].concat();
                content.fields.set_text(&member);
            }
        }
    }
    Ok(event)
}

fn of_members(members: &mut Members<'_>) -> Result<Event, InvalidEvent> {
    let mut event = Event::new(kind(members)?);
    if let Some(id) = string(members, "messageId", "a string")?.filter(|id| !id.is_empty()) {
        event.write().message_id = MessageId::Given(id.into_owned());
    }
    for field in ["timestamp", "originalTimestamp"] {
        if event.timestamp().is_none()
            && let Some(timestamp) = string(members, field, "a string in RFC 3339")?
        {
            event.write().timestamp = Some(timestamp.parse::<Timestamp>()?);
        }
    }
    NOT_THE_EVENTS.into_iter().filter_map(|field| members.remove(field)).for_each(discard);
    for field in [Field::UserId, Field::AnonymousId, Field::GroupId, Field::PreviousId] {
        if let Some(id) = id(members, field.as_str())? {
            event.set_field(field, &id);
        }
    }
    for field in [Field::Event, Field::Name, Field::Category] {
        if let Some(text) = string(members, field.as_str(), "a string")? {
            event.set_field(field, &text);
        }
    }
    if let Some(section) = object(members, event.kind().section()) {
        *event.write().section_mut() = section;
    }
    if let Some(context) = object(members, "context") {
        *event.context_mut() = Context::from(context);
    }
    if let Some(integrations) = object(members, "integrations") {
        *event.integrations_mut() = Integrations::from(integrations);
        event.integrations_mut().normalise();
    }
    let content = event.write();
    for (key, value) in std::mem::take(&mut members.others) {
        if !value.is_null() {
            content.fields.keep(&key, &value);
        }
        drop_iteratively(value);
    }
    Ok(event)
}

fn kind(members: &mut Members<'_>) -> Result<Kind, InvalidEvent> {
    let found = members.remove("type").unwrap_or(Found::Other(Value::Null));
    if let Found::Text(name) = &found
        && let Some(kind) = Kind::from_name(name)
    {
        return Ok(kind);
    }
    let error = InvalidEvent::UnknownType { found: shown(&found) };
    discard(found);
    Err(error)
}

/// Returns what an error shows of `found`. That is never all of it, which may be large, deep, or personal data.
fn shown(found: &Found<'_>) -> String {
    let value = match found {
        Found::Text(text) => return format!("{:?}", text.chars().take(SHOWN_CHARS).collect::<String>()),
        Found::Other(value) => value,
    };
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    name.to_owned()
}

fn string<'t>(
    members: &mut Members<'t>,
    field: &'static str,
    expected: &'static str,
) -> Result<Option<Cow<'t, str>>, InvalidEvent> {
    text(members.remove(field), field, expected)
}

fn text<'t>(
    found: Option<Found<'t>>,
    field: &'static str,
    expected: &'static str,
) -> Result<Option<Cow<'t, str>>, InvalidEvent> {
    match found {
        None | Some(Found::Other(Value::Null)) => Ok(None),
        Some(Found::Text(text)) => Ok(Some(text)),
        Some(Found::Other(other)) => {
            drop_iteratively(other);
            Err(InvalidEvent::WrongType { field, expected })
        }
    }
}

fn id<'t>(members: &mut Members<'t>, field: &'static str) -> Result<Option<Cow<'t, str>>, InvalidEvent> {
    let expected = "a string or a number, which must be whole and have at most 64 bits";
    match members.remove(field) {
        // Any other number may have been rounded.
        Some(Found::Other(Value::Number(number))) if number.is_i64() || number.is_u64() => {
            Ok(Some(number.to_string().into()))
        }
        found => text(found, field, expected),
    }
}

/// Any value but an object is refused by the call, like every value that a section cannot hold.
fn object(members: &mut Members<'_>, field: &str) -> Option<Object> {
    match members.others.remove(field) {
        None | Some(Value::Null) => None,
        Some(value) => Some(Object::from(value)),
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = match Input::deserialize(deserializer)? {
            Input::Json(json) => json,
            Input::Value(value) => return Event::try_from(value).map_err(D::Error::custom),
        };
        Event::from_json(json.get().as_bytes()).map_err(D::Error::custom)
    }
}

/// Serializes in Segment's form. Fields that are not set yet (the id, the time) are left out. Fails for an event with a
/// value that JSON cannot carry, or a section that is no object.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.check_sections().map_err(S::Error::custom)?;
        Transcode(&self.content.json()).serialize(serializer)
    }
}
