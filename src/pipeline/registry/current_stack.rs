//! The current stack, and the earlier ones that events are still on.
//!
//! Registering and deregistering swap it whole. An event finishes on the stack that it began with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::plugin_set::PluginSet;
use crate::pipeline::lane::Lane;
use crate::pipeline::stack::{Registered, Stack, StackParts};
use crate::plugin::AfterPlugin;

/// The plugins that are registered now.
pub(crate) struct CurrentStack {
    parts: StackParts,
    now: ArcSwap<Version>,
    old: Mutex<Old>,
}

/// The plugins, and the stack that was made of them.
pub(in crate::pipeline) struct Version {
    pub(in crate::pipeline) plugins: PluginSet,
    pub(in crate::pipeline) stack: Stack,
    /// The number of events that may be in the stack at once.
    pub(in crate::pipeline) concurrency: usize,
    /// Something sees events before their batches leave: a plugin, a layer or an inspector.
    pub(in crate::pipeline) is_seen: bool,
}

#[derive(Default)]
struct Old {
    /// Versions that an event may still be on. They are kept here, so that no plugin is dropped where such an event
    /// ends.
    versions: Vec<Arc<Version>>,
    /// Lanes that are in no stack any more, and have not ended.
    draining: Vec<Arc<Lane>>,
}

impl Version {
    fn new(plugins: PluginSet, parts: &StackParts) -> Arc<Self> {
        let (stack, concurrency) = (parts.stack(plugins.for_stack()), plugins.concurrency());
        let is_seen = plugins.has_transforms() || parts.layers().next().is_some() || parts.inspector.is_some();
        Arc::new(Self { plugins, stack, concurrency, is_seen })
    }

    /// Returns whether no event is on this version. Ask only for a version that nobody can load any more: counts first
    /// who holds it, then who holds its stack.
    fn is_unread(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && self.stack.is_unread()
    }
}

impl CurrentStack {
    pub(in crate::pipeline) fn new(parts: StackParts) -> Self {
        let now = ArcSwap::new(Version::new(PluginSet::default(), &parts));
        Self { parts, now, old: Mutex::default() }
    }

    pub(in crate::pipeline) fn load(&self) -> Arc<Version> {
        self.now.load_full()
    }

    /// Returns the stack for an event, and how many events may be in it at once.
    pub(in crate::pipeline) fn stack(&self) -> (Stack, usize) {
        let now = self.now.load();
        (now.stack.clone(), now.concurrency)
    }

    pub(in crate::pipeline) fn after_plugins(&self) -> Arc<[Registered<AfterPlugin>]> {
        self.now.load().plugins.after.clone()
    }

    fn old(&self) -> MutexGuard<'_, Old> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps in the plugins as `change` leaves them. Only the worker changes them, one change after the other.
    pub(in crate::pipeline) fn update<T>(&self, change: impl FnOnce(&mut PluginSet) -> T) -> T {
        let mut plugins = self.load().plugins.clone();
        let outcome = change(&mut plugins);
        let lanes = plugins.lanes.clone();
        let version = Version::new(plugins, &self.parts);
        // Under the lock, so that a lane is always found in one of the two places.
        let mut old = self.old();
        let before = self.now.swap(version);
        let kept = |lane: &Arc<Lane>| lanes.iter().any(|kept| Arc::ptr_eq(kept, lane));
        old.draining.extend(before.plugins.lanes.iter().filter(|lane| !kept(lane)).cloned());
        old.versions.push(before);
        drop(old);
        self.drop_unused_versions();
        outcome
    }

    /// Returns all lanes that may have something under way.
    pub(in crate::pipeline) fn lanes(&self) -> Vec<Arc<Lane>> {
        let old = self.old();
        self.load().plugins.lanes.iter().chain(&old.draining).cloned().collect()
    }

    /// Notes that the lane has ended.
    pub(in crate::pipeline) fn remove_drained(&self, lane: &Arc<Lane>) {
        self.old().draining.retain(|draining| !Arc::ptr_eq(draining, lane));
    }

    /// Drops the versions that no event is on any more, and plugins with them. They are dropped here, not where an
    /// event ends.
    pub(in crate::pipeline) fn drop_unused_versions(&self) {
        let unread: Vec<_> = self.old().versions.extract_if(.., |version| version.is_unread()).collect();
        drop(unread);
    }

    /// Drops the user's layers, at the end of the worker.
    pub(in crate::pipeline) fn end_layers(&self) {
        self.parts.layers().for_each(|layers| layers.end());
    }

    /// Returns whether there is no plugin, in earlier versions included.
    pub(in crate::pipeline) fn is_empty(&self) -> bool {
        self.load().plugins.names().next().is_none() && self.old().versions.is_empty()
    }

    /// Takes out everything, all plugins included, for the end of the client.
    pub(in crate::pipeline) fn take(&self) -> impl Send + use<> {
        let empty = Version::new(PluginSet::default(), &self.parts);
        (self.now.swap(empty), std::mem::take(&mut *self.old()))
    }
}
