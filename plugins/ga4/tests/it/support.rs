//! What several tests need.

use std::time::Duration;

use serde_json::Value;
use tracklane::plugin::Destination;
use tracklane::{Analytics, Event, Track};
use tracklane_ga4::{Ga4, Hit, Mapped};
use tracklane_http::testing::Server;

pub(crate) const SECRET: &str = "hunter2secret";
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) fn ga4() -> Ga4 {
    Ga4::new("G-ABC123", SECRET)
}

pub(crate) fn at(server: &Server) -> Ga4 {
    ga4().host(&server.url(""))
}

/// A client with three attempts and no wait between them.
pub(crate) fn client(destination: Destination) -> Analytics {
    tracklane_http::testing::client(destination).unwrap()
}

pub(crate) fn track(name: &str) -> Track {
    Track::new(name).anonymous_id("a1")
}

#[track_caller]
pub(crate) fn hit(ga4: &Ga4, event: impl Into<Event>) -> Hit {
    match ga4.map(&event.into()).unwrap() {
        Mapped::Items(mut hits) => {
            assert_eq!(hits.len(), 1);
            hits.remove(0)
        }
        other => panic!("nothing is sent: {other:?}"),
    }
}

/// The name of the event that is sent, and its parameters.
#[track_caller]
pub(crate) fn sent(ga4: &Ga4, event: impl Into<Event>) -> (String, Value) {
    let event = hit(ga4, event).event;
    let mut params = event["params"].clone();
    assert_eq!(params.as_object_mut().unwrap().remove("engagement_time_msec"), Some(1.into()), "reports need it");
    (event["name"].as_str().unwrap().to_owned(), params)
}

/// Why nothing is sent of an event, and whether that is a loss.
#[track_caller]
pub(crate) fn why_not(ga4: &Ga4, event: impl Into<Event>) -> (String, bool) {
    match ga4.map(&event.into()).unwrap() {
        Mapped::Items(hits) => panic!("it is sent: {hits:?}"),
        Mapped::Skip(reason) => (reason, false),
        Mapped::Reject(reason) => (reason, true),
    }
}
