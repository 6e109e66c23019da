//! Finds the events in a request body without parsing them.
//!
//! The slices are the text as it was sent, so their lengths are the sizes that limits apply to.

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    batch: Option<Vec<&'a RawValue>>,
}

/// The members of `batch` if that is an array, else the whole object as one event; `None` if the
/// body is not a JSON object.
pub(super) fn raw_events(body: &[u8]) -> Option<Vec<&RawValue>> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    match serde_json::from_slice(body) {
        Ok(Envelope { batch: Some(batch) }) => Some(batch),
        _ => Some(vec![serde_json::from_slice(body).ok()?]),
    }
}

#[cfg(test)]
mod tests {
    use super::raw_events;

    fn texts(body: &str) -> Option<Vec<String>> {
        let events = raw_events(body.as_bytes())?;
        Some(events.iter().map(|event| event.get().to_owned()).collect())
    }

    #[test]
    fn a_batch_is_its_members_as_they_were_sent() {
        let body = r#"{"sentAt":"now","batch":[{"a": 1},{"b":[2]}]}"#;
        assert_eq!(texts(body).unwrap(), [r#"{"a": 1}"#, r#"{"b":[2]}"#]);
    }

    #[test]
    fn an_object_without_a_batch_array_is_one_event() {
        for body in [r#"{"event":"x"}"#, r#"{"batch":"x"}"#, "{}"] {
            assert_eq!(texts(body).unwrap(), [body]);
        }
    }

    #[test]
    fn anything_but_one_json_object_holds_no_events() {
        for body in ["", "[[]]", "7", "null", "{", r#"{"batch":[{]}"#, "{} {}"] {
            assert_eq!(texts(body), None, "{body}");
        }
    }
}
