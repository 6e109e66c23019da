//! Registering and deregistering while events flow.
//!
//! Both are commands that go through the intake, so that what was sent after a plugin was registered waits until it
//! has loaded. Every load and unload has a deadline, and its panics stay there.

use std::sync::Arc;

use super::current::CurrentStack;
use super::lane::{self, ClientParts, Lane, LaneConfig};
use super::plugin_set::Removed;
use super::stack::{Absence, Registered};
use crate::emitter::signal::{Emitted, Failure, PluginInfo};
use crate::ledger::DropReason;
use crate::plugin::{Behavior, Host, Registration};
use crate::refusal::RegisterError;
use crate::supervise::{self, Fault, LIFECYCLE_LIMIT, Stage, Watchdog};
use crate::wait_group::WaitGroup;

/// Changes what is registered, for the worker, one change after the other.
pub(crate) struct Registry {
    pub(super) stack: Arc<CurrentStack>,
    pub(super) lanes: ClientParts,
    pub(super) watchdog: Watchdog,
    pub(super) host: Host,
    /// Plugins that were deregistered, until they are unloaded.
    pub(super) unloading: WaitGroup,
}

/// Loads the plugin and puts it into the stack. Of a plugin that cannot be loaded it is remembered which events it was
/// to have: what a destination misses is lost, and not unwanted, and what a before plugin was to see does not pass it by.
pub(super) async fn register(registry: &Registry, registration: Registration) -> Result<(), RegisterError> {
    let name = registration.name.clone();
    if registry.stack.load().plugins.names().any(|registered| *registered == name) {
        return Err(RegisterError::Duplicate { name: name.to_string() });
    }
    let absence = Absence::of(&registration);
    if let Some(quarantine) = registration.quarantined_at().cloned() {
        registry.stack.update(|plugins| plugins.quarantines.push(quarantine));
    }
    let loaded = load(registry, registration).await;
    registry.stack.update(|plugins| {
        plugins.forget_absent(&name);
        if loaded.is_err() {
            plugins.remember(absence);
        }
    });
    loaded
}

async fn load(registry: &Registry, mut registration: Registration) -> Result<(), RegisterError> {
    let name = registration.name.clone();
    let lifecycle = registration.lifecycle.clone();
    let role = registration.role();
    let watched = registry.watchdog.watch(name.clone(), Stage::Plugin(role.as_str()));
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

/// Takes the plugin out of the stack; a destination then drains, and at last the plugin is unloaded. The first half is
/// done when this returns, the second when the future that it returns ends.
pub(super) fn deregister(
    registry: &Arc<Registry>,
    name: &str,
) -> Result<impl Future<Output = Result<(), RegisterError>> + Send + use<>, RegisterError> {
    let (removed, was_absent) = registry.stack.update(|plugins| (plugins.remove(name), plugins.forget_absent(name)));
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
        registry.stack.forget_the_old();
        drop(busy);
        unloaded
    })
}

async fn unload(registry: &Registry, name: Arc<str>, removed: Removed) -> Result<(), RegisterError> {
    let Removed { role, lifecycle, lane } = removed;
    if let Some(lane) = lane {
        drain(registry, &lane).await;
        registry.stack.drained(&lane);
    }
    let watched = registry.watchdog.watch(name.clone(), Stage::Plugin(role.as_str()));
    let outcome = supervise::run(&watched, &registry.lanes.clock, LIFECYCLE_LIMIT, || lifecycle.unload()).await;
    registry.lanes.emitter.report_held(Some(&name));
    registry.lanes.emitter.emit(Emitted::Deregister(PluginInfo { name: name.clone(), role }));
    outcome.map_err(|fault| {
        let (name, problem) = (name.to_string(), fault.to_string());
        RegisterError::Unload { name, problem, source: fault.into_error() }
    })
}

/// Lets the lane deliver what it has, as long as a plugin may take to end.
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

/// Unloads everything that is registered, for the end of the client. The stack stays, so that its counts can be read.
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
