//! What is registered: the plugins by role.

use std::sync::Arc;

use super::lane::Lane;
use super::stack::{Absence, Absent, AbsentBefore, Registered, StackPlugins};
use crate::ledger::PluginStats;
use crate::plugin::{AfterPlugin, Lifecycle, Role, TransformPlugin};

/// The plugins by role, each role in the order of registration.
#[derive(Clone, Default)]
pub(super) struct PluginSet {
    pub(super) before: Vec<Registered<TransformPlugin>>,
    pub(super) enrichment: Vec<Registered<TransformPlugin>>,
    pub(super) lanes: Vec<Arc<Lane>>,
    /// The names of destinations that get what plugins drop, and nothing else: whoever was one stays one.
    pub(super) quarantines: Vec<Arc<str>>,
    pub(super) after: Arc<[Registered<AfterPlugin>]>,
    pub(super) utilities: Vec<(Arc<str>, Arc<dyn Lifecycle>)>,
    /// Destinations that could not be loaded: what they were to have is lost, and not unwanted.
    pub(super) absent: Vec<Absent>,
    /// Before plugins that could not be loaded: no event passes that one of them was to see.
    pub(super) absent_before: Vec<AbsentBefore>,
}

/// What was taken out.
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

    /// How many events may be in the stack at once: as many as the plugins take together that take more than one.
    pub(super) fn concurrency(&self) -> usize {
        let plugins = self.before.iter().chain(&self.enrichment).map(|plugin| plugin.concurrency());
        plugins.filter(|events| *events > 1).fold(0_usize, usize::saturating_add).max(1)
    }

    /// What a stack is made of.
    pub(super) fn for_stack(&self) -> StackPlugins {
        let is_quarantine = |name: &str| self.quarantines.iter().any(|quarantine| **quarantine == *name);
        let (quarantines, lanes) = self.lanes.iter().cloned().partition(|lane| is_quarantine(lane.name()));
        StackPlugins {
            before: self.before.clone(),
            absent_before: self.absent_before.clone(),
            enrichment: self.enrichment.clone(),
            lanes,
            quarantines,
            absent: self.absent.iter().filter(|absent| !is_quarantine(absent.name())).cloned().collect(),
            is_shown: !self.after.is_empty(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| &plugin.name);
        let lanes = self.lanes.iter().map(|lane| lane.name());
        let after = self.after.iter().map(|plugin| &plugin.name);
        transforms.chain(lanes).chain(after).chain(self.utilities.iter().map(|(name, _)| name))
    }

    /// Remembers a plugin that could not be loaded.
    pub(super) fn remember(&mut self, absence: Absence) {
        match absence {
            Absence::Before(absent) => self.absent_before.push(absent),
            Absence::Destination(absent) => self.absent.push(absent),
            Absence::Other => {}
        }
    }

    /// Nobody waits any more for a plugin that could not be loaded. Whether there was one of that name.
    pub(super) fn forget_absent(&mut self, name: &str) -> bool {
        let absent = |set: &Self| set.absent.len() + set.absent_before.len();
        let before = absent(self);
        self.absent.retain(|absent| absent.name() != name);
        self.absent_before.retain(|absent| &*absent.name != name);
        absent(self) < before
    }

    /// The records of the plugins that events pass, in the order in which they pass them.
    pub(super) fn plugin_stats(&self) -> Vec<PluginStats> {
        let absent = self.absent_before.iter().map(|absent| absent.record.stats(&absent.name));
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| plugin.record.stats(&plugin.name));
        absent.chain(transforms).chain(self.after.iter().map(|plugin| plugin.record.stats(&plugin.name))).collect()
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
