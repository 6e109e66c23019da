//! The sources: their keys, their limits, and the outcomes of their events.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{IpPolicy, SourceConfig};
use crate::pipeline::Pipeline;
use crate::rate::Bucket;
use crate::rejects::Rejects;

/// One source.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) ip: IpPolicy,
    pub(crate) rejects: Rejects,
    pub(crate) counts: Arc<SourceCounts>,
    origins: Vec<String>,
    limit: Option<Mutex<Bucket>>,
}

/// Events of one source, since the process began.
#[derive(Debug, Default)]
pub(crate) struct SourceCounts {
    /// All that arrived with a key of the source.
    pub(crate) received: AtomicU64,
    /// Safe in front of every destination that is to have them, or dropped by a plugin on purpose.
    pub(crate) accepted: AtomicU64,
    /// Accepted events that a plugin dropped on purpose.
    pub(crate) dropped: AtomicU64,
    /// Never to be taken: no event, or one that a plugin made or found unfit.
    pub(crate) rejected: AtomicU64,
    /// Events that the client must send again: too many, no room, or the end of the process.
    pub(crate) refused: AtomicU64,
}

impl Source {
    pub(crate) fn new(
        name: &str,
        config: &SourceConfig,
        pipeline: Arc<Pipeline>,
        rejects: Rejects,
        counts: Arc<SourceCounts>,
    ) -> Self {
        let bucket = |rate| Mutex::new(Bucket::new(rate, config.burst, Instant::now()));
        Self {
            name: name.to_owned(),
            pipeline,
            ip: config.ip,
            rejects,
            counts,
            origins: config.origins.clone(),
            limit: config.events_per_second.map(bucket),
        }
    }

    /// Returns whether a page of this origin may send. What is no page has none.
    pub(crate) fn allows(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.origins.is_empty() || self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }

    /// Takes this number of events from the source's limit, or returns the time to wait.
    pub(crate) fn take(&self, events: usize) -> Result<(), Duration> {
        let Some(limit) = &self.limit else { return Ok(()) };
        limit.lock().unwrap_or_else(PoisonError::into_inner).take(events, Instant::now())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All sources, by their keys.
#[derive(Default)]
pub(crate) struct Sources {
    by_key: HashMap<String, Arc<Source>>,
}

impl Sources {
    pub(crate) fn add(&mut self, keys: &[String], source: Source) {
        let source = Arc::new(source);
        for key in keys {
            self.by_key.insert(key.clone(), Arc::clone(&source));
        }
    }

    /// The source of this key.
    pub(crate) fn get(&self, key: Option<&str>) -> Option<&Arc<Source>> {
        self.by_key.get(key?)
    }
}

impl SourceCounts {
    pub(crate) fn add(counter: &AtomicU64, events: usize) {
        counter.fetch_add(events as u64, Relaxed);
    }
}
