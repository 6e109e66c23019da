//! Adds what the event on a line lacks: its type, its name, and an id that the line has at each reading.
//!
//! Works on the text, so that the library's reader is the first to parse it. Members are added at the end: of a member that
//! is there twice the last one counts, so that they also replace one that is null.
//! What is no JSON is none afterwards either.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use tracklane::Event;
use tracklane::segment::rules::Fields;

use super::{Identity, Mapping, Row};

/// What events without a type, a name or an id get.
pub(crate) struct Completion {
    identity: Identity,
    constants: Map<String, Value>,
    id: Finder<'static>,
}

impl Completion {
    pub(crate) fn new(identity: Identity, mapping: &Mapping) -> Self {
        Self { identity, constants: mapping.constants().clone(), id: Finder::new("\"messageId\"") }
    }

    /// The event on a line.
    pub(crate) fn event(&self, row: &Row) -> Result<Event, String> {
        match &row.problem {
            Some(problem) => Err(problem.clone()),
            None => self.event_of(&row.text, row.line),
        }
    }

    /// The event of the text on a line.
    pub(crate) fn event_of(&self, text: &[u8], line: u64) -> Result<Event, String> {
        let text = unwrapped(text);
        // That it is no JSON is said with the place in the line.
        let problem = |error: tracklane::event::InvalidEvent| match super::json(text) {
            Ok(_) => error.to_string(),
            Err(problem) => problem,
        };
        Event::from_json(&self.complete(text, line)).map_err(problem)
    }

    fn complete<'t>(&self, text: &'t [u8], line: u64) -> Cow<'t, [u8]> {
        let object = text.trim_ascii().strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        let Some(members) = object.map(<[u8]>::trim_ascii) else { return Cow::Borrowed(text) };
        let may_have_id = self.id.find(members).is_some() || memchr::memchr(b'\\', members).is_some();
        let known = may_have_id || !self.constants.is_empty();
        let fields = if known { Fields::parse(text) } else { Some(Fields::default()) };
        let Some(fields) = fields else { return Cow::Borrowed(text) };
        let lacks = |name: &str| match name {
            "type" => fields.kind.is_null(),
            _ => fields.event.is_null(),
        };
        let lacking: Vec<_> = self.constants.iter().filter(|(name, _)| lacks(name)).collect();
        let lacks_id = fields.message_id.is_blank();
        if lacking.is_empty() && !lacks_id {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(members.len() + 120);
        out.push(b'{');
        out.extend_from_slice(members);
        let mut add = |name: &str, value: &str| {
            if out.len() > 1 {
                out.push(b',');
            }
            [b"\"", name.as_bytes(), b"\":", value.as_bytes()].iter().for_each(|part| out.extend_from_slice(part));
        };
        lacking.iter().for_each(|(name, value)| add(name, &value.to_string()));
        if lacks_id {
            add("messageId", &format!("\"{}\"", self.identity.id(line)));
        }
        out.push(b'}');
        Cow::Owned(out)
    }
}

/// The row of a rejected event.
#[derive(Deserialize)]
struct Reject<'a> {
    #[serde(rename = "line")]
    _line: Number,
    #[serde(rename = "rule", borrow)]
    _rule: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: Option<IgnoredAny>,
    #[serde(borrow)]
    event: &'a RawValue,
}

