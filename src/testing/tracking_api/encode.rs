//! Encodes a reply as the bytes of an HTTP/1.1 response.
//!
//! Headers that the caller set are written unchanged. Missing headers of an ordinary response are added.

use http::StatusCode;

use super::Reply;

/// The number of bytes that a truncated reply announces and does not send.
const MISSING: usize = 64;

pub(super) struct Response {
    pub(super) bytes: Vec<u8>,
    pub(super) keep_alive: bool,
}

pub(super) fn response(reply: &Reply, status: u16, keep_alive: bool, without_body: bool) -> Response {
    let sets = |name: &str| reply.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
    let closes = reply
        .headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close"));
    let keep_alive = keep_alive && !closes && !reply.truncated;
    let body = reply.body.as_deref().unwrap_or_default();
    // These never have a body, so a length would be an error.
    let bodiless = matches!(status, 100..=199 | 204 | 304);

    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or_default());
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() && !bodiless && !sets("content-type") {
        head += "content-type: application/json\r\n";
    }
    if !bodiless && !sets("content-length") && !sets("transfer-encoding") {
        let announced = body.len() + if reply.truncated { MISSING } else { 0 };
        head += &format!("content-length: {announced}\r\n");
    }
    if !keep_alive && !reply.truncated && !sets("connection") {
        head += "connection: close\r\n";
    }
    head += "\r\n";

    let mut bytes = head.into_bytes();
    if !bodiless && !without_body {
        bytes.extend_from_slice(body);
    }
    Response { bytes, keep_alive }
}
