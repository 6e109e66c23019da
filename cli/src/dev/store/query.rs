//! Windows of the events that match a filter, and how many they are.
//!
//! Events are searched in blocks, so that no search delays arriving events, and so that all cores take part.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{Entry, Store};
use crate::filter::Filter;

/// Events that are looked at between two locks.
const BLOCK: usize = 2_048;
/// Blocks for which another thread is started.
const BLOCKS_OF_A_THREAD: u64 = 4;
/// Threads of a search at most.
const MAX_THREADS: u64 = 4;

/// A window of events.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The newest first.
    pub(crate) events: Vec<Arc<Entry>>,
    /// The number of kept events that match.
    pub(crate) matched: u64,
}

/// The reason why there is no window.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum QueryError {
    /// The events behind the cursor had to make room for newer ones.
    FellOut,
}

impl Store {
    /// Returns whether each event matches.
    pub(crate) fn select(&self, entries: Vec<Arc<Entry>>, filter: &Filter) -> Vec<Arc<Entry>> {
        if filter.is_empty() {
            return entries;
        }
        // Paths need the lock; everything else works without it.
        if !filter.asks_for_paths() {
            return entries.into_iter().filter(|entry| filter.matches(&entry.subject())).collect();
        }
        self.with_traces(|traces| {
            entries.into_iter().filter(|entry| filter.matches(&entry.subject_with_path(traces))).collect()
        })
    }

    /// The newest `limit` events before `before`, and how many match in all.
    pub(crate) fn page_before(&self, before: u64, limit: usize, filter: &Filter) -> Page {
        if filter.is_empty() {
            return Page { events: self.before(before, limit), matched: self.counters().kept };
        }
        self.scan(u64::MAX, before, limit, filter)
    }

    /// The newest `limit` events up to `newest`, and how many of these match: those that arrive meanwhile are not in it.
    pub(crate) fn page_through(&self, newest: u64, limit: usize, filter: &Filter) -> Page {
        self.scan(newest.saturating_add(1), u64::MAX, limit, filter)
    }

    /// Counts the events before `cursor`, and keeps those before `before`.
    fn scan(&self, cursor: u64, before: u64, limit: usize, filter: &Filter) -> Page {
        let (oldest, newest) = self.bounds();
        let search =
            Search { store: self, filter, before, limit, oldest, newest: newest.min(cursor.saturating_sub(1)) };
        let mut found = search.run();
        found.sort_by_key(|block| block.number);
        let matched = found.iter().map(|block| block.matched).sum();
        Page { events: found.into_iter().flat_map(|block| block.events).take(limit).collect(), matched }
    }

    /// The `limit` events that came first after the cursor, the newest first, and how many match in all.
    pub(crate) fn page_after(&self, after: u64, limit: usize, filter: &Filter) -> Result<Page, QueryError> {
        if after < self.evicted_through() {
            return Err(QueryError::FellOut);
        }
        let mut page = Page { matched: self.count(filter), ..Page::default() };
        let mut cursor = after;
        while page.events.len() < limit {
            let block = self.after(cursor, BLOCK);
            let Some(last) = block.last() else { break };
            cursor = last.seq;
            page.events.extend(self.select(block, filter));
        }
        page.events.truncate(limit);
        page.events.reverse();
        Ok(page)
    }

    fn count(&self, filter: &Filter) -> u64 {
        self.page_before(0, 0, filter).matched
    }

    /// Calls `visit` for each event that matches, the oldest first, until it returns that it has enough.
    pub(crate) fn each(&self, filter: &Filter, mut visit: impl FnMut(&Arc<Entry>) -> bool) {
        let mut cursor = 0;
        loop {
            let block = self.after(cursor, BLOCK);
            let Some(last) = block.last() else { return };
            cursor = last.seq;
            if !self.select(block, filter).iter().all(&mut visit) {
                return;
            }
        }
    }
}

/// A search of the events of some numbers.
struct Search<'a> {
    store: &'a Store,
    filter: &'a Filter,
    before: u64,
    limit: usize,
    oldest: u64,
    newest: u64,
}

/// What a block of events has.
struct Block {
    /// The number of newer blocks.
    number: u64,
    matched: u64,
    /// The newest first.
    events: Vec<Arc<Entry>>,
}

impl Search<'_> {
    /// Searches all blocks, on as many threads as that is worth.
    fn run(&self) -> Vec<Block> {
        let blocks = (self.newest + 1).saturating_sub(self.oldest).div_ceil(BLOCK as u64);
        let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
        let threads = (blocks / BLOCKS_OF_A_THREAD).min(cores).min(MAX_THREADS);
        let next = AtomicU64::new(0);
        let work = || {
            let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
            numbers.take_while(|number| *number < blocks).map(|number| self.block(number)).collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            // If there is no further thread, those that there are do it.
            let start = || thread::Builder::new().name("search".to_owned()).spawn_scoped(scope, work).ok();
            let others: Vec<_> = (1..threads).map_while(|_| start()).collect();
            let mut found = work();
            for other in others {
                found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            found
        })
    }

    fn block(&self, number: u64) -> Block {
        let last = self.newest - number * BLOCK as u64;
        let first = (last + 1).saturating_sub(BLOCK as u64).max(self.oldest);
        let mut found = self.store.select(self.store.between(first, last), self.filter);
        let matched = found.len() as u64;
        found.retain(|entry| entry.seq < self.before);
        let events = found.into_iter().rev().take(self.limit).collect();
        Block { number, matched, events }
    }
}
