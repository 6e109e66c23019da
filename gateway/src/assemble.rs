//! An event from what was sent: with the type of its path, what stands around its batch, an id, a time and an address.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tracklane::event::{Integrations, MAX_EVENT_BYTES};
use tracklane::segment::rules::{Endpoint, Rule};
use tracklane::{Context, Event, Kind};
use tracklane_ingest::{Event as Sent, Request};

use crate::clock_skew::{ClientClock, Correction};
use crate::config::IpPolicy;
use crate::ip;

/// Bytes that are left for what is added here, below the most that an event may have. One that is nearer to it gets an
/// id and a time, and nothing else.
const ROOM: usize = 512;

/// What is the same for every event of one request.
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

/// Why something is no event.
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

    /// By the gateway's clock. What the client said is kept where it was changed.
    fn set_time(&self, event: &mut Event, small: bool) {
        let said = event.timestamp();
        let Correction::Set(timestamp) = self.clock.correct(said) else { return };
        // It is a timestamp already.
        event.set_timestamp(timestamp);
        if let (Some(said), Some(sent_at), true) = (said, &self.sent_at, small) {
            let clock = serde_json::json!({ "originalTimestamp": said, "sentAt": sent_at });
            event.add_context(&Context::new().with("clock", clock));
        }
    }

    /// What the event says itself wins.
    fn add_integrations(&self, event: &mut Event) {
        let Some(around) = &self.integrations else { return };
        let own = event.integrations_mut();
        for (name, value) in around.iter() {
            if !own.contains_key(&name) {
                own.insert(&name, value);
            }
        }
    }

    /// An id for an event that has none: the same when the same request comes again.
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

/// The object with one member more, which counts, since it is the last. Its name and value need no escapes.
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
