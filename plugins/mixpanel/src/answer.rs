//! The verdict on an answer of Mixpanel, record by record.

use http::StatusCode;
use serde::Deserialize;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{EventError, Outgoing, Received, Secret, message_id};

/// The body of an answer, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    failed_records: Vec<FailedRecord>,
    /// 0 if nothing of profiles was taken. Imports have a text here.
    #[serde(default)]
    status: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct FailedRecord {
    index: usize,
    #[serde(default)]
    field: String,
    #[serde(default)]
    message: String,
}

/// The answer to the items of a request, which errors call `what`.
///
/// | Mixpanel | events |
/// |---|---|
/// | 2xx or 400 with `failed_records` | those are refused in Mixpanel's words; the others are stored |
/// | 400 whose list was cut off | split: what was stored is not stored twice |
/// | 2xx with `status: 0` | of profiles: split, as `Verdict::SplitIfProven` says |
/// | anything else | by its status |
pub(crate) fn answer(what: &str, request: &Outgoing, received: &Received, batch: &Batch, secrets: &[Secret]) -> Answer {
    let endpoint = request.client.endpoint();
    let by_status = received.verdict(batch.timer().now());
    let is_read = received.status.is_success() || received.status == StatusCode::BAD_REQUEST;
    if !is_read {
        return received.answer_with(by_status, endpoint, secrets);
    }
    let Ok(body) = received.json::<Body>() else {
        let verdict =
            if received.is_cut && received.status == StatusCode::BAD_REQUEST { Verdict::Split } else { by_status };
        return received.answer_with(verdict, endpoint, secrets);
    };
    if body.failed_records.is_empty() {
        let is_refused = received.status.is_success() && body.status == 0;
        let verdict = if is_refused { Verdict::SplitIfProven } else { by_status };
        return received.answer_with(verdict, endpoint, secrets);
    }
    let refused = body.failed_records.into_iter().map(|record| {
        let words = [record.field, record.message].join(": ");
        let words = secrets.iter().fold(words, |words, secret| secret.hide_in(&words));
        let id = request.events.get(record.index).map(|event| message_id(batch, *event)).unwrap_or_default();
        let error = EventError::new(id, format!("Mixpanel refuses {what}: {words}"));
        (record.index, Answer::new(Verdict::Reject).with_status(received.status).with_error(error))
    });
    Answer::each(Verdict::Delivered, refused)
}
