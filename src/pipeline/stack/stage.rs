//! Runs the before or the enrichment plugins on an event, one after the other.
//!
//! Before plugins fail closed, enrichment plugins fail open.

use std::sync::Arc;
use std::time::Duration;

use super::inspection::{self, StageReporter};
use super::missing::MissingBefore;
use super::quarantine::Quarantine;
use super::registered::Registered;
use super::request::StackRequest;
use super::stopped::{Stopped, stop};
use super::turn::Gate;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Checkpoint, Event};
use crate::inspector::Inspector;
use crate::ledger::{DropReason, Envelope, Ticket};
use crate::plugin::{Flow, SyncTransform, TransformCall, TransformPlugin};
use crate::supervise::{self, EVENT_LIMIT, Fault, Topic, log};

/// What happens to an event that a plugin fails at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    Drop,
    PassThrough,
}

/// The plugins of one role.
pub(super) struct Stage {
    pub(super) plugins: Vec<Registered<TransformPlugin>>,
    /// Plugins that failed to load. An event that one of them should have seen is dropped.
    pub(super) missing: Vec<MissingBefore>,
    pub(super) on_failure: OnFailure,
    /// Takes the events of plugins that have a quarantine.
    pub(super) quarantine: Quarantine,
    /// The gate of the first plugin; the others follow.
    pub(super) first_gate: usize,
    pub(super) clock: Clock,
    pub(super) emitter: Emitter,
    /// Reports to an inspector, if there is one.
    pub(super) reporter: Option<StageReporter>,
}

impl Stage {
    /// Returns the gate of the plugin at this place.
    pub(super) fn gate(&self, at: usize) -> Gate {
        Gate(self.first_gate + at)
    }

    /// Stops events that may not enter the stage.
    pub(super) fn admit(&self, envelope: &mut Envelope<Event>) -> Result<(), Stopped> {
        if self.on_failure == OnFailure::PassThrough {
            return Ok(());
        }
        check(envelope, &self.emitter, self.reporter.as_ref().map(|reporter| &reporter.inspector))?;
        match self.missing.iter().find(|missing| missing.wants(envelope.kind())) {
            None => Ok(()),
            Some(missing) => Err(self.miss(envelope, missing)),
        }
    }

