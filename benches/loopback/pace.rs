//! The intervals between timed calls.

use serde::{Deserialize, Serialize};

/// The interval between calls.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Pace {
    pub(crate) threads: u64,
    /// Microseconds from one call to the next, at least.
    pub(crate) pause: u64,
    /// Whether all inputs are made before the first call, or each just before its own.
    pub(crate) ahead: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { threads: 1, pause: 0, ahead: true }
    }
}
