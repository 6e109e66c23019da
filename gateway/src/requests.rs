//! Counts of requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

/// Requests by their answer.
#[derive(Debug, Default)]
pub(crate) struct RequestCounts {
    by_status: Mutex<BTreeMap<u16, u64>>,
    bytes: AtomicU64,
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