    pub(super) fn run_sync(
        &self,
        plugin: &Registered<TransformPlugin>,
        transform: &SyncTransform,
        request: &mut StackRequest,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Stopped> {
        if plugin.is_cut_off() {
            return self.pass_by(plugin, &request.envelope);
        }
        let began = self.begin();
        let event = &mut request.envelope.item;
        checkpoint.save(event);
        let outcome = supervise::call(&plugin.watched, || transform(event));
        accept(checkpoint, event);
        self.follow(plugin, request, checkpoint, (outcome, began))
    }

    pub(super) async fn run_async(
        &self,
        plugin: &Registered<TransformPlugin>,
        transform: &dyn TransformCall,
        request: &mut StackRequest,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Stopped> {
        if plugin.is_cut_off() {
            return self.pass_by(plugin, &request.envelope);
        }
        let began = self.begin();
        let event = &mut request.envelope.item;
        checkpoint.save(event);
        let outcome = supervise::run(&plugin.watched, &self.clock, EVENT_LIMIT, || transform.transform(event)).await;
        accept(checkpoint, event);
        self.follow(plugin, request, checkpoint, (outcome, began))
    }

    /// Acts on a plugin's outcome: the event goes on, goes on as it was before, or stops.
    fn follow(
        &self,
        plugin: &Registered<TransformPlugin>,
        request: &mut StackRequest,
        checkpoint: &mut Checkpoint,
        (outcome, began): (Result<Flow, Fault>, Option<Duration>),
    ) -> Result<(), Stopped> {
        let Envelope { item: event, ticket } = &mut request.envelope;
        // Changes matter only if the event goes on: a drop stays a drop.
        let outcome = outcome.and_then(|flow| match flow {
            Flow::Drop(_) if plugin.quarantine().is_none() => Ok(flow),
            flow => event.commit().map(|()| flow).map_err(Fault::error),
        });
        if let (Some(reporter), Some(began)) = (&self.reporter, began) {
            reporter.step(&plugin.name, event, checkpoint, &outcome, began);
        }
        match outcome {
            Ok(Flow::Continue) => {
                plugin.worked();
                Ok(())
            }
            Ok(Flow::Drop(reason)) => {
                plugin.worked();
                plugin.record.dropped();
                log!(DEBUG, plugin = %plugin.name, %reason, "event dropped by plugin");
                let Some(quarantine) = plugin.quarantine() else { return Err(stop(ticket, DropReason::Plugin)) };
                // The first plugin that drops the event decides.
                request.quarantine.get_or_insert_with(|| quarantine.clone());
                Ok(())
            }
            Err(fault) => {
                checkpoint.restore(event);
                self.report(plugin, fault);
                self.without(ticket)
            }
        }
    }

    /// Returns the time at which a plugin begins, if there is an inspector.
    #[inline]
    fn begin(&self) -> Option<Duration> {
        self.reporter.is_some().then(|| self.clock.now())
    }

    /// Lets an event pass by a plugin that is out of use, or stops it.
    #[cold]
    fn pass_by(&self, plugin: &Registered<TransformPlugin>, envelope: &Envelope<Event>) -> Result<(), Stopped> {
        if let Some(reporter) = &self.reporter {
            reporter.missing(&plugin.name, envelope, "is out of use, because it crashed too often");
        }
        self.without(&envelope.ticket)
    }

    /// Decides what happens to an event that a plugin did not work on.
    fn without(&self, ticket: &Ticket) -> Result<(), Stopped> {
        match self.on_failure {
            OnFailure::Drop => Err(stop(ticket, DropReason::BeforeFailed)),
            OnFailure::PassThrough => Ok(()),
        }
    }

    #[cold]
    fn report(&self, plugin: &Registered<TransformPlugin>, fault: Fault) {
        let cut_off = fault.is_crash() && plugin.crashed();
        plugin.record.failed();
        let dropped = (self.on_failure == OnFailure::Drop).then_some(DropReason::BeforeFailed);
        let consequence = match (dropped, cut_off) {
            (Some(_), false) => "the event is dropped",
            (None, false) => "the event goes on without it",
            (Some(_), true) => "it is not called any more, and every event is dropped until it is deregistered",
            (None, true) => "it is not called any more",
        };
        let name = plugin.name.clone();
        self.emitter.fail_throttled(Topic::Plugin, &plugin.name, (1, cut_off), move |repeats| {
            let message = format!("plugin {fault}; {consequence}{}", repeats.suffix());
            let mut failure = Failure::new(name, message, repeats.events);
            failure.dropped = dropped;
            failure.error = fault.into_error().map(Arc::from);
            failure
        });
    }

    /// Stops an event that a before plugin should have seen which failed to load. It may be the plugin that redacts.
    #[cold]
    fn miss(&self, envelope: &Envelope<Event>, missing: &MissingBefore) -> Stopped {
        missing.record.failed();
        if let Some(reporter) = &self.reporter {
            reporter.missing(&missing.name, envelope, "failed to load");
        }
        let name = missing.name.clone();
        self.emitter.fail_throttled(Topic::Plugin, &missing.name, (1, false), move |repeats| {
            let message = format!("plugin could not be loaded; the event is dropped{}", repeats.suffix());
            let mut failure = Failure::new(name, message, repeats.events);
            failure.dropped = Some(DropReason::BeforeFailed);
            failure
        });
        stop(&envelope.ticket, DropReason::BeforeFailed)
    }
}

/// Stops an event that a layer has made one that cannot be sent. It was valid at the call.
pub(super) fn check(
    envelope: &mut Envelope<Event>,
    emitter: &Emitter,
    inspector: Option<&Inspector>,
) -> Result<(), Stopped> {
    let Err(invalid) = envelope.item.commit() else { return Ok(()) };
    let mut failure = Failure::new("tracklane", format!("an event was dropped before its plugins: {invalid}"), 1);
    failure.dropped = Some(DropReason::Middleware);
    emitter.fail(failure);
    let why = || Some(format!("middleware made it unfit: {invalid}"));
    inspection::report_stop(inspector, &envelope.item, DropReason::Middleware, why);
    Err(stop(&envelope.ticket, DropReason::Middleware))
}

/// Accepts the event as a plugin left it. The receipt of the original does not wait for an event that replaced it.
fn accept(checkpoint: &mut Checkpoint, event: &mut Event) {
    checkpoint.accept(event);
    if !event.slot.is_empty() {
        supervise::discard(std::mem::take(&mut event.slot));
    }
}
