//! A Worker that tracks each request: the event is queued while the request is answered, and sent after that, in
//! `ctx.waitUntil`. `worker.mjs` is the host's side.

#![forbid(unsafe_code)]

mod six_calls;
#[cfg(feature = "trial")]
mod trial;

use std::time::Duration;

use tracklane::plugin::enrichment_fn;
use tracklane::segment::Segment;
use tracklane::transport::HttpClient;
use tracklane::{Analytics, CallError, Event, SettingsError, Track, signal};
use tracklane_fetch::Fetch;
use wasm_bindgen::prelude::*;

/// The client of one request: in a Worker, no request may await what another has begun.
#[wasm_bindgen]
pub struct Worker {
    analytics: Analytics,
}

#[wasm_bindgen]
impl Worker {
    /// A client for the source with that write key, whose events go to `host`.
    #[wasm_bindgen(constructor)]
    pub fn new(write_key: &str, host: &str, colo: String) -> Result<Worker, JsError> {
        Ok(Self { analytics: client(write_key, host, colo)? })
    }

    /// Queues an event of a request. Sends nothing yet.
    pub fn track_request(&self, method: &str, path: &str, user: &str) -> Result<(), JsError> {
        Ok(track_request(&self.analytics, method, path, user)?)
    }

    /// Sends what is queued, at most so many milliseconds. Returns how many events were not delivered.
    pub async fn close(self, milliseconds: u32) -> u32 {
        let report = self.analytics.close(Duration::from_millis(milliseconds.into())).await;
        u32::try_from(report.pending + report.failed).unwrap_or(u32::MAX)
    }
}

fn track_request(analytics: &Analytics, method: &str, path: &str, user: &str) -> Result<(), CallError> {
    let event = Track::new("Request Served").anonymous_id(user).property("method", method).property("path", path);
    analytics.track(event)
}

fn client(write_key: &str, host: &str, colo: String) -> Result<Analytics, SettingsError> {
    let segment = Segment::new(write_key).host(host).http_client(HttpClient::new(Fetch));
    // An enrichment plugin: which of the edge's places has served the request.
    let place = enrichment_fn("place", move |event: &mut Event| {
        event.context_mut().insert("colo", colo.clone());
    });
    let settings = Analytics::builder().segment(segment).plugin(place);
    let settings = settings.on(signal::Error, |failure| web_sys::console::error_1(&failure.to_string().into()));
    settings.driven(tracklane_fetch::sleep).build()
}
