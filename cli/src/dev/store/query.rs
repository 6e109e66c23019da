//! Windows of the events that match a filter, and how many they are.
//!
//! Events are searched in blocks, so that no search delays arriving events.

use std::sync::Arc;

use super::{Entry, Store};
use crate::filter::Filter;

/// Events that are looked at between two locks.
const BLOCK: usize = 2_048;

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
    fn scan(&self, mut cursor: u64, before: u64, limit: usize, filter: &Filter) -> Page {
        let mut page = Page::default();
        loop {
            let block = self.before(cursor, BLOCK);
            let Some(last) = block.last() else { return page };
            cursor = last.seq;
            for entry in self.select(block, filter) {
                page.matched += 1;
                if entry.seq < before && page.events.len() < limit {
                    page.events.push(entry);
                }
            }
        }
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
