//! Registering and deregistering while events flow.
//!
//! Both are commands that go through the intake, so that what was sent after a plugin was registered waits until it
//! has loaded. Every load and unload has a deadline, and its panics stay there.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::lane::{self, Lane, LaneConfig};
use super::plan::{Absence, Plan, Registered, Removed};
use super::{RegisterError, Shared};
use crate::emitter::signal::{Emitted, Failure, PluginInfo};
use crate::ledger::DropReason;
use crate::plugin::{Behavior, Registration};
use crate::supervise::{self, Fault, LIFECYCLE_LIMIT, Stage};

/// What the worker is told between two events.
pub(crate) enum Command {
    Register(Registration, oneshot::Sender<Result<(), RegisterError>>),
    Deregister(String, oneshot::Sender<Result<(), RegisterError>>),
    /// What waits in lanes leaves at once, and what comes while the flush is under way.
    Flush,
    /// What waits in lanes leaves at once.
    Dispatch,
    /// Unload everything and end.
    End,
}

/// Loads the plugin and puts it into the plan. Of a plugin that cannot be loaded the plan remembers which events it was
/// to have: what a destination misses is lost, and not unwanted, and what a before plugin was to see does not pass it by.
pub(super) async fn register(shared: &Shared, registration: Registration) -> Result<(), RegisterError> {
    let name = registration.name.clone();
    if shared.plan.load().names().any(|registered| *registered == name) {
        return Err(RegisterError::Duplicate { name: name.to_string() });
    }
    let absence = Absence::of(&registration);
    let loaded = load(shared, registration).await;
    shared.plan.update(|plan| {
        plan.forget_absent(&name);
        if loaded.is_err() {
            plan.remember(absence);
        }
    });
    loaded
}

async fn load(shared: &Shared, mut registration: Registration) -> Result<(), RegisterError> {
    let name = registration.name.clone();
    let lifecycle = registration.lifecycle.clone();
    let role = registration.role();
    let watched = shared.watchdog.watch(name.clone(), Stage::Plugin(role.as_str()));
    if let Err(fault) = supervise::run(&watched, &shared.clock, LIFECYCLE_LIMIT, || lifecycle.load(&shared.host)).await
    {
        return Err(not_loaded(&name, fault));
    }
    match std::mem::replace(&mut registration.behavior, Behavior::Utility) {
        Behavior::Before(runner) => {
            let plugin = Registered::new(registration.transform(runner), watched);
            shared.plan.update(|plan| plan.before.push(plugin));
        }
        Behavior::Enrichment(runner) => {
            let plugin = Registered::new(registration.transform(runner), watched);
            shared.plan.update(|plan| plan.enrichment.push(plugin));
        }
        Behavior::After(call) => {
            let plugin = Registered::new(registration.after(call), watched);
            shared.plan.update(|plan| plan.after.push(plugin));
        }
        Behavior::Destination(destination) => {
            let kinds = Box::new(registration.kinds());
            // The layers around the destination are user code.
            let config = supervise::call(&watched, || Ok(LaneConfig::from(*destination)))
                .map_err(|fault| not_loaded(&name, fault))?;
            let lane = lane::spawn(shared, config, registration.lifecycle, kinds, watched);
            shared.plan.update(|plan| plan.lanes.push(lane));
        }
        Behavior::Utility => {
            let utility = (name.clone(), registration.lifecycle);
            shared.plan.update(|plan| plan.utilities.push(utility));
        }
    }
    shared.emitter.emit(Emitted::Register(PluginInfo { name, role }));
    Ok(())
}

fn not_loaded(name: &str, fault: Fault) -> RegisterError {
    let (name, problem) = (name.to_owned(), fault.to_string());
    RegisterError::Load { name, problem, source: fault.into_error() }
}

/// Takes the plugin out of the plan; a destination then drains, and at last the plugin is unloaded. The first half is
/// done when this returns, the second when the future that it returns ends.
pub(super) fn deregister(
    shared: &Arc<Shared>,
    name: &str,
) -> Result<impl Future<Output = Result<(), RegisterError>> + Send + use<>, RegisterError> {
    let (removed, was_absent) = shared.plan.update(|plan| (plan.remove(name), plan.forget_absent(name)));
    if removed.is_none() && !was_absent {
        return Err(RegisterError::Unknown { name: name.to_owned() });
    }
    let (shared, name, busy) = (shared.clone(), Arc::from(name), shared.unloading.enter());
    Ok(async move {
        let unloaded = match removed {
            Some(removed) => unload(&shared, name, removed).await,
            // It was never loaded.
            None => Ok(()),
        };
        shared.plan.forget_the_old();
        drop(busy);
        unloaded
    })
}

async fn unload(shared: &Shared, name: Arc<str>, removed: Removed) -> Result<(), RegisterError> {
    let Removed { role, lifecycle, lane } = removed;
    if let Some(lane) = lane {
        drain(shared, &lane).await;
        shared.plan.drained(&lane);
    }
    let watched = shared.watchdog.watch(name.clone(), Stage::Plugin(role.as_str()));
    let outcome = supervise::run(&watched, &shared.clock, LIFECYCLE_LIMIT, || lifecycle.unload()).await;
    shared.emitter.report_held(Some(&name));
    shared.emitter.emit(Emitted::Deregister(PluginInfo { name: name.clone(), role }));
    outcome.map_err(|fault| {
        let (name, problem) = (name.to_string(), fault.to_string());
        RegisterError::Unload { name, problem, source: fault.into_error() }
    })
}

/// Lets the lane deliver what it has, as long as a plugin may take to end.
async fn drain(shared: &Shared, lane: &Arc<Lane>) {
    lane.close();
    if shared.clock.timeout(LIFECYCLE_LIMIT, lane.stopped()).await.is_some() {
        return;
    }
    let dropped = lane.abandon(DropReason::Unavailable);
    let message = format!("deregistered before {dropped} events were delivered; they are dropped");
    let mut failure = Failure::of_destination(lane.name().clone(), message, dropped);
    failure.dropped = Some(DropReason::Unavailable);
    shared.emitter.fail(failure);
}

/// Unloads everything that is registered, for the end of the client. The plan stays, so that its counts can be read.
pub(super) async fn unload_all(shared: &Shared) {
    let mut plan = Plan::clone(&shared.plan.load());
    let names: Vec<Arc<str>> = plan.names().cloned().collect();
    for name in names {
        let Some(removed) = plan.remove(&name) else { continue };
        if let Err(error) = unload(shared, name.clone(), removed).await {
            let mut failure = Failure::new(name, supervise::text_with_causes(&error), 0);
            failure.error = Some(Arc::new(error));
            shared.emitter.fail(failure);
        }
    }
}