/// The event in the row of a rejected one; any other text as it is.
pub(super) fn unwrapped(text: &[u8]) -> &[u8] {
    static RULE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"rule\""));
    if RULE.find(text).is_none() {
        return text;
    }
    match serde_json::from_slice::<Reject<'_>>(text) {
        Ok(reject) if reject.kind.is_none() && reject.event.get().starts_with('{') => reject.event.get().as_bytes(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(kind: Option<&str>, event: Option<&str>) -> Completion {
        Completion::new(Identity::unknown(), &Mapping::parse(&[], kind, event).unwrap())
    }

    #[test]
    fn a_line_has_the_same_id_at_each_reading_and_no_other_line_has_it() {
        let complete = completion(None, None);
        let id = |line: u64, text: &str| {
            complete.event_of(text.as_bytes(), line).map(|event| event.message_id().into_owned())
        };
        let nothing = r#"{"type":"track","event":"E"}"#;
        let first = id(1, nothing).unwrap();
        assert_eq!((first.len(), id(1, nothing)), (36, Ok(first.clone())));
        assert_ne!(id(2, nothing).unwrap(), first);
        for own in [r#"{"messageId":"own","type":"track"}"#, r#" {"type":"track" , "message\u0049d" : "own" } "#] {
            assert_eq!(id(1, own).as_deref(), Ok("own"), "{own}");
        }
        for blank in [
            r#"{"type":"track","messageId":null}"#,
            r#"{"messageId":"","type":"track"}"#,
            r#"{"type":"track","properties":{"messageId":"another's"}}"#,
            "\t{ \"type\" : \"track\" }\r",
        ] {
            assert_eq!(id(1, blank).as_deref(), Ok(&*first), "{blank}");
        }
        // Left unchanged: the library reports the error.
        assert!(id(1, r#"{"type":"track","messageId":7}"#).is_err_and(|problem| problem.contains("messageId")));
    }

    #[test]
    fn a_type_and_a_name_are_for_events_that_say_none() {
        let complete = completion(Some("track"), Some("Signed Up"));
        let event = |text: &str| {
            complete
                .event_of(text.as_bytes(), 1)
                .map(|event| (event.kind(), event.name().map(|name| name.into_owned())))
        };
        let both = Ok((tracklane::Kind::Track, Some("Signed Up".to_owned())));
        for none in ["{}", "{ }", r#"{"userId":"u"}"#, r#"{"type":null,"event":null}"#] {
            assert_eq!(event(none), both, "{none}");
        }
        assert_eq!(event(r#"{"line":3,"rule":"x","message":"m","event":{"userId":"u"}}"#), both);
        assert_eq!(event(r#"{"event":"Own"}"#), Ok((tracklane::Kind::Track, Some("Own".to_owned()))));
        assert_eq!(event(r#"{"type":"page","name":"Home"}"#), Ok((tracklane::Kind::Page, Some("Home".to_owned()))));
        let incomplete = completion(None, None).event_of(b"{}", 1);
        assert!(incomplete.is_err_and(|problem| problem.starts_with("type is null")));
    }

    #[test]
    fn what_is_no_event_is_none_with_more_members_either() {
        let complete = completion(Some("track"), Some("E"));
        for wrong in [
            "",
            "{",
            "}",
            "nonsense",
            "{]}",
            "{,}",
            "{\"a\":1,}",
            "{\"a\":{}",
            "{\"a\":\"}",
            "{\"a\"}",
            "{}{}",
            "{\"a\":1}}",
        ] {
            let problem = complete.event_of(wrong.as_bytes(), 1).map(|event| event.message_id().into_owned());
            assert!(problem.as_ref().is_err_and(|problem| problem.starts_with("no JSON: ")), "{wrong}: {problem:?}");
        }
        for other in ["[1]", "7", "\"text\""] {
            assert!(complete.event_of(other.as_bytes(), 1).is_err(), "{other}");
        }
        let not_text = complete.event_of(b"{\"event\":\"\xff\"}", 1).map(|event| event.message_id().into_owned());
        assert!(not_text.as_ref().is_err_and(|problem| problem.starts_with("no JSON: ")), "{not_text:?}");
    }

    #[test]
    fn numbers_stay_as_they_stand_in_the_file() {
        let text = r#"{"type":"track","event":"E","properties":{"small":0.1,"large":18446744073709551615}}"#;
        let event = completion(None, None).event_of(text.as_bytes(), 1).unwrap();
        let json = serde_json::to_string(&event).unwrap();
        assert!(json.contains(r#""small":0.1,"large":18446744073709551615"#), "{json}");
    }
}
