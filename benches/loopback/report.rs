//! The reports of the two processes of a run. Plain data.

use serde::{Deserialize, Serialize};

/// The report of a client about its run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClientReport {
    /// Nanoseconds from the first call to the last acknowledgement.
    pub(crate) elapsed: u64,
    /// CPU time of the process in this time, in nanoseconds.
    pub(crate) cpu: u64,
    /// Peak memory in bytes, and the memory before the first call.
    pub(crate) peak: u64,
    pub(crate) before: u64,
    /// Calls that were refused and repeated.
    pub(crate) refused: u64,
    /// How often threads of the client went to sleep, if that was counted.
    pub(crate) wake_ups: u64,
    /// Nanoseconds from a call to the destination for single events, 99th percentile, if that was measured.
    pub(crate) arrival_p99: u64,
    pub(crate) dropped: u64,
    /// Nanoseconds of single calls, if they were timed.
    pub p50: u64,
    pub p99: u64,
    pub p999: u64,
}

/// The report of the server about the events that arrived.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ServerReport {
    pub(crate) once: u64,
    pub(crate) again: u64,
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) connections: u64,
    pub(crate) in_flight: u64,
}
