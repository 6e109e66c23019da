//! Makes an event from the sent JSON: with the type of its path, the members around its batch, an id, a time and an
//! address.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tracklane::event::{Integrations, MAX_EVENT_BYTES, Timestamp};
use tracklane::segment::rules::{Endpoint, Rule};
use tracklane::{Context, Event, Kind};
use tracklane_ingest::{Event as Sent, Request};

use crate::clock_skew::{ClientClock, Correction};
use crate::config::IpPolicy;
use crate::ip;

/// The bytes below the largest size of an event that are reserved for added members. A larger event gets only an id and
/// a time.
const ROOM: usize = 512;

/// The data that all events of one request share.
pub(crate) struct Around {
    /// The type that the path names.
    kind: Option<Kind>,
    context: Option<Context>,
    integrations: Option<Integrations>,
    sent_at: Option<String>,
    clock: ClientClock,
    policy: IpPolicy,
    address: Option<IpAddr>,
    body: Bytes,
    digest: OnceLock<String>,
    /// What stands around the events is larger than an event may be, so none would fit with it.
    is_too_large: bool,
}

/// The times that the client gave.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientTimes<'a> {
    original_timestamp: Timestamp,
    sent_at: &'a str,
}

/// The reason why something is not an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) rule: &'static str,
    pub(crate) message: String,
}

impl Around {
    pub(crate) fn new(request: &Request, received_at: SystemTime, policy: IpPolicy, address: Option<IpAddr>) -> Self {
        let section = |json: &Option<Bytes>| json.clone().filter(|json| json.starts_with(b"{"));
        let around = [&request.context, &request.integrations].map(section);
        let is_too_large = around.iter().flatten().any(|json| json.len() > MAX_EVENT_BYTES);
        let [context, integrations] = around.map(|json| json.filter(|_| !is_too_large));
        Self {
            kind: match request.head.endpoint {
                Some(Endpoint::Single(kind)) => Some(kind),
                _ => None,
            },
            context: context.and_then(|json| serde_json::from_slice(&json).ok()),
            integrations: integrations.and_then(|json| serde_json::from_slice(&json).ok()),
            sent_at: request.sent_at.clone(),
            clock: ClientClock::new(received_at, request.sent_at.as_deref()),
            policy,
            address,
            body: request.body.clone(),
            digest: OnceLock::new(),
            is_too_large,
        }
    }

    /// The event at this place of the request.
    pub(crate) fn event(&self, sent: &Sent, index: usize) -> Result<Event, Unfit> {
        let fatal = [Rule::MalformedJson.name(), Rule::EventTooLarge.name()];
        if let Some(finding) = sent.findings.iter().find(|finding| fatal.contains(&finding.rule)) {
            return Err(Unfit { rule: finding.rule, message: finding.message.clone() });
        }
        if self.is_too_large {
            let message = format!("context or integrations around the batch have more than {MAX_EVENT_BYTES} bytes");
            return Err(Unfit { rule: Rule::EventTooLarge.name(), message });
        }
        let mut event = match self.kind {
            Some(kind) => read(&with_member(&sent.raw, "type", kind.as_str()))?,
            None => read(&sent.raw)?,
        };
        if event.message_id().is_empty() {
            let with_id = with_member(&sent.raw, "messageId", &self.id(index));
            event = match self.kind {
                Some(kind) => read(&with_member(&with_id, "type", kind.as_str()))?,
                None => read(&with_id)?,
            };
        }
        let small = sent.raw.len() + ROOM <= MAX_EVENT_BYTES;
        self.set_time(&mut event, small);
        if let Some(context) = &self.context {
            event.add_context(context);
        }
        self.add_integrations(&mut event);
        if small || matches!(self.policy, IpPolicy::Remove | IpPolicy::Truncate) {
            ip::apply(self.policy, self.address.filter(|_| small), &mut event);
        }
        Ok(event)
    }

    /// Sets the time by the gateway's clock. A changed time of the client is kept as the original.
    fn set_time(&self, event: &mut Event, small: bool) {
        let said = event.timestamp();
        let Correction::Set(timestamp) = self.clock.correct(said) else { return };
        // It is a timestamp already.
        event.set_timestamp(timestamp);
        if let (Some(said), Some(sent_at), true) = (said, &self.sent_at, small) {
            event.add_context(&Context::new().with("clock", ClientTimes { original_timestamp: said, sent_at }));
        }
    }

    /// The event's own entries win.
    fn add_integrations(&self, event: &mut Event) {
        let Some(around) = &self.integrations else { return };
        let own = event.integrations_mut();
        for (name, value) in around.iter() {
            if !own.contains_key(&name) {
                own.insert(&name, value);
            }
        }
    }

    /// Makes an id for an event that has none: the same when the same request is repeated.
    fn id(&self, index: usize) -> String {
        let digest = self.digest.get_or_init(|| {
            let hash = Sha256::digest(&self.body);
            hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
        });
        format!("{digest}-{index}")
    }
}

fn read(json: &[u8]) -> Result<Event, Unfit> {
    Event::from_json(json).map_err(|error| Unfit { rule: "invalid-event", message: error.to_string() })
}

/// Adds a member to the object. It counts, because it is the last. Its name and value need no escapes.
fn with_member(object: &[u8], name: &str, value: &str) -> Vec<u8> {
    let object = object.trim_ascii_end();
    let inside = object.strip_suffix(b"}").unwrap_or(object);
    let is_empty = inside.trim_ascii() == b"{";
    let mut json = inside.to_vec();
    json.extend(format!(r#"{}"{name}":"{value}"}}"#, if is_empty { "" } else { "," }).bytes());
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_added_to_any_object() {
        for (object, expected) in [
            ("{}", r#"{"type":"track"}"#),
            ("{ } \n", r#"{ "type":"track"}"#),
            (r#"{"type":"page","a":{}}"#, r#"{"type":"page","a":{},"type":"track"}"#),
        ] {
            assert_eq!(String::from_utf8(with_member(object.as_bytes(), "type", "track")).unwrap(), expected);
        }
    }
}
