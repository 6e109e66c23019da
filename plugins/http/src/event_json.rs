//! An event as JSON, to be read by a vendor's mapping.

use std::borrow::Cow;

use serde::de::Error;
use serde_json::value::RawValue;
use tracklane::event::{Message, Timestamp};

use crate::json::read::{self, Sections};
use crate::{Json, JsonObject};

/// From here on, a number is a time in milliseconds, not seconds: the year 5138 as seconds, 1973 as milliseconds.
const MILLIS_FROM: f64 = 1e11;

/// An event in Segment's form. It is read once, in one pass.
///
/// Numbers, and arrays and objects inside of properties and traits, stay text ([`Json::Raw`]), which most vendors get as it
/// is.
///
/// ```
/// use tracklane_http::EventJson;
///
/// let event = EventJson::parse(br#"{"type":"track","event":"A","userId":"u","context":{"os":{"name":"iOS"}}}"#)?;
/// assert_eq!((event.kind(), event.user_id()), ("track", Some("u")));
/// assert_eq!(event.context_text(&["os", "name"]), Some("iOS"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EventJson<'a> {
    members: JsonObject<'a>,
    sections: Sections<'a>,
}

/// What a vendor takes of the context: the name of an object in it, or an empty name for the context itself, and of its
/// members those that the vendor has, each with the vendor's name.
pub type ContextTable = &'static [(&'static str, &'static [(&'static str, &'static str)])];

/// The members of `context.campaign` in Segment's Spec, each with the parameter of a URL that it comes from. Most vendors have
/// these names for them.
pub const CAMPAIGN: &[(&str, &str)] = &[
    ("source", "utm_source"),
    ("medium", "utm_medium"),
    ("name", "utm_campaign"),
    ("content", "utm_content"),
    ("term", "utm_term"),
];

impl<'a> EventJson<'a> {
    /// Reads the JSON of an event that serde has written.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no JSON object.
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        let text: &RawValue = serde_json::from_slice(json)?;
        Self::of_json(text.get())
    }

    /// Reads a message. Its JSON is known to be right, so it is not checked.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no JSON object.
    pub fn of_message(message: &'a Message) -> Result<Self, serde_json::Error> {
        let mut event = Self::default();
        event.read_message(message)?;
        Ok(event)
    }

    fn of_json(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut event = Self::default();
        event.read(text)?;
        Ok(event)
    }

    /// Reads another message, into the memory that is there.
    pub(crate) fn read_message(&mut self, message: &'a Message) -> Result<(), serde_json::Error> {
        self.read(std::str::from_utf8(message.json()).map_err(serde_json::Error::custom)?)
    }

    fn read(&mut self, text: &'a str) -> Result<(), serde_json::Error> {
        self.members.clear();
        self.sections.clear();
        let read = read::event(text, &mut self.members, &mut self.sections);
        read.ok_or_else(|| serde_json::Error::custom("a JSON object was expected"))
    }

    /// The kind of call: `track`, `identify`, `page`, `screen`, `group` or `alias`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    /// A member that is a text and not empty.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        text(self.members.get(member)?)
    }

    /// `userId`, if it is not empty.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.text("userId")
    }

    /// `anonymousId`, if it is not empty.
    #[must_use]
    pub fn anonymous_id(&self) -> Option<&str> {
        self.text("anonymousId")
    }

    /// `messageId`; empty if there is none yet.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.text("messageId").unwrap_or_default()
    }

    /// The UUID that follows from `messageId` ([`message_uuid`](tracklane::event::message_uuid)), if there is one.
    #[must_use]
    pub fn uuid(&self) -> Option<Cow<'_, str>> {
        let id = self.text("messageId")?;
        Some(if is_written_uuid(id) { id.into() } else { tracklane::event::message_uuid(id).into() })
    }

    /// `timestamp`, if there is one.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.text("timestamp")?.parse().ok()
    }

    /// `properties`; empty if there are none.
    #[must_use]
    pub fn properties(&self) -> &JsonObject<'a> {
        &self.sections.properties
    }

    /// `traits`; empty if there are none.
    #[must_use]
    pub fn traits(&self) -> &JsonObject<'a> {
        &self.sections.traits
    }

    /// `context`; empty if there is none.
    #[must_use]
    pub fn context(&self) -> &JsonObject<'a> {
        &self.sections.context
    }

    /// Returns the value in `context` at a path of keys, unless it is null.
    #[must_use]
    pub fn context_at(&self, path: &[&str]) -> Option<&Json<'a>> {
        at(self.context(), path)
    }

    /// Calls `add` with each value that `context` has of the table, unless it is null, and with the name beside it.
    ///
    /// ```
    /// use tracklane_http::{ContextTable, EventJson};
    ///
    /// const TABLE: ContextTable = &[("", &[("locale", "language")]), ("os", &[("name", "os_name"), ("version", "os_version")])];
    /// let event = EventJson::parse(br#"{"context":{"locale":"de","os":{"name":"iOS"}}}"#)?;
    /// let mut found = Vec::new();
    /// event.for_each_in_context(TABLE, |name, value| found.push((name, value.clone())));
    /// assert_eq!(found, [("language", "de".into()), ("os_name", "iOS".into())]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn for_each_in_context(&self, table: ContextTable, mut add: impl FnMut(&'static str, &Json<'a>)) {
        for (object, members) in table {
            let object = match *object {
                "" => Some(self.context()),
                name => self.context().get(name).and_then(Json::as_object),
            };
            let Some(object) = object else { continue };
            for (member, name) in *members {
                if let Some(value) = object.get(member).filter(|value| !value.is_null()) {
                    add(name, value);
                }
            }
        }
    }

    /// The text in `context` at a path of keys, if it is one and not empty.
    #[must_use]
    pub fn context_text(&self, path: &[&str]) -> Option<&str> {
        text(self.context_at(path)?)
    }

    /// The options that `integrations` has for the first of these names that it has an object for. `true` is no options.
    #[must_use]
    pub fn options(&self, names: &[&str]) -> Option<&JsonObject<'a>> {
        names.iter().find_map(|name| self.sections.integrations.get(name)?.as_object())
    }

    /// Returns the name of a page or screen view: the member `name`, otherwise the property of that name.
    #[must_use]
    pub fn view_name(&self) -> Option<&str> {
        self.text("name").or_else(|| text(self.properties().get("name")?))
    }

    /// Returns a name for a page or screen view, if a vendor has none of its own: `Viewed Docs Page`, or without a name
    /// `Viewed Page`.
    #[must_use]
    pub fn viewed(&self) -> Cow<'static, str> {
        match (self.kind(), self.view_name()) {
            ("screen", None) => "Viewed Screen".into(),
            ("screen", Some(name)) => format!("Viewed {name} Screen").into(),
            (_, None) => "Viewed Page".into(),
            (_, Some(name)) => format!("Viewed {name} Page").into(),
        }
    }

    /// Returns the text of a section, which is an object; `{}` if there is none.
    #[must_use]
    pub fn section_text(&self, member: &str) -> &'a str {
        match self.members.get(member) {
            Some(Json::Raw(text)) if text.starts_with('{') => text,
            _ => "{}",
        }
    }
}

