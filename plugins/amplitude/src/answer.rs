//! The verdict on an answer of Amplitude, event by event.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{EventError, EventJson, Outgoing, Received, Secret, message_id};

/// Events by their index in the request, for each field or id.
type ByName = BTreeMap<String, Vec<usize>>;

/// The body of a refusal, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    missing_field: Option<String>,
    events_with_invalid_fields: ByName,
    events_with_missing_fields: ByName,
    events_with_invalid_id_lengths: ByName,
    silenced_events: Vec<usize>,
    exceeded_daily_quota_devices: BTreeMap<String, serde_json::Value>,
    exceeded_daily_quota_users: BTreeMap<String, serde_json::Value>,
}

/// The answer to the items of a request.
///
/// | Amplitude | events |
/// |---|---|
/// | 400 that names events | those are refused; nothing was stored, so the others come again |
/// | 400 for the key | the key is refused |
/// | 400 that names none | split, as `Verdict::SplitIfProven` says |
/// | 429 | what is of an id that is over its daily quota is refused; the others come again |
/// | anything else | by its status |
pub(crate) fn answer(request: &Outgoing, received: &Received, batch: &Batch, key: &Secret) -> Answer {
    let by_status = received.verdict(batch.timer().now());
    let said = |verdict| received.answer_with(verdict, request.client.endpoint(), [key]);
    let Ok(refusal) = received.json::<Refusal>() else { return said(by_status) };
    match received.status {
        StatusCode::BAD_REQUEST if refusal.is_about_the_key() => said(Verdict::Unauthorized),
        StatusCode::BAD_REQUEST => {
            let named = refusal.named();
            if named.is_empty() {
                return said(Verdict::SplitIfProven);
            }
            Answer::each(said(Verdict::Retry), refused(named, request, received, batch))
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let over = refusal.over_quota(request, batch);
            Answer::each(said(by_status), refused(over, request, received, batch))
        }
        _ => said(by_status),
    }
}

/// Answers to items, by their index, each with why.
fn refused(
    items: Vec<(usize, String)>,
    request: &Outgoing,
    received: &Received,
    batch: &Batch,
) -> Vec<(usize, Answer)> {
    let refuse = |(item, why): (usize, String)| {
        let id = request.events.get(item).map(|event| message_id(batch, *event)).unwrap_or_default();
        let error = EventError::new(id, format!("Amplitude refuses it: {why}"));
        (item, Answer::new(Verdict::Reject).with_status(received.status).with_error(error))
    };
    items.into_iter().map(refuse).collect()
}

impl Refusal {
    fn is_about_the_key(&self) -> bool {
        self.missing_field.as_deref() == Some("api_key") || self.error.to_ascii_lowercase().contains("api key")
    }

    /// The events that are named, each with why.
    fn named(&self) -> Vec<(usize, String)> {
        let lists = [
            (&self.events_with_invalid_fields, "is invalid"),
            (&self.events_with_missing_fields, "is missing"),
            (&self.events_with_invalid_id_lengths, "is too short or too long"),
        ];
        let mut named = Vec::new();
        for (fields, what) in lists {
            for (field, events) in fields {
                named.extend(events.iter().map(|event| (*event, format!("{field} {what}"))));
            }
        }
        named.extend(self.silenced_events.iter().map(|event| (*event, "its device is silenced".to_owned())));
        named
    }

    /// The events whose device or user is over its daily quota: they would be throttled all day.
    fn over_quota(&self, request: &Outgoing, batch: &Batch) -> Vec<(usize, String)> {
        let is_over = |item: usize| {
            let json = EventJson::parse(batch.messages().nth(*request.events.get(item)?)?.json()).ok()?;
            let devices = [json.anonymous_id(), json.context_text(&["device", "id"])];
            let user = json.user_id().is_some_and(|id| self.exceeded_daily_quota_users.contains_key(id));
            let device = devices.into_iter().flatten().any(|id| self.exceeded_daily_quota_devices.contains_key(id));
            (user || device).then(|| (item, "its user or device is over the daily quota".to_owned()))
        };
        if self.exceeded_daily_quota_users.is_empty() && self.exceeded_daily_quota_devices.is_empty() {
            return Vec::new();
        }
        (0..request.events.len()).filter_map(is_over).collect()
    }
}
