//! A request that is shown and not sent.

use std::fmt;

use http::{HeaderMap, Method};

/// What would be sent, and why it would not be. `Display` shows it as HTTP has it, without what is secret: the values of
/// headers that were set, and path and query of the URL. The body is shown, before compression.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The method.
    pub method: Method,
    /// Scheme, host and port of the URL.
    pub endpoint: String,
    /// Names and values; `…` for one that is secret.
    pub headers: Vec<(String, String)>,
    /// The body, before compression.
    pub body: String,
    /// Why the event would not be sent, or not be taken; `None` if it would.
    pub why_not: Option<String>,
}

impl Explanation {
    pub(crate) fn new<B>(request: &http::Request<B>, endpoint: String, body: &[u8]) -> Self {
        Self {
            method: request.method().clone(),
            endpoint,
            headers: shown(request.headers()),
            body: String::from_utf8_lossy(body).into_owned(),
            why_not: None,
        }
    }
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let show = |value: &http::HeaderValue| match value.is_sensitive() {
        true => "…".to_owned(),
        false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    headers.iter().map(|(name, value)| (name.to_string(), show(value))).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.why_not {
            writeln!(f, "not sent: {reason}")?;
        }
        writeln!(f, "{} {}", self.method, self.endpoint)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", self.body)
    }
}
