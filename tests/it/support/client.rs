//! A client with a tracking API in this process, and a destination that records its events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tracklane::plugin::{Batch, Destination, RetryPolicy};
use tracklane::segment::Segment;
use tracklane::signal::Failure;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Builder, Track, signal};

use super::eventually;

pub(crate) fn api() -> TrackingApi {
    TrackingApi::start().unwrap()
}

/// Settings of Segment's destination that sends to `api`.
pub(crate) fn segment(api: &TrackingApi) -> Segment {
    Segment::new("WRITE_KEY").host(api.url())
}

/// Settings of a client that sends to `api`.
pub(crate) fn client(api: &TrackingApi) -> Builder {
    Analytics::builder().segment(segment(api))
}

/// A track call that nothing is wrong with.
pub(crate) fn track(name: &str) -> Track {
    Track::new(name).user_id("u1")
}

/// Retries that need no manual clock.
pub(crate) fn quick_retries(retries: u32) -> RetryPolicy {
    RetryPolicy::new().max_retries(retries).backoff(Duration::from_millis(1), Duration::from_millis(4))
}

/// A list that one side fills and the other reads.
#[derive(Debug)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn push(&self, item: T) {
        self.0.lock().unwrap().push(item);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// All, once there are at least `n`.
    pub(crate) fn wait_for(&self, n: usize) -> Vec<T> {
        eventually(&format!("{n} entries"), || self.len() >= n);
        self.all()
    }
}

/// The events that a destination got.
pub(crate) type Arrived = Log<Value>;

impl Arrived {
    /// The names of tracked events, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all().iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.all().iter().map(|event| event["messageId"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn keep(&self, batch: &Batch) {
        for message in batch.messages() {
            self.push(serde_json::from_slice(message.json()).unwrap());
        }
    }
}

/// A destination that delivers everything, and a record of its events.
pub(crate) fn recorder(name: &str) -> (Destination, Arrived) {
    let arrived = Arrived::new();
    let log = arrived.clone();
    let destination = Destination::from_fn(name, move |batch: Batch| {
        log.keep(&batch);
        async { Ok::<(), std::io::Error>(()) }
    });
    (destination, arrived)
}

/// Settings that collect the payloads of `error`.
pub(crate) fn with_failures(builder: Builder) -> (Builder, Log<Failure>) {
    let failures = Log::new();
    let log = failures.clone();
    (builder.on(signal::Error, move |failure| log.push(failure.clone())), failures)
}
