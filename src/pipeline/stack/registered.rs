//! A plugin in the stack, and its record.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ledger::PluginStats;
use crate::supervise::Watched;

/// A plugin in the stack, with its record and what the watchdog sees of it.
pub(in crate::pipeline) struct Registered<P> {
    plugin: Arc<P>,
    pub(in crate::pipeline) watched: Arc<Watched>,
    pub(in crate::pipeline) record: Arc<PluginRecord>,
}

/// The counts of a plugin's failures and drops.
#[derive(Default)]
pub(in crate::pipeline) struct PluginRecord {
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl<P> Registered<P> {
    pub(in crate::pipeline) fn new(plugin: P, watched: Arc<Watched>) -> Self {
        Self { plugin: Arc::new(plugin), watched, record: Arc::default() }
    }
}

impl PluginRecord {
    /// Counts an event that the plugin failed at.
    pub(in crate::pipeline) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event that the plugin dropped on purpose.
    pub(in crate::pipeline) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::pipeline) fn stats(&self, name: &Arc<str>) -> PluginStats {
        let (failed, dropped) = (self.failed.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed));
        PluginStats { name: name.clone(), failed, dropped }
    }
}

impl<P> Deref for Registered<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.plugin
    }
}

impl<P> Clone for Registered<P> {
    fn clone(&self) -> Self {
        Self { plugin: self.plugin.clone(), watched: self.watched.clone(), record: self.record.clone() }
    }
}
