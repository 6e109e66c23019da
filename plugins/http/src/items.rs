//! Maps the events of a batch to the items of a vendor's requests.

use tracklane::Event;
use tracklane::event::Message;
use tracklane::plugin::{Answer, Batch, Verdict};

use crate::{Answers, Chunks, Client, EventError, EventJson, Json, Limits, Mapped, Outgoing, Payload};

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
    let mut json = EventJson::default();
    for (event, message) in batch.messages().enumerate() {
        let mapped = match json.read_message(message) {
            Ok(()) => map(event, &json, message, answers),
            Err(error) => Mapped::reject(format!("its JSON cannot be read: {error}")),
        };
        if mapped.why_not().is_none() {
            continue;
        }
        if let Some(answer) = mapped.answer(&message.message_id()) {
            answers.add([event], &answer);
        }
    }
}

/// Items for one endpoint as JSON, and of which event each is.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// All of them, one behind the other.
    json: Vec<u8>,
    /// The end of each, and the index of its event in the batch.
    ends: Vec<(usize, usize)>,
}

impl Items {
    /// Adds an item of the event at that index of the batch.
    pub fn push(&mut self, event: usize, item: &Json<'_>) {
        item.write(&mut self.json);
        self.ends.push((self.json.len(), event));
    }

    fn slices(&self) -> Vec<&[u8]> {
        let mut start = 0;
        let slice = |(end, _): &(usize, usize)| {
            let item = self.json.get(start..*end).unwrap_or_default();
            start = *end;
            item
        };
        self.ends.iter().map(slice).collect()
    }

    /// Requests to `client` whose bodies keep `limits`, each made by `payload` from its items. An item that is too large
    /// for any body is answered as refused.
    pub fn requests<'s>(
        &'s self,
        batch: &Batch,
        client: &Client,
        limits: Limits,
        answers: &mut Answers,
        payload: impl Fn(&[&'s [u8]]) -> Payload,
    ) -> Vec<Outgoing> {
        let items = self.slices();
        let chunks = Chunks::of(&items, limits);
        for (_, event) in chunks.too_large.iter().filter_map(|item| self.ends.get(*item)) {
            let id = message_id(batch, *event);
            let error = EventError::new(id, "what is sent of it is larger than a whole request may be");
            answers.add([*event], &Answer::new(Verdict::Reject).with_error(error));
        }
        let request = |range: std::ops::Range<usize>| {
            let (items, ends) = (items.get(range.clone())?, self.ends.get(range)?);
            Some(Outgoing::new(client, payload(items), ends.iter().map(|(_, event)| *event).collect()))
        };
        chunks.ranges.into_iter().filter_map(request).collect()
    }
}

/// The `messageId` of the event at that index of a batch.
#[must_use]
pub fn message_id(batch: &Batch, event: usize) -> String {
    batch.messages().nth(event).map(|message| message.message_id().into_owned()).unwrap_or_default()
}
