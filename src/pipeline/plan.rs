//! What is registered, as one immutable plan.
//!
//! Registering and deregistering swap the plan; an event finishes on the one it began with.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::Shared;
use super::lane::Lane;
use crate::event::{Event, Kind};
use crate::ledger::{DropReason, Ledger, PluginStats, Ticket};
use crate::plugin::{AfterPlugin, Behavior, Lifecycle, Registration, Role, Selection, TransformPlugin};
use crate::supervise::Watched;

/// The plugins by role, each role in the order of registration.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(super) before: Vec<Registered<TransformPlugin>>,
    pub(super) enrichment: Vec<Registered<TransformPlugin>>,
    pub(super) lanes: Vec<Arc<Lane>>,
    pub(super) after: Vec<Registered<AfterPlugin>>,
    pub(super) utilities: Vec<(Arc<str>, Arc<dyn Lifecycle>)>,
    /// Destinations that could not be loaded: what they were to have is lost, and not unwanted.
    pub(super) absent: Vec<Absent>,
    /// Before plugins that could not be loaded: no event passes that one of them was to see.
    pub(super) absent_before: Vec<AbsentBefore>,
}

/// A destination that could not be loaded, and which events it would have got.
#[derive(Clone)]
pub(super) struct Absent {
    selection: Selection,
    kinds: Arc<dyn Fn(Kind) -> bool + Send + Sync>,
}

/// A before plugin that could not be loaded, which events it was to see, and how many were dropped for that.
#[derive(Clone)]
pub(super) struct AbsentBefore {
    pub(super) name: Arc<str>,
    pub(super) record: Arc<PluginRecord>,
    kinds: Arc<dyn Fn(Kind) -> bool + Send + Sync>,
}

/// What a plan remembers of a plugin that could not be loaded. Without any other plugin events go on.
pub(super) enum Absence {
    Before(AbsentBefore),
    Destination(Absent),
    Other,
}

impl Absence {
    /// What would be remembered of this one.
    pub(super) fn of(registration: &Registration) -> Self {
        let kinds = registration.kinds();
        if let Some(selection) = registration.selection() {
            return Absence::Destination(Absent::new(selection, kinds));
        }
        if !matches!(registration.behavior, Behavior::Before(_)) {
            return Absence::Other;
        }
        let (name, record) = (registration.name.clone(), Arc::default());
        Absence::Before(AbsentBefore { name, record, kinds: Arc::new(kinds) })
    }

    /// What follows for events, to be said behind the reason.
    pub(super) fn consequence(&self) -> &'static str {
        match self {
            Absence::Before(_) => "; every event that it was to see is dropped until it is registered or deregistered",
            Absence::Destination(_) => "; what it was to have is dropped until it is registered or deregistered",
            Absence::Other => "; events go on without it",
        }
    }
}

impl Absent {
    pub(super) fn new(selection: Selection, kinds: impl Fn(Kind) -> bool + Send + Sync + 'static) -> Self {
        Self { selection, kinds: Arc::new(kinds) }
    }

    fn was_for(&self, event: &Event) -> bool {
        (self.kinds)(event.kind()) && self.selection.selects(event)
    }
}

/// A plugin in the plan, how the watchdog sees it, and its record.
pub(super) struct Registered<P> {
    plugin: Arc<P>,
    pub(super) watched: Arc<Watched>,
    pub(super) record: Arc<PluginRecord>,
}

