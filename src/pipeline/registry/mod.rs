//! Registers and deregisters plugins while events flow.
//!
//! Both are commands that go through the intake. So events that were sent after a plugin was registered wait until it
//! has loaded. Every load and unload has a deadline, and its panics are caught.

mod current_stack;
mod plugin_set;

use std::sync::Arc;

use super::lane::{self, ClientParts, Lane, LaneConfig};
use super::stack::{Missing, Registered};
use crate::emitter::signal::{Emitted, Failure, PluginInfo};
use crate::ledger::DropReason;
use crate::plugin::{Behavior, Host, Registration};
use crate::refusal::RegisterError;
use crate::supervise::{self, CodeKind, Fault, LIFECYCLE_LIMIT, Watchdog};
use crate::wait_group::WaitGroup;
pub(super) use current_stack::CurrentStack;
use plugin_set::Removed;

/// Changes what is registered. The worker owns it and makes one change after the other.
pub(crate) struct Registry {
    pub(super) stack: Arc<CurrentStack>,
    pub(super) lanes: ClientParts,
    pub(super) watchdog: Watchdog,
    pub(super) host: Host,
    /// Counts the deregistered plugins that are still unloading.
    pub(super) unloading: WaitGroup,
}

/// Loads the plugin and puts it into the stack. If it fails to load, the registry remembers which events it should have
/// had. An event that a destination misses counts as lost. An event that a before plugin should have seen is dropped.
pub(super) async fn register(registry: &Registry, registration: Registration) -> Result<(), RegisterError> {
    let name = registration.name.clone();
    if registry.stack.load().plugins.names().any(|registered| *registered == name) {
        return Err(RegisterError::Duplicate { name: name.to_string() });
    }
    let missing = Missing::of(&registration);
    if let Some(quarantine) = registration.quarantined_at().cloned() {
        registry.stack.update(|plugins| plugins.quarantines.push(quarantine));
    }
    let loaded = load(registry, registration).await;
    registry.stack.update(|plugins| {
        plugins.forget_missing(&name);
        if loaded.is_err() {
            plugins.remember(missing);
        }
    });
    loaded
}

async fn load(registry: &Registry, mut registration: Registration) -> Result<(), RegisterError> {
    let name = registration.name.clone();
    let lifecycle = registration.lifecycle.clone();
    let role = registration.role();
    let watched = registry.watchdog.watch(name.clone(), CodeKind::Plugin(role.as_str()));
    if let Err(fault) =
        supervise::run(&watched, &registry.lanes.clock, LIFECYCLE_LIMIT, || lifecycle.load(&registry.host)).await
    {
        return Err(not_loaded(&name, fault));
    }
    match std::mem::replace(&mut registration.behavior, Behavior::Utility) {
        Behavior::Before(runner) => {
            let plugin = Registered::new(registration.transform(runner), watched);
            registry.stack.update(|plugins| plugins.before.push(plugin));
        }
        Behavior::Enrichment(runner) => {
            let plugin = Registered::new(registration.transform(runner), watched);
            registry.stack.update(|plugins| plugins.enrichment.push(plugin));
        }
        Behavior::After(call) => {
            let plugin = Registered::new(registration.after(call), watched);
            registry.stack.update(|plugins| plugins.add_after(plugin));
        }
        Behavior::Destination(destination) => {
            let kinds = Box::new(registration.kinds());
            // The layers around the destination are user code.
            let config = supervise::call(&watched, || Ok(LaneConfig::from(*destination)))
                .map_err(|fault| not_loaded(&name, fault))?;
            let lane = lane::spawn(&registry.lanes, config, registration.lifecycle, kinds, watched);
            registry.stack.update(|plugins| plugins.lanes.push(lane));
        }
        Behavior::Utility => {
            let utility = (name.clone(), registration.lifecycle);
            registry.stack.update(|plugins| plugins.utilities.push(utility));
        }
    }
    registry.lanes.emitter.emit(Emitted::Register(PluginInfo { name, role }));
    Ok(())
}

fn not_loaded(name: &str, fault: Fault) -> RegisterError {
    let (name, problem) = (name.to_owned(), fault.to_string());
    RegisterError::Load { name, problem, source: fault.into_error() }
}

/// Takes the plugin out of the stack. A destination then drains, and at last the plugin is unloaded. The first part is
/// done when this returns, the second when the returned future ends.
pub(super) fn deregister(
    registry: &Arc<Registry>,
    name: &str,
) -> Result<impl Future<Output = Result<(), RegisterError>> + Send + use<>, RegisterError> {
    let (removed, was_absent) = registry.stack.update(|plugins| (plugins.remove(name), plugins.forget_missing(name)));
    if removed.is_none() && !was_absent {
        return Err(RegisterError::Unknown { name: name.to_owned() });
    }
    let (registry, name, busy) = (registry.clone(), Arc::from(name), registry.unloading.enter());
    Ok(async move {
        let unloaded = match removed {
            Some(removed) => unload(&registry, name, removed).await,
            // It was never loaded.
            None => Ok(()),
        };
        registry.stack.drop_unused_versions();
        drop(busy);
        unloaded
    })
}

async fn unload(registry: &Registry, name: Arc<str>, removed: Removed) -> Result<(), RegisterError> {
    let Removed { role, lifecycle, lane } = removed;
    if let Some(lane) = lane {
        drain(registry, &lane).await;
        registry.stack.remove_drained(&lane);
    }
    let watched = registry.watchdog.watch(name.clone(), CodeKind::Plugin(role.as_str()));
    let outcome = supervise::run(&watched, &registry.lanes.clock, LIFECYCLE_LIMIT, || lifecycle.unload()).await;
    registry.lanes.emitter.report_held(Some(&name));
    registry.lanes.emitter.emit(Emitted::Deregister(PluginInfo { name: name.clone(), role }));
    outcome.map_err(|fault| {
        let (name, problem) = (name.to_string(), fault.to_string());
        RegisterError::Unload { name, problem, source: fault.into_error() }
    })
}

/// Lets the lane deliver what it has, within the time that a plugin has to end.
async fn drain(registry: &Registry, lane: &Arc<Lane>) {
    lane.close();
    if registry.lanes.clock.timeout(LIFECYCLE_LIMIT, lane.stopped()).await.is_some() {
        return;
    }
    let dropped = lane.abandon(DropReason::Unavailable);
    let message = format!("deregistered before {dropped} events were delivered; they are dropped");
    let mut failure = Failure::of_destination(lane.name().clone(), message, dropped);
    failure.dropped = Some(DropReason::Unavailable);
    registry.lanes.emitter.fail(failure);
}

/// Unloads everything that is registered, at the end of the client. The stack stays, so that its counts can be read.
pub(super) async fn unload_all(registry: &Registry) {
    let mut plugins = registry.stack.load().plugins.clone();
    let names: Vec<Arc<str>> = plugins.names().cloned().collect();
    for name in names {
        let Some(removed) = plugins.remove(&name) else { continue };
        if let Err(error) = unload(registry, name.clone(), removed).await {
            let mut failure = Failure::new(name, supervise::text_with_causes(&error), 0);
            failure.error = Some(Arc::new(error));
            registry.lanes.emitter.fail(failure);
        }
    }
}
