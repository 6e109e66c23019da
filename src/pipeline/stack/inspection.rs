//! Notes for an inspector about the stack: the work of plugins and middleware on an event, and its end.

use std::sync::Arc;
use std::time::Duration;

use super::user_layers::UserLayers;
use crate::clock::Clock;
use crate::event::{Checkpoint, Event};
use crate::inspector::{End, Inspector, Note, Step, StepOutcome, Stop};
use crate::ledger::DropReason;
use crate::plugin::Flow;
use crate::supervise::Fault;

/// Reports the end of an event, if there is an inspector.
pub(super) fn report_stop(
    inspector: Option<&Inspector>,
    event: &Event,
    reason: DropReason,
    why: impl FnOnce() -> Option<String>,
) {
    let Some(inspector) = inspector else { return };
    let end = End { reason, event: Some(event.json()) };
    inspector.report(Note::Stop(Stop { message_id: event.message_id().into_owned(), why: why(), end }));
}

/// Reports the work of the plugins of one role.
pub(super) struct StageReporter {
    pub(super) inspector: Inspector,
    pub(super) clock: Clock,
    /// `before` or `enrichment`.
    pub(super) stage: &'static str,
    /// The drop reason of an event at which a plugin fails, if that ends it.
    pub(super) on_failure: Option<DropReason>,
}

impl StageReporter {
    /// Reports the work of a plugin on an event. `began` is a time of the client's clock.
    #[cold]
    pub(super) fn step(
        &self,
        plugin: &Arc<str>,
        event: &Event,
        checkpoint: &Checkpoint,
        outcome: &Result<Flow, Fault>,
        began: Duration,
    ) {
        let took = self.clock.now().saturating_sub(began);
        let (outcome, reason) = match outcome {
            Ok(Flow::Continue) => (StepOutcome::Kept, None),
            Ok(Flow::Drop(reason)) => (StepOutcome::Dropped(reason.clone().into_owned()), Some(DropReason::Plugin)),
            Err(fault) => (StepOutcome::Failed(fault.to_string()), self.on_failure),
        };
        let is_changed = matches!(outcome, StepOutcome::Kept) && event.is_edited();
        let change = is_changed.then(|| Some([checkpoint.json()?, event.json()])).flatten();
        let end = reason.map(|reason| End { reason, event: checkpoint.json() });
        self.report_note(plugin, event, took, (outcome, change, end));
    }

    /// Reports a plugin that was not called.
    #[cold]
    pub(super) fn missing(&self, plugin: &Arc<str>, event: &Event, why: &str) {
        let end = self.on_failure.map(|reason| End { reason, event: Some(event.json()) });
        self.report_note(plugin, event, Duration::ZERO, (StepOutcome::Failed(why.to_owned()), None, end));
    }

    fn report_note(&self, plugin: &Arc<str>, event: &Event, took: Duration, (outcome, change, end): What) {
        let (message_id, plugin, stage) = (event.message_id().into_owned(), plugin.clone(), self.stage);
        self.inspector.report(Note::Step(Step { message_id, plugin, stage, took, outcome, change, end }));
    }
}

/// The outcome of a plugin, the JSON before and after, and the end of the event.
type What = (StepOutcome, Option<[Vec<u8>; 2]>, Option<End>);

/// The visit of an event in the user's layers at one place. Dropped before its end, it reports that the event ended there.
pub(super) struct Visit {
    inspector: Inspector,
    clock: Clock,
    name: &'static str,
    message_id: String,
    before: Vec<u8>,
    began: Duration,
    is_over: bool,
}

impl Visit {
    pub(super) fn begin(layers: &UserLayers, inspector: &Inspector, event: &Event) -> Self {
        Self {
            inspector: inspector.clone(),
            clock: layers.clock.clone(),
            name: layers.name,
            message_id: event.message_id().into_owned(),
            before: event.json(),
            began: layers.clock.now(),
            is_over: false,
        }
    }

    /// Reports that the event left the layers.
    pub(super) fn end(mut self, event: &Event) {
        self.is_over = true;
        let (before, after) = (std::mem::take(&mut self.before), event.json());
        let change = (before != after).then_some([before, after]);
        self.report_note(StepOutcome::Kept, change, None);
    }

    fn report_note(&mut self, outcome: StepOutcome, change: Option<[Vec<u8>; 2]>, end: Option<End>) {
        self.inspector.report(Note::Step(Step {
            message_id: std::mem::take(&mut self.message_id),
            plugin: self.name.into(),
            stage: "middleware",
            took: self.clock.now().saturating_sub(self.began),
            outcome,
            change,
            end,
        }));
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let end = End { reason: DropReason::Middleware, event: Some(std::mem::take(&mut self.before)) };
        self.report_note(StepOutcome::Dropped("it did not pass the event on".to_owned()), None, Some(end));
    }
}
