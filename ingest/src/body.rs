//! The members of a body around its events, and the events of its batch, found in one pass.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tracklane::segment::rules::{Fields, Member};

use crate::elements::{AtMost, TooMany, elements};

/// The members of a body that are not an event's. If a member is there twice, the last one counts.
#[derive(Debug, Default)]
pub(crate) struct Body<'a> {
    pub(crate) context: Member<'a>,
    pub(crate) integrations: Member<'a>,
    pub(crate) sent_at: Member<'a>,
    pub(crate) write_key: Member<'a>,
    /// The events, if `batch` is an array and was asked for.
    pub(crate) batch: Option<Vec<&'a RawValue>>,
}

impl<'a> Body<'a> {
    /// Finds the members. Looks for a batch of at most so many events, or for none. Returns `None` if the text is not one
    /// JSON object.
    pub(crate) fn parse(json: &'a [u8], batch: Option<usize>) -> Result<Option<Self>, TooMany> {
        // What this refuses is looked at once more, without the batch.
        if let Ok(text) = std::str::from_utf8(json)
            && let Ok(body) = in_one_pass(text, batch)
        {
            return Ok(Some(body));
        }
        let Some(fields) = Fields::parse(json) else { return Ok(None) };
        let Fields { context, integrations, sent_at, write_key, .. } = fields;
        let most = batch.unwrap_or_default();
        let array = fields.batch.raw().filter(|raw| batch.is_some() && raw.starts_with('['));
        let batch = array.map(|array| elements(array, most)).transpose()?;
        Ok(Some(Self { context, integrations, sent_at, write_key, batch }))
    }
}

fn in_one_pass(text: &str, batch: Option<usize>) -> serde_json::Result<Body<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let body = deserializer.deserialize_map(BodyVisitor { batch })?;
    deserializer.end().map(|()| body)
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Known {
    Context,
    Integrations,
    SentAt,
    WriteKey,
    Batch,
    #[serde(other)]
    Other,
}

struct BodyVisitor {
    batch: Option<usize>,
}

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Body<'de>, A::Error> {
        let mut body = Body::default();
        while let Some(key) = members.next_key()? {
            let member = match (key, self.batch) {
                (Known::Context, _) => &mut body.context,
                (Known::Integrations, _) => &mut body.integrations,
                (Known::SentAt, _) => &mut body.sent_at,
                (Known::WriteKey, _) => &mut body.write_key,
                (Known::Batch, Some(most)) => {
                    body.batch = Some(members.next_value_seed(Events(most))?);
                    continue;
                }
                (Known::Batch, None) | (Known::Other, _) => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *member = Member::new(Some(members.next_value::<&RawValue>()?.get()));
        }
        Ok(body)
    }
}

/// The elements of an array, at most so many.
struct Events(usize);

impl<'de> DeserializeSeed<'de> for Events {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(AtMost(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, how many events a batch may have; what is found: context, key, events.
    type Row<'a> = (&'a str, Option<usize>, Option<(Option<&'a str>, Option<&'a str>, Option<&'a [&'a str]>)>);

    #[test]
    fn the_members_around_the_events_are_found_and_the_last_of_two_counts() {
        let table: &[Row<'_>] = &[
            (
                r#"{"batch":[1, {"a":2}],"writeKey":"K"}"#,
                Some(2),
                Some((None, Some("\"K\""), Some(&["1", r#"{"a":2}"#]))),
            ),
            (r#"{"batch":[1],"context":{"a":1}}"#, None, Some((Some(r#"{"a":1}"#), None, None))),
            (r#"{"batch":[1],"batch":[2]}"#, Some(2), Some((None, None, Some(&["2"])))),
            (r#"{"batch":[1],"batch":"x","writeKey":"K"}"#, Some(2), Some((None, Some("\"K\""), None))),
            (r#"{"batch":"x","batch":[1]}"#, Some(2), Some((None, None, Some(&["1"])))),
            (r#"{"batch":1e999}"#, Some(2), Some((None, None, None))),
            (r#" {"\u0062atch":[ ] , "event":"E"} "#, Some(2), Some((None, None, Some(&[])))),
            ("[1]", Some(2), None),
            ("{} {}", Some(2), None),
            (r#"{"batch":[1,]}"#, Some(2), None),
            (r#"{"batch":[1,2,3,}"#, Some(2), None),
        ];
        for (json, batch, expected) in table {
            let found = Body::parse(json.as_bytes(), *batch).unwrap();
            let found = found.map(|body| {
                let events = body.batch.map(|events| events.iter().map(|event| event.get()).collect::<Vec<_>>());
                (body.context.raw(), body.write_key.raw(), events)
            });
            let expected = expected.map(|(context, key, events)| (context, key, events.map(<[&str]>::to_vec)));
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn a_batch_of_too_many_events_is_refused_unless_none_is_asked_for() {
        let json = br#"{"batch":[1,2,3]}"#;
        assert!(matches!(Body::parse(json, Some(2)), Err(TooMany)));
        assert!(Body::parse(json, None).is_ok_and(|body| body.is_some_and(|body| body.batch.is_none())));
    }
}
