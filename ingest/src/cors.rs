//! Browsers: the preflight, and the headers of an answer that scripts may read.
//!
//! Events are taken from pages of any origin. Answers carry no data, so there is nothing for a foreign page to read.

use axum::body::Body;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

const METHODS: HeaderValue = HeaderValue::from_static("POST, GET, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, content-encoding, x-retry-count");
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after");
const AN_HOUR: HeaderValue = HeaderValue::from_static("3600");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ASKS_FOR_LOCAL_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_LOCAL_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The answer to `OPTIONS`.
pub(crate) fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned().unwrap_or(HEADERS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, AN_HOUR);
    if asked.contains_key(ASKS_FOR_LOCAL_NETWORK) {
        headers.insert(ALLOWS_LOCAL_NETWORK, TRUE);
    }
    allow(asked, headers);
    response
}

/// Lets the page that asked read the answer. A beacon comes with credentials, for which `*` is not enough.
pub(crate) fn allow(asked: &HeaderMap, answer: &mut HeaderMap) {
    allow_origin(asked.get(header::ORIGIN).cloned(), answer);
}

/// The same, where the page is known.
pub(crate) fn allow_origin(origin: Option<HeaderValue>, answer: &mut HeaderMap) {
    if let Some(origin) = origin {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    answer.append(header::VARY, HeaderValue::from_static("origin"));
}
