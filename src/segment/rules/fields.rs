//! Finds the members of an event or of a body in one pass, without a tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Characters of a string that a message shows.
const SHOWN_CHARS: usize = 40;

/// One member as it was sent; or a missing one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Member<'a>(Option<&'a str>);

impl<'a> Member<'a> {
    /// The member that this JSON text is, as [`raw`](Self::raw) returned it; `None` if it is missing.
    #[must_use]
    pub fn new(raw: Option<&'a str>) -> Self {
        Self(raw)
    }

    /// Returns the JSON text; `None` if the member is missing.
    #[must_use]
    pub fn raw(self) -> Option<&'a str> {
        self.0
    }

    /// Returns whether it is missing or null, which mean the same.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(self.raw(), None | Some("null"))
    }

    /// Returns whether it is missing, null, or an empty string.
    #[must_use]
    pub fn is_blank(self) -> bool {
        self.is_null() || self.raw() == Some("\"\"")
    }

    /// Returns whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.starts_with(b"{")
    }

    /// Returns the string, if it is one.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        let raw = self.raw().filter(|_| self.starts_with(b"\""))?;
        if raw.contains('\\') {
            return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
        }
        raw.get(1..raw.len() - 1).map(Cow::Borrowed)
    }

    /// Returns the string or the number as text. An id may be either.
    #[must_use]
    pub fn id(self) -> Option<Cow<'a, str>> {
        match self.raw() {
            Some(raw) if self.starts_with(b"-0123456789") => Some(Cow::Borrowed(raw)),
            _ => self.text(),
        }
    }

    /// Returns the elements, if it is an array.
    #[must_use]
    pub fn array(self) -> Option<Vec<&'a RawValue>> {
        self.raw().filter(|_| self.starts_with(b"[")).and_then(|raw| serde_json::from_str(raw).ok())
    }

    fn starts_with(self, any_of: &[u8]) -> bool {
        self.raw().and_then(|raw| raw.as_bytes().first()).is_some_and(|first| any_of.contains(first))
    }

    /// Returns what a message shows of it. That is never all of it, which may be large or personal data.
    pub(super) fn shown(self) -> String {
        if let Some(text) = self.text() {
            return format!("{:?}", text.chars().take(SHOWN_CHARS).collect::<String>());
        }
        let kind = match self.raw().and_then(|raw| raw.as_bytes().first()) {
            None => "missing",
            Some(b'n') => "null",
            Some(b't' | b'f') => "a boolean",
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            Some(_) => "a number",
        };
        kind.to_owned()
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident, $key:ident;)+) => {
        /// The members of an event, or of the body around events. If a member is there twice, the last one counts.
        #[derive(Clone, Copy, Debug, Default)]
        #[non_exhaustive]
        pub struct Fields<'a> {
            $($(#[$doc])* pub $field: Member<'a>,)+
        }

        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Known {
            $($key,)+
            #[serde(other)]
            Other,
        }

        impl<'de: 'a, 'a> Visitor<'de> for FieldsVisitor<'a> {
            type Value = Fields<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fields<'a>, A::Error> {
                let mut fields = Fields::default();
                while let Some(key) = members.next_key()? {
                    match key {
                        $(Known::$key => fields.$field = Member(Some(members.next_value::<&RawValue>()?.get())),)+
                        Known::Other => drop(members.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(fields)
            }
        }
    };
}

struct FieldsVisitor<'a>(std::marker::PhantomData<&'a ()>);

fields! {
    /// `type`.
    kind, Type;
    /// `event`, the name of a track call.
    event, Event;
    /// `name`, that of a page or screen.
    name, Name;
    /// `userId`.
    user_id, UserId;
    /// `anonymousId`.
    anonymous_id, AnonymousId;
    /// `groupId`.
    group_id, GroupId;
    /// `previousId`.
    previous_id, PreviousId;
    /// `messageId`.
    message_id, MessageId;
    /// `timestamp`.
    timestamp, Timestamp;
    /// `originalTimestamp`.
    original_timestamp, OriginalTimestamp;
    /// `properties`.
    properties, Properties;
    /// `traits`.
    traits, Traits;
    /// `context`.
    context, Context;
    /// `integrations`.
    integrations, Integrations;
    /// `writeKey`.
    write_key, WriteKey;
    /// `sentAt`.
    sent_at, SentAt;
    /// `batch`, the events of a body.
    batch, Batch;
}

impl<'a> Fields<'a> {
    /// Finds the members. Returns `None` if the text is not one JSON object.
    #[must_use]
    pub fn parse(json: &'a [u8]) -> Option<Self> {
        match std::str::from_utf8(json) {
            // To look at all bytes once is faster than at each string and each member again.
            Ok(text) => serde_json::from_str(text).ok(),
            Err(_) => serde_json::from_slice(json).ok(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor(std::marker::PhantomData))
    }
}
