//! The record of what has arrived.
//!
//! The counters always count; requests are listed only while recording. Every change that somebody may wait for moves
//! `progress`. The record has no locks and no threads.

use super::Request;

#[derive(Default)]
pub(super) struct Record {
    requests: Vec<Request>,
    request_count: usize,
    body_bytes: u64,
    in_flight: usize,
    max_in_flight: usize,
    progress: u64,
}

impl Record {
    pub(super) fn arrived(&mut self, request: Option<Request>, body_len: usize) {
        self.requests.extend(request);
        self.request_count += 1;
        self.body_bytes += body_len as u64;
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
        self.progress += 1;
    }

    pub(super) fn settled(&mut self) {
        self.in_flight -= 1;
        self.progress += 1;
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
        self.request_count = 0;
        self.body_bytes = 0;
        self.max_in_flight = self.in_flight;
        self.progress += 1;
    }

    pub(super) fn requests(&self) -> &[Request] {
        &self.requests
    }

    pub(super) fn request_count(&self) -> usize {
        self.request_count
    }

    pub(super) fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    pub(super) fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    pub(super) fn progress(&self) -> u64 {
        self.progress
    }
}
