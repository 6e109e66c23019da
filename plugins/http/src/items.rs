//! Maps the events of a batch to the items of a vendor's requests.

use tracklane::Event;
use tracklane::event::Message;
use tracklane::plugin::{Answer, Batch, Verdict};

use crate::{Answers, Chunks, Client, EventError, EventJson, Json, Limits, Mapped, Outgoing, Payload};

/// Bytes of memory for the first item, and for each further one beyond the size of the last.
const FIRST_CAPACITY: usize = 1024;
const SLACK: usize = 64;

/// Maps one event that no client has taken.
///
/// # Errors
///
/// Returns an error if the event cannot be written as JSON.
pub fn map_event<T>(
    event: &Event,
    map: impl FnOnce(&EventJson<'_>) -> Mapped<T>,
) -> Result<Mapped<T>, serde_json::Error> {
    let json = serde_json::to_vec(event)?;
    Ok(map(&EventJson::parse(&json)?))
}

/// Maps the events of a batch: calls `map` with the index of each, its JSON and its message. The items of an event borrow
/// from its JSON, so `map` writes them where they are collected. Answers the events that `map` skips or rejects.
pub fn map_batch(
    batch: &Batch,
    answers: &mut Answers,
    mut map: impl FnMut(usize, &EventJson<'_>, &Message, &mut Answers) -> Mapped<()>,
) {
    for (event, message) in batch.messages().enumerate() {
        let mapped = match EventJson::of_message(message) {
            Ok(json) => map(event, &json, message, answers),
            Err(error) => Mapped::reject(format!("its JSON cannot be read: {error}")),
        };
        if let Some(answer) = mapped.answer(&message.message_id()) {
            answers.add([event], &answer);
        }
    }
}

/// Items for one endpoint as JSON, and of which event each is.
#[derive(Clone, Debug, Default)]
pub struct Items {
    json: Vec<Vec<u8>>,
    events: Vec<usize>,
}

impl Items {
    /// Adds an item of the event at that index of the batch.
    pub fn push(&mut self, event: usize, item: &Json<'_>) {
        // Items are much alike in size.
        let mut json = Vec::with_capacity(self.json.last().map_or(FIRST_CAPACITY, |last| last.len() + SLACK));
        item.write(&mut json);
        self.json.push(json);
        self.events.push(event);
    }

    /// Requests to `client` whose bodies keep `limits`, each made by `payload` from its items. An item that is too large
    /// for any body is answered as refused.
    pub fn requests(
        &self,
        batch: &Batch,
        client: &Client,
        limits: Limits,
        answers: &mut Answers,
        payload: impl Fn(&[Vec<u8>]) -> Payload,
    ) -> Vec<Outgoing> {
        let chunks = Chunks::of(&self.json, limits);
        for event in chunks.too_large.iter().filter_map(|item| self.events.get(*item)) {
            let id = message_id(batch, *event);
            let error = EventError::new(id, "what is sent of it is larger than a whole request may be");
            answers.add([*event], &Answer::new(Verdict::Reject).with_error(error));
        }
        let request = |range: std::ops::Range<usize>| {
            let (json, events) = (self.json.get(range.clone())?, self.events.get(range)?);
            Some(Outgoing::new(client, payload(json), events.to_vec()))
        };
        chunks.ranges.into_iter().filter_map(request).collect()
    }
}

/// The `messageId` of the event at that index of a batch.
#[must_use]
pub fn message_id(batch: &Batch, event: usize) -> String {
    batch.messages().nth(event).map(|message| message.message_id().into_owned()).unwrap_or_default()
}
