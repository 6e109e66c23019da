//! The questions that a test can ask the server.
//!
//! Every answer is a snapshot. Events are parsed here, on demand, without the lock of the serving threads.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Request, TrackingApi};

impl TrackingApi {
    /// Returns every recorded request, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().record.requests().to_vec()
    }

    /// Returns the events of all requests that were answered with a 2xx status, in order of arrival.
    ///
    /// Events that were sent twice are there twice.
    pub fn events(&self) -> Vec<Value> {
        accepted(&self.requests()).flat_map(Request::events).collect()
    }

    /// Returns the `messageId` of every event in [`events`](Self::events).
    pub fn delivered_ids(&self) -> Vec<String> {
        accepted(&self.requests())
            .flat_map(Request::events)
            .filter_map(|event| Some(event.get("messageId")?.as_str()?.to_owned()))
            .collect()
    }

    /// Blocks until `n` requests have arrived or the timeout has passed. Returns the recorded requests.
    ///
    /// Arrived means received completely, answered or not. Requests that were only counted
    /// ([`count_only`](Self::count_only)) count too.
    pub fn wait_for_requests(&self, n: usize, timeout: Duration) -> Vec<Request> {
        self.wait_until(timeout, |_, count| count >= n)
    }

    /// Blocks until [`events`](Self::events) has `n` events or the timeout has passed. Returns those that are there.
    pub fn wait_for_events(&self, n: usize, timeout: Duration) -> Vec<Value> {
        let requests =
            self.wait_until(timeout, |requests, _| accepted(requests).map(Request::event_count).sum::<usize>() >= n);
        accepted(&requests).flat_map(Request::events).collect()
    }

    /// Returns the number of requests since the start or the last [`clear`](Self::clear).
    pub fn request_count(&self) -> usize {
        self.shared.state().record.request_count()
    }

    /// Returns the total size of their bodies, without a chunked transfer coding. Compressed bodies count as they came.
    pub fn body_bytes(&self) -> u64 {
        self.shared.state().record.body_bytes()
    }

    /// Returns the largest number of requests that were waiting for their answer at the same time.
    ///
    /// A request waits from when it was received until the last piece of its answer is handed to the socket. One that
    /// [hangs](super::Reply::hang) waits until its connection ends.
    pub fn max_in_flight(&self) -> usize {
        self.shared.state().record.max_in_flight()
    }

    /// Returns the number of connections that were accepted since the start.
    pub fn connections(&self) -> usize {
        self.shared.connections.accepted()
    }

    /// Returns the number of open connections.
    ///
    /// A connection that the client has closed counts until the server notices. It does so at once, unless a reply is
    /// being delayed or dripped.
    pub fn open_connections(&self) -> usize {
        self.shared.connections.open()
    }

    /// Forgets the recorded requests, and resets [`request_count`](Self::request_count),
    /// [`body_bytes`](Self::body_bytes) and [`max_in_flight`](Self::max_in_flight). Connections, the script and the
    /// default reply stay as they are.
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
    requests.iter().filter(|request| request.is_accepted())
}
