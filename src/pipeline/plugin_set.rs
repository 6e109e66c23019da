//! The plugins that are registered, by role.

use std::sync::Arc;

use super::lane::Lane;
use super::stack::{Missing, MissingDestination, MissingBefore, Registered, StackPlugins};
use crate::ledger::PluginStats;
use crate::plugin::{AfterPlugin, Lifecycle, Role, TransformPlugin};

/// The plugins by role, each role in the order of registration.
#[derive(Clone, Default)]
pub(super) struct PluginSet {
    pub(super) before: Vec<Registered<TransformPlugin>>,
    pub(super) enrichment: Vec<Registered<TransformPlugin>>,
    pub(super) lanes: Vec<Arc<Lane>>,
    pub(super) after: Arc<[Registered<AfterPlugin>]>,
    pub(super) utilities: Vec<(Arc<str>, Arc<dyn Lifecycle>)>,
    /// Destinations that failed to load. An event that one of them should have had counts as lost.
    pub(super) missing: Vec<MissingDestination>,
    /// Before plugins that failed to load. An event that one of them should have seen is dropped.
    pub(super) missing_before: Vec<MissingBefore>,
}

/// A plugin that was taken out.
pub(super) struct Removed {
    pub(super) role: Role,
    pub(super) lifecycle: Arc<dyn Lifecycle>,
    pub(super) lane: Option<Arc<Lane>>,
}

impl PluginSet {
    /// Adds an after plugin.
    pub(super) fn add_after(&mut self, plugin: Registered<AfterPlugin>) {
        self.after = self.after.iter().cloned().chain([plugin]).collect();
    }

    /// Returns how many events may be in the stack at once: the sum over the plugins that take more than one.
    pub(super) fn concurrency(&self) -> usize {
        let plugins = self.before.iter().chain(&self.enrichment).map(|plugin| plugin.concurrency());
        plugins.filter(|events| *events > 1).fold(0_usize, usize::saturating_add).max(1)
    }

    /// Returns what a stack is made of.
    pub(super) fn for_stack(&self) -> StackPlugins {
        StackPlugins {
            before: self.before.clone(),
            missing_before: self.missing_before.clone(),
            enrichment: self.enrichment.clone(),
            lanes: self.lanes.clone(),
            missing: self.missing.clone(),
            is_shown: !self.after.is_empty(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| &plugin.name);
        let lanes = self.lanes.iter().map(|lane| lane.name());
        let after = self.after.iter().map(|plugin| &plugin.name);
        transforms.chain(lanes).chain(after).chain(self.utilities.iter().map(|(name, _)| name))
    }

    /// Remembers a plugin that failed to load.
    pub(super) fn remember(&mut self, missing: Missing) {
        match missing {
            Missing::Before(missing) => self.missing_before.push(missing),
            Missing::Destination(missing) => self.missing.push(missing),
            Missing::Other => {}
        }
    }

    /// Forgets a plugin that failed to load. Returns whether there was one of that name.
    pub(super) fn forget_missing(&mut self, name: &str) -> bool {
        let missing = |set: &Self| set.missing.len() + set.missing_before.len();
        let before = missing(self);
        self.missing.retain(|missing| missing.name() != name);
        self.missing_before.retain(|missing| &*missing.name != name);
        missing(self) < before
    }

    /// Returns the records of the plugins that events pass, in the order in which they pass them.
    pub(super) fn plugin_stats(&self) -> Vec<PluginStats> {
        let missing = self.missing_before.iter().map(|missing| missing.record.stats(&missing.name));
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| plugin.record.stats(&plugin.name));
        missing.chain(transforms).chain(self.after.iter().map(|plugin| plugin.record.stats(&plugin.name))).collect()
    }

    /// Takes the plugin `name` out.
    pub(super) fn remove(&mut self, name: &str) -> Option<Removed> {
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
