//! What several tests need.

use std::time::Duration;

use serde_json::Value;
use tracklane::plugin::Destination;
use tracklane::{Analytics, Event, Track};
use tracklane_amplitude::Amplitude;
use tracklane_http::Mapped;
use tracklane_http::testing::Server;

pub(crate) const KEY: &str = "hunter2key";
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn amplitude() -> Amplitude {
    Amplitude::new(KEY)
}

pub(crate) fn at(server: &Server) -> Amplitude {
    amplitude().host(&server.url(""))
}

/// A client with three attempts and no wait between them.
pub(crate) fn client(destination: Destination) -> Analytics {
    tracklane_http::testing::client(destination).unwrap()
}

pub(crate) fn track() -> Track {
    Track::new("Item Purchased").user_id("u1").message_id("0a1801fd-3e68-49f8-a7ae-d4ab629a3c20")
}

/// The events that are sent of an event.
#[track_caller]
pub(crate) fn items(amplitude: &Amplitude, event: impl Into<Event>) -> Vec<Value> {
    match amplitude.map(&event.into()).unwrap() {
        Mapped::Items(items) => items.into_iter().map(|item| item.body).collect(),
        other => panic!("nothing is sent: {other:?}"),
    }
}

/// The one event that is sent of an event.
#[track_caller]
pub(crate) fn item(amplitude: &Amplitude, event: impl Into<Event>) -> Value {
    let [item] = <[Value; 1]>::try_from(items(amplitude, event)).unwrap();
    item
}

/// Why nothing is sent of an event, and whether that is a loss.
#[track_caller]
pub(crate) fn why_not(amplitude: &Amplitude, event: impl Into<Event>) -> (String, bool) {
    match amplitude.map(&event.into()).unwrap() {
        Mapped::Items(items) => panic!("it is sent: {items:?}"),
        Mapped::Skip(reason) => (reason, false),
        Mapped::Reject(reason) => (reason, true),
    }
}
