//! What the tests call (`tests/worker.rs`): a client whose steps are told one by one.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracklane::{Analytics, Track, signal};
use wasm_bindgen::prelude::*;

use crate::six_calls::six_calls;

/// A client, and what its listener for errors heard.
#[wasm_bindgen]
pub struct Trial {
    analytics: RefCell<Option<Analytics>>,
    errors: Arc<Mutex<Vec<String>>>,
    sent: RefCell<u32>,
}

#[wasm_bindgen]
impl Trial {
    #[wasm_bindgen(constructor)]
    pub fn new(host: &str) -> Result<Trial, JsError> {
        let (errors, sent) = (Arc::<Mutex<Vec<String>>>::default(), RefCell::new(0));
        let analytics = crate::client("WRITE_KEY", host, "FRA".to_owned())?;
        let heard = errors.clone();
        analytics.on(signal::Error, move |failure| {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(failure.to_string());
        });
        Ok(Self { analytics: RefCell::new(Some(analytics)), errors, sent })
    }

    fn client(&self) -> Result<Analytics, JsError> {
        self.analytics.borrow().clone().ok_or_else(|| JsError::new("it is dropped"))
    }

    /// Sends each of the six calls.
    pub fn six(&self) -> Result<(), JsError> {
        let analytics = self.client()?;
        Ok(six_calls().into_iter().try_for_each(|event| analytics.send(event))?)
    }

    /// Sends so many events, with the ids `e-1`, `e-2`, …
    pub fn send(&self, events: u32) -> Result<(), JsError> {
        let analytics = self.client()?;
        for _ in 0..events {
            let number = self.sent.borrow().wrapping_add(1);
            self.sent.replace(number);
            analytics.track(Track::new("x").user_id("u1").message_id(format!("e-{number}")))?;
        }
        Ok(())
    }

    /// What the Worker does for each request.
    pub fn track_request(&self, method: &str, path: &str, user: &str) -> Result<(), JsError> {
        Ok(crate::track_request(&self.client()?, method, path, user)?)
    }

    /// Flushes at most so long: `delivered failed pending`.
    pub async fn flush(&self, milliseconds: u32) -> Result<String, JsError> {
        let report = self.client()?.flush(Duration::from_millis(milliseconds.into())).await;
        Ok(format!("{} {} {}", report.delivered, report.failed, report.pending))
    }

    /// Closes at most so long: the ids that it hands back.
    pub async fn close(&self, milliseconds: u32) -> Result<String, JsError> {
        let report = self.client()?.close(Duration::from_millis(milliseconds.into())).await;
        let ids: Vec<String> = report.unsent.iter().map(|event| event.message_id().into_owned()).collect();
        Ok(ids.join(" "))
    }

    /// Drops the client.
    pub fn end(&self) {
        self.analytics.replace(None);
    }

    /// What the listener heard, a line each.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}
