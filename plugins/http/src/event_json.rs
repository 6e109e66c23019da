//! An event as JSON, to be read by a vendor's mapping.

use std::borrow::Cow;

use tracklane::event::Timestamp;

use crate::{Json, JsonObject};

static NOTHING: JsonObject<'static> = JsonObject::new();

/// From here on, a number is a time in milliseconds, not seconds: the year 5138 as seconds, 1973 as milliseconds.
const MILLIS_FROM: f64 = 1e11;

/// An event in Segment's form, parsed once. Numbers are as `serde_json` has them.
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
pub struct EventJson<'a>(JsonObject<'a>);

impl<'a> EventJson<'a> {
    /// Parses the JSON of a [`Message`](tracklane::event::Message), or of an event that serde has written.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no JSON object.
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::from_slice(json)?))
    }

    /// The kind of call: `track`, `identify`, `page`, `screen`, `group` or `alias`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    /// A member that is a text and not empty.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        text(self.0.get(member)?)
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
    pub fn uuid(&self) -> Option<String> {
        self.text("messageId").map(tracklane::event::message_uuid)
    }

    /// `timestamp`, if there is one.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.text("timestamp")?.parse().ok()
    }

    /// `properties`; empty if there are none.
    #[must_use]
    pub fn properties(&self) -> &JsonObject<'a> {
        self.object("properties")
    }

    /// `traits`; empty if there are none.
    #[must_use]
    pub fn traits(&self) -> &JsonObject<'a> {
        self.object("traits")
    }

    /// `context`; empty if there is none.
    #[must_use]
    pub fn context(&self) -> &JsonObject<'a> {
        self.object("context")
    }

    /// Returns the value in `context` at a path of keys, unless it is null.
    #[must_use]
    pub fn context_at(&self, path: &[&str]) -> Option<&Json<'a>> {
        at(self.context(), path)
    }

    /// The text in `context` at a path of keys, if it is one and not empty.
    #[must_use]
    pub fn context_text(&self, path: &[&str]) -> Option<&str> {
        text(self.context_at(path)?)
    }

    /// The options that `integrations` has for the first of these names that it has an object for. `true` is no options.
    #[must_use]
    pub fn options(&self, names: &[&str]) -> Option<&JsonObject<'a>> {
        let integrations = self.object("integrations");
        names.iter().find_map(|name| integrations.get(name)?.as_object())
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

    fn object(&self, member: &str) -> &JsonObject<'a> {
        self.0.get(member).and_then(Json::as_object).unwrap_or(&NOTHING)
    }
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
    match value {
        Json::Number(number) => number.as_f64(),
        Json::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
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
