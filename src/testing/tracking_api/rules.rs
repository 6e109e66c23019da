//! The rules by which Segment's tracking API accepts and refuses requests.
//!
//! The limits and the paths are those of [`segment::rules`](crate::segment::rules). The checks go as far as Segment's
//! answers do: paths, sizes and well-formed JSON. They do not check the events, because Segment does that after it has
//! answered. Sizes are those of the decompressed body.

use http::Method;

use super::coding::{self, Undecodable};
use super::http1::Head;
use crate::event::{MAX_BATCH_BYTES, MAX_EVENT_BYTES};
use crate::segment::rules::{Endpoint, raw_events};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownPath,
    NotPost,
    UnknownCoding,
    MalformedCoding,
    BodyTooLarge,
    MalformedJson,
    EventTooLarge,
}

impl Refusal {
    pub(super) fn status(self) -> u16 {
        match self {
            Refusal::UnknownPath => 404,
            Refusal::NotPost => 405,
            Refusal::UnknownCoding => 415,
            Refusal::MalformedCoding | Refusal::BodyTooLarge | Refusal::MalformedJson | Refusal::EventTooLarge => 400,
        }
    }

    pub(super) fn body(self) -> &'static str {
        match self {
            Refusal::UnknownPath => r#"{"success":false,"code":"not_found","message":"there is nothing at this path"}"#,
            Refusal::NotPost => {
                r#"{"success":false,"code":"method_not_allowed","message":"only POST is allowed here"}"#
            }
            Refusal::UnknownCoding => {
                r#"{"success":false,"code":"unsupported_media_type","message":"the only encoding here is gzip"}"#
            }
            Refusal::MalformedCoding => r#"{"success":false,"code":"invalid_request","message":"malformed gzip"}"#,
            Refusal::BodyTooLarge => r#"{"success":false,"code":"too_large","message":"the body exceeds 500 KB"}"#,
            Refusal::MalformedJson => r#"{"success":false,"code":"invalid_request","message":"malformed JSON"}"#,
            Refusal::EventTooLarge => r#"{"success":false,"code":"too_large","message":"an event exceeds 32 KB"}"#,
        }
    }
}

impl From<Undecodable> for Refusal {
    fn from(problem: Undecodable) -> Self {
        match problem {
            Undecodable::UnknownCoding => Refusal::UnknownCoding,
            Undecodable::Malformed => Refusal::MalformedCoding,
            Undecodable::TooLarge => Refusal::BodyTooLarge,
        }
    }
}

pub(super) fn judge(head: &Head, body: &[u8]) -> Result<(), Refusal> {
    if Endpoint::of(head.uri.path()).is_none() {
        return Err(Refusal::UnknownPath);
    }
    if head.method != Method::POST {
        return Err(Refusal::NotPost);
    }
    let body = coding::decoded(head, body)?;
    if body.len() > MAX_BATCH_BYTES {
        return Err(Refusal::BodyTooLarge);
    }
    let events = raw_events(&body).ok_or(Refusal::MalformedJson)?;
    if events.iter().any(|event| event.get().len() > MAX_EVENT_BYTES) {
        return Err(Refusal::EventTooLarge);
    }
    Ok(())
}
