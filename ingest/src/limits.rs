//! The limits on what clients may take of the server.

use std::time::Duration;

/// Limits on clients. Every SDK stays below the defaults.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one body, as it comes and uncompressed. More than Segment's limit, so that too large bodies can be
    /// shown.
    pub max_body_bytes: usize,
    /// Events of one body. Segment takes 2,500; what comes beyond this bound is answered with 413.
    pub max_events: usize,
    /// Bytes of all requests that are being read or decided upon, together: their bodies, and 512 for each event. What
    /// comes beyond is answered with 429.
    pub max_total_bytes: usize,
    /// Bytes of the head of one request.
    pub max_head_bytes: usize,
    /// Connections at one time; further ones wait in the system's queue.
    pub max_connections: usize,
    /// The longest time that a connection may be idle, or take to send a head.
    pub head_timeout: Duration,
    /// The longest time of a whole body.
    pub body_timeout: Duration,
    /// The longest time that a client may pause within a body, or leave an answer unread.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 << 20,
            max_events: 10_000,
            max_total_bytes: 64 << 20,
            max_head_bytes: 64 << 10,
            max_connections: 10_240,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(15),
        }
    }
}
