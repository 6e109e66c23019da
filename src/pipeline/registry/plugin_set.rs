//! The plugins that are registered, by role.

use std::sync::Arc;

use crate::ledger::PluginStats;
use crate::pipeline::lane::Lane;
use crate::pipeline::stack::{Missing, MissingBefore, MissingDestination, Registered, StackPlugins};
use crate::plugin::{AfterPlugin, Lifecycle, Role, TransformPlugin};

/// The plugins by role, each role in the order of registration.
#[derive(Clone, Default)]
pub(in crate::pipeline) struct PluginSet {
    pub(in crate::pipeline) before: Vec<Registered<TransformPlugin>>,
    pub(in crate::pipeline) enrichment: Vec<Registered<TransformPlugin>>,
    pub(in crate::pipeline) lanes: Vec<Arc<Lane>>,
    /// The names of destinations that get only the events that plugins drop. A quarantine stays one.
    pub(in crate::pipeline) quarantines: Vec<Arc<str>>,
    pub(in crate::pipeline) after: Arc<[Registered<AfterPlugin>]>,
    pub(in crate::pipeline) utilities: Vec<(Arc<str>, Arc<dyn Lifecycle>)>,
    /// Destinations that failed to load. An event that one of them should have had counts as lost.
    pub(in crate::pipeline) missing: Vec<MissingDestination>,
    /// Before plugins that failed to load. An event that one of them should have seen is dropped.
    pub(in crate::pipeline) missing_before: Vec<MissingBefore>,
}

/// A plugin that was taken out.
pub(in crate::pipeline) struct Removed {
    pub(in crate::pipeline) role: Role,
    pub(in crate::pipeline) lifecycle: Arc<dyn Lifecycle>,
    pub(in crate::pipeline) lane: Option<Arc<Lane>>,
}

impl PluginSet {
    /// Adds an after plugin.
    pub(in crate::pipeline) fn add_after(&mut self, plugin: Registered<AfterPlugin>) {
        self.after = self.after.iter().cloned().chain([plugin]).collect();
    }

    /// Returns whether events pass any plugin before their destinations.
    pub(in crate::pipeline) fn has_transforms(&self) -> bool {
        !self.before.is_empty() || !self.enrichment.is_empty()
    }

    /// Returns how many events may be in the stack at once: the sum over the plugins that take more than one.
    pub(in crate::pipeline) fn concurrency(&self) -> usize {
        let plugins = self.before.iter().chain(&self.enrichment).map(|plugin| plugin.concurrency());
        plugins.filter(|events| *events > 1).fold(0_usize, usize::saturating_add).max(1)
    }

    /// Returns what a stack is made of.
    pub(in crate::pipeline) fn for_stack(&self) -> StackPlugins {
        let is_quarantine = |name: &str| self.quarantines.iter().any(|quarantine| **quarantine == *name);
        let (quarantines, lanes) = self.lanes.iter().cloned().partition(|lane| is_quarantine(lane.name()));
        StackPlugins {
            before: self.before.clone(),
            missing_before: self.missing_before.clone(),
            enrichment: self.enrichment.clone(),
            lanes,
            quarantines,
            missing: self.missing.iter().filter(|missing| !is_quarantine(missing.name())).cloned().collect(),
            is_shown: !self.after.is_empty(),
        }
    }

    pub(in crate::pipeline) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| &plugin.name);
        let lanes = self.lanes.iter().map(|lane| lane.name());
        let after = self.after.iter().map(|plugin| &plugin.name);
        transforms.chain(lanes).chain(after).chain(self.utilities.iter().map(|(name, _)| name))
    }

    /// Remembers a plugin that failed to load.
    pub(in crate::pipeline) fn remember(&mut self, missing: Missing) {
        match missing {
            Missing::Before(missing) => self.missing_before.push(missing),
            Missing::Destination(missing) => self.missing.push(missing),
            Missing::Other => {}
        }
    }

    /// Forgets a plugin that failed to load. Returns whether there was one of that name.
    pub(in crate::pipeline) fn forget_missing(&mut self, name: &str) -> bool {
        let missing = |set: &Self| set.missing.len() + set.missing_before.len();
        let before = missing(self);
        self.missing.retain(|missing| **missing.name() != *name);
        self.missing_before.retain(|missing| &*missing.name != name);
        missing(self) < before
    }

    /// Returns the records of the plugins that events pass, in the order in which they pass them.
    pub(in crate::pipeline) fn plugin_stats(&self) -> Vec<PluginStats> {
        let missing = self.missing_before.iter().map(|missing| missing.record.stats(&missing.name));
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| plugin.record.stats(&plugin.name));
        missing.chain(transforms).chain(self.after.iter().map(|plugin| plugin.record.stats(&plugin.name))).collect()
    }

    /// Takes the plugin `name` out.
    pub(in crate::pipeline) fn remove(&mut self, name: &str) -> Option<Removed> {
        for (role, plugins) in [(Role::Before, &mut self.before), (Role::Enrichment, &mut self.enrichment)] {
            if let Some(at) = plugins.iter().position(|plugin| &*plugin.name == name) {
                return Some(Removed { role, lifecycle: plugins.remove(at).lifecycle.clone(), lane: None });
            }
        }
        if let Some(at) = self.lanes.iter().position(|lane| &**lane.name() == name) {
            let lane = self.lanes.remove(at);
            return Some(Removed { role: Role::Destination, lifecycle: lane.lifecycle().clone(), lane: Some(lane) });
        }
        if let Some(plugin) = self.after.iter().find(|plugin| &*plugin.name == name) {
            let lifecycle = plugin.lifecycle.clone();
            self.after = self.after.iter().filter(|plugin| &*plugin.name != name).cloned().collect();
            return Some(Removed { role: Role::After, lifecycle, lane: None });
        }
        let at = self.utilities.iter().position(|(utility, _)| &**utility == name)?;
        Some(Removed { role: Role::Utility, lifecycle: self.utilities.remove(at).1, lane: None })
    }
}