/// Returns whether a text is a UUID in the form in which [`message_uuid`](tracklane::event::message_uuid) writes it.
fn is_written_uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    // The UUID of zeros is none.
    text.len() == 36 && text.bytes().enumerate().all(fits) && text.bytes().any(|byte| byte != b'0' && byte != b'-')
}

/// An object with these members.
#[must_use]
pub fn object<'a, const N: usize>(members: [(&'a str, Json<'a>); N]) -> JsonObject<'a> {
    members.into_iter().collect()
}

/// Returns the value at a path of keys, unless it is null.
#[must_use]
pub fn at<'v, 'a>(object: &'v JsonObject<'a>, path: &[&str]) -> Option<&'v Json<'a>> {
    let (first, rest) = path.split_first()?;
    let value = object.get(first)?;
    match rest {
        [] => Some(value).filter(|value| !value.is_null()),
        _ => at(value.as_object()?, rest),
    }
}

/// The text of a value that is one and is not empty.
#[must_use]
pub fn text<'v>(value: &'v Json<'_>) -> Option<&'v str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// A number, also of a text that is one, such as `"39.95"`.
#[must_use]
pub fn number(value: &Json<'_>) -> Option<f64> {
    if let Json::Number(number) = value {
        return number.as_f64();
    }
    let digits = value.to_digits();
    digits.as_deref().or_else(|| value.as_str().map(str::trim))?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A point in time, in milliseconds since the epoch: of RFC 3339, of a date alone (midnight in UTC), or of seconds or
/// milliseconds since the epoch as a number or text.
///
/// ```
/// use tracklane_http::{Json, millis};
///
/// let values: [Json<'_>; 4] =
///     ["2024-02-29T00:00:00Z".into(), "2024-02-29".into(), 1_709_164_800_i64.into(), "1709164800000".into()];
/// for value in values {
///     assert_eq!(millis(&value), Some(1_709_164_800_000), "{value:?}");
/// }
/// assert_eq!(millis(&"last spring".into()), None);
/// ```
#[must_use]
pub fn millis(value: &Json<'_>) -> Option<i64> {
    if let Some(number) = number(value) {
        let millis = if number.abs() < MILLIS_FROM { number * 1000.0 } else { number };
        return (millis.abs() < 8.64e15).then_some(millis as i64);
    }
    let text = text(value)?;
    let parse = |text: &str| text.parse::<Timestamp>().ok().map(|at| at.as_unix_millis());
    parse(text).or_else(|| parse(&format!("{text}T00:00:00Z")))
}
