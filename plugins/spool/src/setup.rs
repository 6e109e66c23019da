//! The settings of a spool, ready for its threads.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::disk::Disk;
use crate::stats::Counters;

/// The settings with which the threads start.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) root: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) adopt_every: Duration,
    /// Events that cannot be written are refused, rather than sent from memory.
    pub(crate) refuse_unwritten: bool,
    /// Keeps events that the destination refuses for good, rather than dropping them.
    pub(crate) keep_refused: bool,
    pub(crate) counters: Arc<Counters>,
}
