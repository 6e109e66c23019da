//! Requests that are shown and not sent.

use std::fmt;

use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use tracklane::Event;

use crate::{Client, Mapped, Payload, Secret, SettingError};

/// The requests that would be sent for an event, or the reason why not. `Display` shows requests as HTTP, without
/// secrets.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Explanation {
    /// The requests, in order.
    pub requests: Vec<ShownRequest>,
    /// The reason why the event would not be sent, or not be taken; `None` if it would.
    pub why_not: Option<String>,
    /// What is to know of the requests, such as what was left out or cut. A sentence each.
    pub notes: Vec<String>,
}

/// A request without secrets: without the values of sensitive headers, and without the parts of the URL that may be
/// secret. The body is shown before compression.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShownRequest {
    /// The method.
    pub method: Method,
    /// The part of the URL that is no secret, as [`Endpoint`](crate::Endpoint) shows it.
    pub endpoint: String,
    /// Names and values; `…` for one that is secret.
    pub headers: Vec<(String, String)>,
    /// What a database is asked to do with the body, in its own language. It is shown in front of the body. `None`
    /// unless the destination sets it.
    pub statement: Option<String>,
    /// The body, before compression.
    pub body: String,
}

impl Explanation {
    /// Explains an event of which nothing is sent.
    #[must_use]
    pub fn not_sent(reason: impl Into<String>) -> Self {
        Self { why_not: Some(reason.into()), ..Self::default() }
    }

    /// Explains an event for which these requests are made.
    #[must_use]
    pub fn of(requests: Vec<ShownRequest>) -> Self {
        Self { requests, ..Self::default() }
    }

    /// Explains an event at the destination of these names. `map` makes items of it, and `show` requests of those.
    ///
    /// # Errors
    ///
    /// Returns an error if something cannot be written as JSON, which the error calls the setting `event`.
    pub fn of_event<T>(
        event: &Event,
        names: &[&str],
        map: impl FnOnce(&Event) -> Result<Mapped<T>, serde_json::Error>,
        show: impl FnOnce(Vec<T>) -> Result<Vec<ShownRequest>, serde_json::Error>,
    ) -> Result<Self, SettingError> {
        if let Some(reason) = switched_off(event, names) {
            return Ok(Self::not_sent(reason));
        }
        let explanation = map(event).and_then(|mapped| match mapped {
            Mapped::Items(items) => show(items).map(Self::of),
            Mapped::Skip(reason) | Mapped::Reject(reason) => Ok(Self::not_sent(reason)),
        });
        explanation.map_err(unwritable)
    }
}

/// The error of an event that cannot be explained, since it cannot be written as JSON.
pub fn unwritable(error: impl Into<tracklane::BoxError>) -> SettingError {
    SettingError::new("event", "cannot be written as JSON").caused_by(error)
}

impl ShownRequest {
    /// The request that `client` makes of `payload`, which is not compressed. `secrets` are taken out of the body.
    #[must_use]
    pub fn new<'a>(client: &Client, payload: &Payload, secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let request = client.request(payload.clone(), HeaderMap::new());
        let shown = Self::of(&request, client, payload.bytes());
        Self { body: secrets.into_iter().fold(shown.body, |body, secret| secret.hide_in(&body)), ..shown }
    }

    /// The request that `client` makes, whose body is this before compression. Nothing is taken out of the body.
    #[must_use]
    pub fn of<B>(request: &http::Request<B>, client: &Client, body: &[u8]) -> Self {
        Self {
            method: request.method().clone(),
            endpoint: client.endpoint().to_string(),
            headers: request.headers().iter().map(|(name, value)| (name.to_string(), shown(value))).collect(),
            statement: None,
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}

fn shown(value: &HeaderValue) -> String {
    if value.is_sensitive() { "…".to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.why_not {
            writeln!(f, "not sent: {reason}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        if !self.notes.is_empty() && !self.requests.is_empty() {
            writeln!(f)?;
        }
        for (index, request) in self.requests.iter().enumerate() {
            if index > 0 {
                writeln!(f, "\n")?;
            }
            write!(f, "{request}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ShownRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.endpoint)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f)?;
        if let Some(statement) = &self.statement {
            writeln!(f, "{statement}")?;
        }
        f.write_str(&self.body)
    }
}

/// Returns why the event's `integrations` keep it from the destination of these names, if they do. The first name with
/// an entry decides, otherwise `All`.
#[must_use]
pub fn switched_off(event: &Event, names: &[&str]) -> Option<String> {
    let integrations = event.integrations()?;
    let is_off = |value: &Value| matches!(value, Value::Bool(false) | Value::Null);
    for name in names {
        if let Some(value) = integrations.get(name) {
            return is_off(&value).then(|| format!("its integrations switch {name:?} off"));
        }
    }
    let name = names.first().copied().unwrap_or_default();
    let off = integrations.get("All").is_some_and(|value| is_off(&value));
    off.then(|| format!("its integrations say All: false and do not name {name:?}"))
}
