//! Reads single headers.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Returns a header's value, unless it is empty or a layer has marked it as sensitive.
pub(crate) fn header(headers: &HeaderMap, name: HeaderName) -> Option<HeaderValue> {
    headers.get(name).filter(|value| !value.is_sensitive() && !value.is_empty()).cloned()
}
