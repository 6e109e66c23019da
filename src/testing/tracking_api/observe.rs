//! What a test can ask the server about.
//!
//! Everything returned is a snapshot. Events are parsed here, when asked for, and outside the
//! lock that the serving threads take.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Request, TrackingApi};

impl TrackingApi {
    /// Every recorded request, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().record.requests().to_vec()
    }

    /// The events of all requests that were answered with a 2xx status, in order of arrival.
    ///
    /// Events sent twice are listed twice.
    pub fn events(&self) -> Vec<Value> {
        accepted(&self.requests()).flat_map(Request::events).collect()
    }

    /// The `messageId` of every event in [`events`](Self::events).
    pub fn delivered_ids(&self) -> Vec<String> {
        accepted(&self.requests())
            .flat_map(Request::events)
            .filter_map(|event| Some(event.get("messageId")?.as_str()?.to_owned()))
            .collect()
    }

    /// Blocks until `n` requests have arrived or the timeout has passed; returns those recorded.
    ///
    /// Arrived means received completely, answered or not. Requests that were only counted
    /// ([`count_only`](Self::count_only)) count too.
    pub fn wait_for_requests(&self, n: usize, timeout: Duration) -> Vec<Request> {
        self.wait_until(timeout, |_, count| count >= n)
    }

    /// Blocks until [`events`](Self::events) holds `n` events or the timeout has passed; returns
    /// those that are there.
    pub fn wait_for_events(&self, n: usize, timeout: Duration) -> Vec<Value> {
        let requests =
            self.wait_until(timeout, |requests, _| accepted(requests).map(Request::event_count).sum::<usize>() >= n);
        accepted(&requests).flat_map(Request::events).collect()
    }

    /// How many requests have arrived since the start or the last [`clear`](Self::clear).
    pub fn request_count(&self) -> usize {
        self.shared.state().record.request_count()
    }

    /// The total size of their bodies, as decoded from the chunked transfer coding if it was used;
    /// compressed ones count as they came.
    pub fn body_bytes(&self) -> u64 {
        self.shared.state().record.body_bytes()
    }

    /// The highest number of requests that were waiting for their answer at the same time.
    ///
    /// A request waits from when it was received until the last piece of its answer is handed
    /// to the socket, one that [hangs](super::Reply::hang) until its connection ends.
    pub fn max_in_flight(&self) -> usize {
        self.shared.state().record.max_in_flight()
    }

    /// How many connections were accepted since the start.
    pub fn connections(&self) -> usize {
        self.shared.connections.accepted()
    }

    /// How many connections are open now.
    ///
    /// A connection that the client has closed counts until the server notices, which it does at
    /// once unless a reply is being delayed or dripped.
    pub fn open_connections(&self) -> usize {
        self.shared.connections.open()
    }

    /// Forgets the recorded requests and sets [`request_count`](Self::request_count),
    /// [`body_bytes`](Self::body_bytes) and [`max_in_flight`](Self::max_in_flight) back.
    /// Connections, the script and the default reply stay as they are.
    pub fn clear(&self) {
        self.shared.state().record.clear();
    }

    fn wait_until(&self, timeout: Duration, enough: impl Fn(&[Request], usize) -> bool) -> Vec<Request> {
        // A timeout too long for the clock is no timeout.
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let (requests, count, progress) = {
                let state = self.shared.state();
                let requests = state.record.requests().to_vec();
                (requests, state.record.request_count(), state.record.progress())
            };
            if enough(&requests, count) || !self.shared.wait_for_progress(progress, deadline) {
                return requests;
            }
        }
    }
}

fn accepted(requests: &[Request]) -> impl Iterator<Item = &Request> {
    requests.iter().filter(|request| matches!(request.answered(), Some(200..=299)))
}
