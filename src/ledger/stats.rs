//! The counts of a client, as a snapshot.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::outcome::DropReason;

/// Dropped events by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    counts: [u64; DropReason::ALL.len()],
}

impl Drops {
    /// Returns the number of events dropped for `reason`.
    #[must_use]
    pub fn get(&self, reason: DropReason) -> u64 {
        self.counts.get(reason as usize).copied().unwrap_or_default()
    }

    /// Returns the number of all dropped events.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the number of events that were dropped [on purpose](DropReason::is_deliberate).
    #[must_use]
    pub fn deliberate(&self) -> u64 {
        self.iter().filter(|(reason, _)| reason.is_deliberate()).map(|(_, events)| events).sum()
    }

    /// Returns every reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.iter().copied().map(|reason| (reason, self.get(reason)))
    }

    pub(crate) fn add(&mut self, reason: DropReason, events: u64) {
        if let Some(count) = self.counts.get_mut(reason as usize) {
            *count += events;
        }
    }
}

/// Shows the reasons for which events were dropped.
impl fmt::Debug for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().filter(|(_, events)| *events > 0)).finish()
    }
}

/// Serializes the reasons for which events were dropped, each with its count.
impl Serialize for Drops {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().filter(|(_, events)| *events > 0))
    }
}

/// The counts since the client was built. Reading them is cheap enough for every millisecond. In a forked process they
/// are all zero; the parent has them.
///
/// `accepted == delivered + dropped.total() + pending` holds in every snapshot, in total and per destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that returned `Ok`.
    pub accepted: u64,
    /// Calls that returned an error. Not part of `accepted`.
    pub refused: u64,
    /// Events that at least one destination took.
    pub delivered: u64,
    /// Events that no destination took, by reason.
    pub dropped: Drops,
    /// Events without an outcome yet.
    pub pending: u64,
    /// Events that take room under `max_queue_size`: no destination has completed them yet, or their callbacks have not
    /// returned.
    pub queued_events: u64,
    /// Their size in bytes, under `max_queue_bytes`.
    pub queued_bytes: u64,
    /// Batches handed to destinations, retries included. For Segment each is one request, or two if the key or token
    /// changed meanwhile.
    pub attempts: u64,
    /// Attempts that repeated an earlier one.
    pub retries: u64,
    /// Bytes of event JSON handed to destinations, retries included.
    pub bytes: u64,
    /// Panics of listeners and callbacks.
    pub contained_panics: u64,
    /// Callbacks of settled events that wait for a thread or have not returned. Each takes the room of its event until
    /// then.
    pub pending_callbacks: u64,
    /// The counts of each registered destination, in the order of registration.
    pub destinations: Vec<DestinationStats>,
    /// The counts of the before, enrichment and after plugins, in the order in which events pass them.
    pub plugins: Vec<PluginStats>,
}

/// Counts of one before, enrichment or after plugin since it was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PluginStats {
    /// The plugin's name.
    #[serde(serialize_with = "super::outcome::name")]
    pub name: Arc<str>,
    /// Events at which it failed, panicked or timed out.
    pub failed: u64,
    /// Events that it dropped on purpose.
    pub dropped: u64,
}

/// Counts of one destination since it was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DestinationStats {
    /// The destination's name.
    #[serde(serialize_with = "super::outcome::name")]
    pub name: Arc<str>,
    /// Events that this destination should get.
    pub accepted: u64,
    /// Events that it took.
    pub delivered: u64,
    /// Events that it did not take, by reason.
    pub dropped: Drops,
    /// Events without an outcome here yet.
    pub pending: u64,
    /// Events that wait in its queue. They are part of `pending`, and so are events in flight or between two attempts.
    pub queued_events: u64,
    /// The size of the events in its queue, in bytes of JSON.
    pub queued_bytes: u64,
    /// Batches that it took.
    pub batches: u64,
    /// Batches handed to it, retries included.
    pub attempts: u64,
    /// Attempts that repeated an earlier one.
    pub retries: u64,
    /// Bytes of event JSON handed to it, retries included.
    pub bytes: u64,
}
