//! The crate `rudderanalytics`: each call is a request. A user who wants batches collects the events.

use std::error::Error;

use rudderanalytics::client::RudderAnalytics;
use rudderanalytics::message::{Batch, BatchMessage, Message, Track};
use serde_json::Value;

use crate::item_purchased::{NAME, properties};
use crate::loopback::meter::Meter;
use crate::loopback::report::ClientReport;
use crate::loopback::scenario::Scenario;
use crate::loopback::timing;

fn event(user_id: impl ToString) -> Track {
    let properties = Some(Value::Object(properties()));
    Track { user_id: Some(user_id.to_string()), event: NAME.to_owned(), properties, ..Track::default() }
}

fn client(url: &str) -> Result<RudderAnalytics, Box<dyn Error>> {
    let client = RudderAnalytics::load("WRITE_KEY".to_owned(), url.to_owned());
    send(&client, Message::Track(event("first")))?;
    Ok(client)
}

/// Its error has no `Error`.
fn send(client: &RudderAnalytics, message: Message) -> Result<(), String> {
    client.send(&message).map_err(|error| format!("{error:?}"))
}

pub(crate) fn in_batches<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let client = client(url)?;
    let meter = Meter::start();
    let mut batch = Vec::with_capacity(scenario.flush_at);
    for number in 0..scenario.events {
        batch.push(BatchMessage::Track(event(number)));
        if batch.len() == scenario.flush_at || number + 1 == scenario.events {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(scenario.flush_at));
            send(&client, Message::Batch(Batch { batch: full, ..Batch::default() }))?;
        }
    }
    Ok(meter.report())
}

pub(crate) fn one_by_one<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let client = client(url)?;
    let send = |event| send(&client, Message::Track(event)).expect("the server accepts everything");
    if scenario.calls.is_some() {
        return Ok(timing::report(timing::time(scenario, event, send)));
    }
    let meter = Meter::start();
    (0..scenario.events).map(event).for_each(send);
    Ok(meter.report())
}
