//! Every event that arrived, as it arrived, up to a number of bytes.
//!
//! A ring by bytes: the oldest leave first. `received = kept + evicted` at every instant, and nothing is taken out by
//! reading. Events are slices of the bodies they came in, and no trees are kept of them.

mod entry;
mod query;
mod traces;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;

pub(crate) use entry::{Entry, Head, RequestInfo};
#[cfg(test)]
pub(crate) use query::QueryError;
pub(crate) use traces::{Trace, Traces};

/// Seconds over which the rate is taken.
const RATE_WINDOW: usize = 5;
/// The largest number of remembered changes of events that are shown already.
const MAX_CHANGES: usize = 2_000;

/// The numbers in the page's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counters {
    pub(crate) received: u64,
    pub(crate) kept: u64,
    pub(crate) evicted: u64,
    pub(crate) bytes: u64,
    pub(crate) requests: u64,
    pub(crate) per_second: u64,
    pub(crate) findings: u64,
    pub(crate) rejected: u64,
    /// Events of which inspectors could not tell everything.
    pub(crate) missed: u64,
}

pub(crate) struct Store {
    inner: Mutex<Inner>,
    version: watch::Sender<u64>,
}

struct Inner {
    entries: VecDeque<Arc<Entry>>,
    /// The last event with a `messageId`, by the id's hash.
    ids: HashMap<u64, u64>,
    hasher: RandomState,
    traces: Traces,
    /// Events whose path or findings changed, with the version at which they did.
    changes: VecDeque<(u64, u64)>,
    version: u64,
    counters: Counters,
    keep_bytes: u64,
    next: u64,
    /// The last event that had to make room for newer ones.
    evicted_through: u64,
    rate: Rate,
}

impl Store {
    pub(crate) fn new(keep_bytes: u64) -> Self {
        let inner = Inner {
            entries: VecDeque::new(),
            ids: HashMap::new(),
            hasher: RandomState::new(),
            traces: Traces::default(),
            changes: VecDeque::new(),
            version: 0,
            counters: Counters::default(),
            keep_bytes,
            next: 1,
            evicted_through: 0,
            rate: Rate::default(),
        };
        Self { inner: Mutex::new(inner), version: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever anything does.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Adds the events of one request, in their order.
    pub(crate) fn push(&self, entries: Vec<Entry>, rejected: u64) {
        let mut inner = self.lock();
        inner.counters.requests += 1;
        inner.counters.rejected += rejected;
        inner.rate.add(Instant::now(), entries.len() as u64);
        entries.into_iter().for_each(|entry| inner.push(entry));
        inner.make_room();
        self.tell(inner);
    }

    /// Adds the reports of inspectors.
    ///
    /// `told` makes the entry of an event that has ended and did not arrive here. `missed` is the number of events with an
    /// incomplete report.
    pub(crate) fn trace(&self, traces: Vec<Trace>, missed: u64, told: impl Fn(Bytes) -> Entry) {
        let mut inner = self.lock();
        inner.counters.missed += missed;
        for trace in traces {
            let seq = inner.ids.get(&inner.hasher.hash_one(trace.message_id.as_str())).copied();
            if let Some(event) = inner.traces.add(trace, seq.is_some()) {
                inner.rate.add(Instant::now(), 1);
                inner.push(told(event));
            }
            if let Some(seq) = seq {
                inner.note_change(seq);
            }
        }
        inner.make_room();
        self.tell(inner);
    }

    /// Removes these events. Returns their number.
    pub(crate) fn remove(&self, goes: impl Fn(&Entry, &Traces) -> bool) -> u64 {
        let mut inner = self.lock();
        let entries = std::mem::take(&mut inner.entries);
        let (gone, kept): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| goes(entry, &inner.traces));
        inner.entries = kept.into();
        gone.iter().for_each(|entry| inner.forget(entry));
        let removed = gone.len() as u64;
        self.tell(inner);
        removed
    }

    fn tell(&self, mut inner: MutexGuard<'_, Inner>) {
        inner.version += 1;
        let version = inner.version;
        drop(inner);
        self.version.send_replace(version);
    }

    pub(crate) fn counters(&self) -> Counters {
        let mut inner = self.lock();
        let per_second = inner.rate.per_second(Instant::now());
        Counters { per_second, ..inner.counters }
    }

    /// The last event that had to make room.
    pub(crate) fn evicted_through(&self) -> u64 {
        self.lock().evicted_through
    }

    /// The first and the last event that are kept.
    pub(crate) fn bounds(&self) -> (u64, u64) {
        let inner = self.lock();
        let newest = inner.next - 1;
        (inner.entries.front().map_or(newest, |entry| entry.seq), newest)
    }

    /// At most `count` events after `seq`, the oldest first.
    pub(crate) fn after(&self, seq: u64, count: usize) -> Vec<Arc<Entry>> {
        let inner = self.lock();
        let from = inner.entries.partition_point(|entry| entry.seq <= seq);
        inner.entries.range(from..).take(count).cloned().collect()
    }

    /// At most `count` events before `seq`, the newest first.
    pub(crate) fn before(&self, seq: u64, count: usize) -> Vec<Arc<Entry>> {
        let inner = self.lock();
        let to = inner.entries.partition_point(|entry| entry.seq < seq);
        inner.entries.range(..to).rev().take(count).cloned().collect()
    }

    /// The events with these numbers, the oldest first.
    fn between(&self, first: u64, last: u64) -> Vec<Arc<Entry>> {
        let inner = self.lock();
        let from = inner.entries.partition_point(|entry| entry.seq < first);
        let to = inner.entries.partition_point(|entry| entry.seq <= last);
        inner.entries.range(from..to.max(from)).cloned().collect()
    }

    /// The events that changed after `version`, without those that arrived since, and the version now.
    pub(crate) fn changed_since(&self, version: u64) -> (u64, Vec<Arc<Entry>>) {
        let inner = self.lock();
        let mut seqs: Vec<u64> = inner.changes.iter().filter(|(at, _)| *at > version).map(|(_, seq)| *seq).collect();
        seqs.sort_unstable();
        seqs.dedup();
        let found = seqs.into_iter().filter_map(|seq| inner.get(seq)).collect();
        (inner.version, found)
    }

    pub(crate) fn get(&self, seq: u64) -> Option<Arc<Entry>> {
        self.lock().get(seq)
    }

    /// Returns whether an event with this id is kept.
    pub(crate) fn has_id(&self, message_id: &str) -> bool {
        let inner = self.lock();
        inner.ids.contains_key(&inner.hasher.hash_one(message_id))
    }

    /// Runs `with` on the reports of inspectors.
    pub(crate) fn with_traces<T>(&self, with: impl FnOnce(&Traces) -> T) -> T {
        with(&self.lock().traces)
    }
}

impl Inner {
    fn note_change(&mut self, seq: u64) {
        self.changes.push_back((self.version + 1, seq));
        if self.changes.len() > MAX_CHANGES {
            self.changes.pop_front();
        }
    }

