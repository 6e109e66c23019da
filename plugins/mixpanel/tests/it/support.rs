//! What several tests need.

use std::time::Duration;

use serde_json::Value;
use tracklane::plugin::Destination;
use tracklane::{Analytics, Event, Track};
use tracklane_http::Mapped;
use tracklane_http::testing::Server;
use tracklane_mixpanel::{Mixpanel, Target};

pub(crate) const KEY: &str = "hunter2token";
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn mixpanel() -> Mixpanel {
    Mixpanel::new(KEY)
}

pub(crate) fn at(server: &Server) -> Mixpanel {
    mixpanel().host(&server.url(""))
}

/// A client with three attempts and no wait between them.
pub(crate) fn client(destination: Destination) -> Analytics {
    tracklane_http::testing::client(destination).unwrap()
}

pub(crate) fn track() -> Track {
    Track::new("Item Purchased").user_id("u1").message_id("0a1801fd-3e68-49f8-a7ae-d4ab629a3c20")
}

/// The items that are sent of an event to that endpoint.
#[track_caller]
pub(crate) fn items(mixpanel: &Mixpanel, target: Target, event: impl Into<Event>) -> Vec<Value> {
    match mixpanel.map(&event.into()).unwrap() {
        Mapped::Items(items) => items.into_iter().filter(|item| item.target == target).map(|item| item.body).collect(),
        other => panic!("nothing is sent: {other:?}"),
    }
}

/// The properties of the one event that is sent of an event.
#[track_caller]
pub(crate) fn properties(mixpanel: &Mixpanel, event: impl Into<Event>) -> Value {
    let [item] = <[Value; 1]>::try_from(items(mixpanel, Target::Import, event)).unwrap();
    item["properties"].clone()
}

/// Why nothing is sent of an event, and whether that is a loss.
#[track_caller]
pub(crate) fn why_not(mixpanel: &Mixpanel, event: impl Into<Event>) -> (String, bool) {
    match mixpanel.map(&event.into()).unwrap() {
        Mapped::Items(items) => panic!("it is sent: {items:?}"),
        Mapped::Skip(reason) => (reason, false),
        Mapped::Reject(reason) => (reason, true),
    }
}
