//! The settings, and the destination with the queue in front of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracklane::plugin::{Batching, Destination, RetryPolicy};

use crate::acceptor::Acceptor;
use crate::disk::Disk;
use crate::lifecycle::Lifecycle;
use crate::setup::Setup;
use crate::stats::{Counters, SpoolStats};

/// An attempt ends when the events are safe, however long the destination takes: a year stands for no limit.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A queue on disk: its directory and its limits.
///
/// ```
/// use std::time::Duration;
/// use tracklane::plugin::{Batch, Destination};
/// use tracklane_spool::Spool;
///
/// let warehouse = Destination::from_fn("warehouse", |_: Batch| async { Ok::<(), std::io::Error>(()) });
/// let spool = Spool::new("/var/lib/shop/warehouse").max_age(Duration::from_secs(24 * 60 * 60));
/// let destination = spool.in_front_of(warehouse);
/// assert_eq!(destination.name(), "warehouse");
/// assert_eq!(spool.stats().files, 0);
/// ```
#[derive(Clone)]
#[must_use = "a spool does nothing until it is put in front of a destination"]
pub struct Spool {
    setup: Setup,
    flush_at: usize,
    flush_interval: Duration,
}

impl Spool {
    /// The default of [`flush_at`](Self::flush_at).
    pub const FLUSH_AT: usize = 100;
    /// The default of [`flush_interval`](Self::flush_interval).
    pub const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
    /// The default of [`max_bytes`](Self::max_bytes).
    pub const MAX_BYTES: u64 = 512 * 1024 * 1024;
    /// The default of [`max_age`](Self::max_age).
    pub const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Makes a spool in `directory`, which is created if it does not exist. Each destination needs a directory of its
    /// own: events that were written for one of another name are not sent. A relative path is resolved once, now.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let setup = Setup {
            // It fails for an empty path, and where no directory is current: then the directory cannot be opened
            // either.
            root: std::path::absolute(&directory).unwrap_or(directory),
            disk: Disk::default(),
            max_bytes: Self::MAX_BYTES,
            max_age: Self::MAX_AGE,
            adopt_every: Duration::from_secs(30),
            refuse_unwritten: false,
            keep_refused: false,
            counters: Arc::new(Counters::default()),
        };
        Self { setup, flush_at: Self::FLUSH_AT, flush_interval: Self::FLUSH_INTERVAL }
    }

    /// Events that are written at once, 100 by default. While the disk is busy, more are.
    pub fn flush_at(mut self, events: usize) -> Self {
        self.flush_at = events;
        self
    }

    /// Sets the longest time that an event waits to be written, 100 ms by default. A kill can cost that much.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Bytes that may wait on the disk, 512 MiB by default, for this process; each file counts in whole blocks of 4,096
    /// bytes, as it does on the disk. Beyond, new events wait in memory, as when the disk is full. Files that were set
    /// aside do not count: they are for an operator to look at and delete.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.setup.max_bytes = bytes;
        self
    }

    /// Sets how long a file may wait, seven days by default; then its events are dropped. Only time counts in which a
    /// spool was at work there, so no jump of the wall clock makes a file old, nor does a time in which the service was
    /// down.
    ///
    /// Segment promises to recognise a `messageId` for 24 hours at least: an event that arrived, and was sent again
    /// after a crash more than a day later, may count twice. A limit of a day rules that out, and loses more.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.setup.max_age = age;
        self
    }

    /// Sets how often to look for files that other processes left when they ended, 30 s by default. The start looks for
    /// them, too.
    pub fn adopt_every(mut self, interval: Duration) -> Self {
        self.setup.adopt_every = interval.max(Duration::from_millis(1));
        self
    }

    /// Refuses events while the disk cannot be written or is full, instead of sending them from memory. They are
    /// dropped as [`RetriesExhausted`](tracklane::DropReason::RetriesExhausted) at once. For a server whose own client
    /// keeps events until they are acknowledged.
    pub fn refuse_unwritten(mut self) -> Self {
        self.setup.refuse_unwritten = true;
        self
    }

    /// Keeps events that the destination refuses for good, and files that become older than [`max_age`](Self::max_age),
    /// as [`DeadLetters`](crate::DeadLetters) with the reason, instead of dropping them. They may take
    /// [`max_bytes`](Self::max_bytes) on the disk besides the waiting files. While there is no room for more, files
    /// with such events stay where they are.
    pub fn keep_refused(mut self) -> Self {
        self.setup.keep_refused = true;
        self
    }

    #[cfg(test)]
    pub(crate) fn wall_clock(mut self, clock: impl Fn() -> std::time::SystemTime + Send + Sync + 'static) -> Self {
        self.setup.disk.clock = Some(Arc::new(clock));
        self
    }

    #[cfg(test)]
    pub(crate) fn fault(mut self, fault: crate::disk::Fault) -> Self {
        self.setup.disk.fault = Some(fault);
        self
    }

    /// The destination with this spool in front of it. It has the same name, and users switch it on and off in
    /// `integrations` as before.
    ///
    /// Batching and retries of the destination happen behind the spool. Settings of the returned destination concern
    /// the way to the disk: [`queue`](Destination::queue) limits the events in memory. It is that of `destination`, or
    /// of the client's settings, unless it is set.
    pub fn in_front_of(&self, destination: Destination) -> Destination {
        let (running, is_running) = watch::channel(None);
        let refuse_unwritten = self.setup.refuse_unwritten;
        let front = destination.with_service(Acceptor { running: is_running, refuse_unwritten });
        let front = if refuse_unwritten { front.retry(RetryPolicy::new().max_retries(0)) } else { front };
        front
            .batching(Batching::every(self.flush_at, self.flush_interval))
            .attempt_timeout(NO_LIMIT)
            .lifecycle(Lifecycle::new(self.setup.clone(), destination, running))
    }

    /// The counts of this spool and its clones.
    #[must_use]
    pub fn stats(&self) -> SpoolStats {
        self.setup.counters.snapshot()
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("directory", &self.setup.root)
            .field("flush_at", &self.flush_at)
            .field("flush_interval", &self.flush_interval)
            .field("max_bytes", &self.setup.max_bytes)
            .field("max_age", &self.setup.max_age)
            .finish_non_exhaustive()
    }
}