    /// Adds an event under the next number.
    fn push(&mut self, mut entry: Entry) {
        entry.seq = self.next;
        self.next += 1;
        if let Some(id) = entry.message_id() {
            self.ids.insert(self.hasher.hash_one(&*id), entry.seq);
        }
        self.counters.received += 1;
        self.counters.kept += 1;
        self.counters.bytes += entry.cost();
        self.counters.findings += entry.findings.len() as u64;
        self.entries.push_back(Arc::new(entry));
    }

    /// The newest event stays, however large it is.
    fn make_room(&mut self) {
        while self.counters.bytes > self.keep_bytes && self.entries.len() > 1 {
            let Some(entry) = self.entries.pop_front() else { return };
            self.evicted_through = entry.seq;
            self.forget(&entry);
        }
    }

    fn forget(&mut self, entry: &Entry) {
        self.counters.kept -= 1;
        self.counters.evicted += 1;
        self.counters.bytes -= entry.cost();
        self.counters.findings -= entry.findings.len() as u64;
        let Some(id) = entry.message_id() else { return };
        let hash = self.hasher.hash_one(&*id);
        if self.ids.get(&hash) == Some(&entry.seq) {
            self.ids.remove(&hash);
            self.traces.remove(&id);
        }
    }

    fn get(&self, seq: u64) -> Option<Arc<Entry>> {
        let at = self.entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
        self.entries.get(at).cloned()
    }
}

/// Events of the last seconds, second by second.
#[derive(Default)]
struct Rate {
    seconds: VecDeque<(Instant, u64)>,
}

impl Rate {
    fn add(&mut self, now: Instant, events: u64) {
        match self.seconds.back_mut() {
            Some((start, count)) if now.duration_since(*start) < Duration::from_secs(1) => *count += events,
            _ => self.seconds.push_back((now, events)),
        }
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        let window = Duration::from_secs(RATE_WINDOW as u64);
        while self.seconds.front().is_some_and(|(start, _)| now.duration_since(*start) > window) {
            self.seconds.pop_front();
        }
    }

    fn per_second(&mut self, now: Instant) -> u64 {
        self.forget(now);
        let Some((start, _)) = self.seconds.front() else { return 0 };
        let span = now.duration_since(*start).as_secs_f64().max(1.0);
        let total: u64 = self.seconds.iter().map(|(_, count)| count).sum();
        (total as f64 / span).round() as u64
    }
}
