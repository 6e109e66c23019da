//! Counts of requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

/// The statuses that are counted from the start: nobody can watch for a series that is not there yet.
const STATUSES: [u16; 13] = [200, 204, 400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503];

/// Requests by their answer.
#[derive(Debug)]
pub(crate) struct RequestCounts {
    by_status: Mutex<BTreeMap<u16, u64>>,
    bytes: AtomicU64,
}

impl Default for RequestCounts {
    fn default() -> Self {
        let by_status = Mutex::new(STATUSES.map(|status| (status, 0)).into());
        Self { by_status, bytes: AtomicU64::new(0) }
    }
}

impl RequestCounts {
    pub(crate) fn answered(&self, status: StatusCode, bytes: usize) {
        *self.by_status.lock().unwrap_or_else(PoisonError::into_inner).entry(status.as_u16()).or_default() += 1;
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Returns how often each status was answered.
    pub(crate) fn by_status(&self) -> BTreeMap<u16, u64> {
        self.by_status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Bytes of bodies, as they came.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}
