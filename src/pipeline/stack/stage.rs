//! What the before or the enrichment plugins do with an event, one after the other.
//!
//! Before fails closed, enrichment fails open.

use std::sync::Arc;

use super::absent::AbsentBefore;
use super::passage::Passage;
use super::quarantine::Quarantine;
use super::registered::Registered;
use super::stopped::{Stopped, stop};
use super::turn::Gate;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::{Checkpoint, Event};
use crate::ledger::{DropReason, Envelope, Ticket};
use crate::plugin::{Flow, SyncTransform, TransformCall, TransformPlugin};
use crate::supervise::{self, EVENT_LIMIT, Fault, Topic, log};

/// What becomes of an event that a plugin cannot work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    Drop,
    PassThrough,
}

/// The plugins of one role.
pub(super) struct Stage {
    pub(super) plugins: Vec<Registered<TransformPlugin>>,
    /// Plugins that could not be loaded: no event passes that one of them was to see.
    pub(super) absent: Vec<AbsentBefore>,
    pub(super) on_failure: OnFailure,
    /// Where events go that a plugin dropped which has a quarantine.
    pub(super) quarantine: Quarantine,
    /// The gate of the first plugin; the others follow.
    pub(super) first_gate: usize,
    pub(super) clock: Clock,
    pub(super) emitter: Emitter,
}

impl Stage {
    /// The gate of the plugin at this place.
    pub(super) fn gate(&self, at: usize) -> Gate {
        Gate(self.first_gate + at)
    }

    /// Stops what cannot enter the stage.
    pub(super) fn admit(&self, envelope: &mut Envelope<Event>) -> Result<(), Stopped> {
        if self.on_failure == OnFailure::PassThrough {
            return Ok(());
        }
        check(envelope, &self.emitter)?;
        match self.absent.iter().find(|absent| absent.wants(envelope.kind())) {
            None => Ok(()),
            Some(absent) => Err(self.miss(&envelope.ticket, absent)),
        }
    }

    pub(super) fn run_sync(
        &self,
        plugin: &Registered<TransformPlugin>,
        transform: &SyncTransform,
        passage: &mut Passage,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Stopped> {
        if plugin.is_cut_off() {
            return self.without(&passage.envelope.ticket);
        }
        let event = &mut passage.envelope.item;
        checkpoint.save(event);
        let outcome = supervise::call(&plugin.watched, || transform(event));
        accept(checkpoint, event);
        self.follow(plugin, passage, checkpoint, outcome)
    }

    pub(super) async fn run_async(
        &self,
        plugin: &Registered<TransformPlugin>,
        transform: &dyn TransformCall,
        passage: &mut Passage,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), Stopped> {
        if plugin.is_cut_off() {
            return self.without(&passage.envelope.ticket);
        }
        let event = &mut passage.envelope.item;
        checkpoint.save(event);
        let outcome = supervise::run(&plugin.watched, &self.clock, EVENT_LIMIT, || transform.transform(event)).await;
        accept(checkpoint, event);
        self.follow(plugin, passage, checkpoint, outcome)
    }

    /// Does what follows from a plugin's outcome: goes on, takes its changes back, or stops the event.
    fn follow(
        &self,
        plugin: &Registered<TransformPlugin>,
        passage: &mut Passage,
        checkpoint: &mut Checkpoint,
        outcome: Result<Flow, Fault>,
    ) -> Result<(), Stopped> {
        let Envelope { item: event, ticket } = &mut passage.envelope;
        // What it changed matters only if the event goes on: a drop stays a drop.
        let outcome = outcome.and_then(|flow| match flow {
            Flow::Drop(_) if plugin.quarantine().is_none() => Ok(flow),
            flow => event.commit().map(|()| flow).map_err(Fault::error),
        });
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
                // The first that drops it says where it goes.
                passage.quarantine.get_or_insert_with(|| quarantine.clone());
                Ok(())
            }
            Err(fault) => {
                checkpoint.restore(event);
                self.report(plugin, fault);
                self.without(ticket)
            }
        }
    }

    /// What becomes of an event that a plugin did not work on.
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

    /// Stops an event that a before plugin was to see which could not be loaded: it may be the one that redacts.
    #[cold]
    fn miss(&self, ticket: &Ticket, absent: &AbsentBefore) -> Stopped {
        absent.record.failed();
        let name = absent.name.clone();
        self.emitter.fail_throttled(Topic::Plugin, &absent.name, (1, false), move |repeats| {
            let message = format!("plugin could not be loaded; the event is dropped{}", repeats.suffix());
            let mut failure = Failure::new(name, message, repeats.events);
            failure.dropped = Some(DropReason::BeforeFailed);
            failure
        });
        stop(ticket, DropReason::BeforeFailed)
    }
}

/// Stops an event that cannot be sent as a layer has left it. It could when it was called.
pub(super) fn check(envelope: &mut Envelope<Event>, emitter: &Emitter) -> Result<(), Stopped> {
    let Err(invalid) = envelope.item.commit() else { return Ok(()) };
    let mut failure = Failure::new("tracklane", format!("an event was dropped before its plugins: {invalid}"), 1);
    failure.dropped = Some(DropReason::Middleware);
    emitter.fail(failure);
    Err(stop(&envelope.ticket, DropReason::Middleware))
}

/// Takes over what a plugin left. Who waits for an event that it put in the place of this one waits in vain.
fn accept(checkpoint: &mut Checkpoint, event: &mut Event) {
    checkpoint.accept(event);
    if !event.slot.is_empty() {
        supervise::discard(std::mem::take(&mut event.slot));
    }
}
