//! What the path of an event's file depends on, read from the beginning of its JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer as _};

/// Type, time and name of an event. What it does not have is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) kind: Cow<'a, str>,
    pub(crate) timestamp: Cow<'a, str>,
    pub(crate) event: Cow<'a, str>,
}

impl<'a> Head<'a> {
    /// Reads no further than to what is asked for: type and time stand at the beginning, and the name is asked for by
    /// `needs_event`.
    pub(crate) fn read(json: &'a [u8], needs_event: bool) -> Self {
        let mut head = Self::default();
        // To stop is an error to serde, and of JSON that cannot be read the beginning counts.
        let _ = serde_json::Deserializer::from_slice(json).deserialize_map(Members { head: &mut head, needs_event });
        head
    }

    fn is_whole(&self, needs_event: bool) -> bool {
        !self.kind.is_empty() && !self.timestamp.is_empty() && (!needs_event || !self.event.is_empty())
    }
}

/// A key that is borrowed if it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text that is borrowed if it has no escapes. What is no text is empty.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text<'a> {
    #[serde(borrow)]
    Is(Cow<'a, str>),
    IsNot(IgnoredAny),
}

struct Members<'h, 'a> {
    head: &'h mut Head<'a>,
    needs_event: bool,
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Key(member)) = members.next_key()? {
            let text = match &*member {
                "type" => &mut self.head.kind,
                "timestamp" => &mut self.head.timestamp,
                "event" => &mut self.head.event,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *text = match members.next_value()? {
                Text::Is(text) => text,
                Text::IsNot(_) => Cow::Borrowed(""),
            };
            if self.head.is_whole(self.needs_event) {
                return Err(A::Error::custom("all that is asked for was read"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_wherever_it_stands_and_no_further() {
        let rows: &[(&str, [&str; 3])] = &[
            (r#"{"type":"track","timestamp":"T","event":"A","properties":{}}"#, ["track", "T", "A"]),
            (r#"{"event":"A \"b\"","messageId":"m","timestamp":"T","type":"track"}"#, ["track", "T", "A \"b\""]),
            (r#"{"type":"page","timestamp":"T","name":"Home"}"#, ["page", "T", ""]),
            (r#"{"type":7,"timestamp":null,"event":"A"}"#, ["", "", "A"]),
            (r#"{"properties":{"type":"no","event":"no"},"type":"track"}"#, ["track", "", ""]),
            ("[]", ["", "", ""]),
        ];
        for (json, [kind, timestamp, event]) in rows {
            let head = Head::read(json.as_bytes(), true);
            assert_eq!((&*head.kind, &*head.timestamp, &*head.event), (*kind, *timestamp, *event), "{json}");
        }
        let head = Head::read(br#"{"type":"track","timestamp":"T", and no JSON behind"#, false);
        assert_eq!((&*head.kind, &*head.timestamp), ("track", "T"));
    }
}