/// What a plugin has done, beside its work.
#[derive(Default)]
pub(super) struct PluginRecord {
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl<P> Registered<P> {
    pub(super) fn new(plugin: P, watched: Arc<Watched>) -> Self {
        Self { plugin: Arc::new(plugin), watched, record: Arc::default() }
    }
}

impl PluginRecord {
    /// Counts an event that the plugin failed at.
    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event that the plugin dropped on purpose.
    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn stats(&self, name: &Arc<str>) -> PluginStats {
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

/// An event, the plan that it is on, and what all of the pipeline shares: the stages have nothing of their own, so
/// that to clone them costs nothing.
pub(crate) struct Passage {
    pub(super) event: Event,
    pub(super) plan: Arc<Plan>,
    pub(super) shared: Arc<Shared>,
}

/// What was taken out of a plan.
pub(super) struct Removed {
    pub(super) role: Role,
    pub(super) lifecycle: Arc<dyn Lifecycle>,
    pub(super) lane: Option<Arc<Lane>>,
}

impl Plan {
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let transforms = self.before.iter().chain(&self.enrichment).map(|plugin| &plugin.name);
        let lanes = self.lanes.iter().map(|lane| lane.name());
        let after = self.after.iter().map(|plugin| &plugin.name);
        transforms.chain(lanes).chain(after).chain(self.utilities.iter().map(|(name, _)| name))
    }

    /// Why an event is dropped that no destination in the plan is to have.
    #[cold]
    pub(super) fn why_nobody(&self, event: &Event) -> DropReason {
        match self.absent.iter().any(|absent| absent.was_for(event)) {
            true => DropReason::Unavailable,
            false => DropReason::NoDestination,
        }
    }

    /// Counts an event that others have as lost for the destinations that could not be loaded.
    pub(super) fn count_absent(&self, event: &Event, ticket: &Ticket, ledger: &Ledger) {
        let missing = self.absent.iter().filter(|absent| absent.was_for(event));
        missing.for_each(|_| ledger.count_failed_deliveries(std::iter::once(ticket)));
    }

    /// The before plugin, if there is one, that was to see events of this kind and could not be loaded.
    pub(super) fn missed_before(&self, kind: Kind) -> Option<&AbsentBefore> {
        self.absent_before.iter().find(|absent| (absent.kinds)(kind))
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
        let absent = |plan: &Self| plan.absent.len() + plan.absent_before.len();
        let before = absent(self);
        self.absent.retain(|absent| &**absent.selection.name() != name);
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
        if let Some(at) = self.after.iter().position(|plugin| &*plugin.name == name) {
            return Some(Removed { role: Role::After, lifecycle: self.after.remove(at).lifecycle.clone(), lane: None });
        }
        let at = self.utilities.iter().position(|(utility, _)| &**utility == name)?;
        Some(Removed { role: Role::Utility, lifecycle: self.utilities.remove(at).1, lane: None })
    }
}

/// The plan of now, and what is left of earlier ones.
#[derive(Default)]
pub(crate) struct CurrentPlan {
    now: ArcSwap<Plan>,
    old: Mutex<Old>,
}

#[derive(Default)]
struct Old {
    /// Plans that somebody may still read. They are kept, so that no plugin is dropped by whoever does.
    plans: Vec<Arc<Plan>>,
    /// Lanes that are in no plan any more, and have not ended.
    draining: Vec<Arc<Lane>>,
}

impl CurrentPlan {
    pub(crate) fn load(&self) -> Arc<Plan> {
        self.now.load_full()
    }

    fn old(&self) -> MutexGuard<'_, Old> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Swaps in what `change` makes of the plan. Only the worker changes plans, one after the other.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        let mut plan = Plan::clone(&self.load());
        let outcome = change(&mut plan);
        let lanes = plan.lanes.clone();
        // Under the lock, so that a lane is always to be found in one place or the other.
        let mut old = self.old();
        let before = self.now.swap(Arc::new(plan));
        let kept = |lane: &Arc<Lane>| lanes.iter().any(|kept| Arc::ptr_eq(kept, lane));
        old.draining.extend(before.lanes.iter().filter(|lane| !kept(lane)).cloned());
        old.plans.push(before);
        drop(old);
        self.forget_the_old();
        outcome
    }

    /// All lanes that may have something under way.
    pub(super) fn lanes(&self) -> Vec<Arc<Lane>> {
        let old = self.old();
        self.load().lanes.iter().chain(&old.draining).cloned().collect()
    }

    /// The lane has ended.
    pub(super) fn drained(&self, lane: &Arc<Lane>) {
        self.old().draining.retain(|draining| !Arc::ptr_eq(draining, lane));
    }

    /// Drops the plans that nobody reads any more, and plugins with them: here, and not where somebody has read them.
    pub(super) fn forget_the_old(&self) {
        let unread: Vec<_> = self.old().plans.extract_if(.., |plan| Arc::strong_count(plan) == 1).collect();
        drop(unread);
    }

    /// Whether there is no plugin, not even an old one.
    pub(super) fn is_empty(&self) -> bool {
        self.load().names().next().is_none() && self.old().plans.is_empty()
    }

    /// Takes out everything, which holds all plugins, for the end of the client.
    pub(super) fn take(&self) -> impl Send + use<> {
        (self.now.swap(Arc::default()), std::mem::take(&mut *self.old()))
    }
}
