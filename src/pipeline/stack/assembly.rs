//! Puts the stack together, from the inside out, by tower's `ServiceBuilder`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::future::BoxFuture;
use tower::{ServiceBuilder, ServiceExt};

use super::exit::Entrance;
use super::fanout::{FanOut, Outlets};
use super::inspection::StageReporter;
use super::middleware::{Middleware, MiddlewareLayer};
use super::missing::{MissingBefore, MissingDestination};
use super::quarantine::Quarantine;
use super::registered::Registered;
use super::request::StackRequest;
use super::stage::{OnFailure, Stage};
use super::stopped::Stopped;
use super::transform::{TransformLayer, TransformService};
use super::unknown_names::UnknownNames;
use super::user_layers::UserLayers;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::event::Context;
use crate::inspector::Inspector;
use crate::ledger::{DropReason, Ledger};
use crate::pipeline::lane::Lane;
use crate::pipeline::limits::Limits;
use crate::plugin::TransformPlugin;

/// Numbers of gates that each part of the stack has. No client has so many plugins.
const PART: usize = 1 << 20;

/// The stack of an event that comes through the queue.
pub(in crate::pipeline) type Stack = Middleware<PluginStack>;
/// The stack of an event of a direct pipeline. Layers around the whole are around the queue, so it has none.
pub(in crate::pipeline) type PluginStack = TransformService<Middleware<TransformService<Middleware<FanOut>>>>;

/// The parts that every stack of one client has.
pub(in crate::pipeline) struct StackParts {
    pub(in crate::pipeline) defaults: Arc<Context>,
    pub(in crate::pipeline) limits: Limits,
    pub(in crate::pipeline) ledger: Arc<Ledger>,
    pub(in crate::pipeline) emitter: Emitter,
    pub(in crate::pipeline) clock: Clock,
    pub(in crate::pipeline) inspector: Option<Inspector>,
    /// The user's layers, from the outside in.
    pub(in crate::pipeline) around: Option<Arc<UserLayers>>,
    pub(in crate::pipeline) enrichment_layers: Option<Arc<UserLayers>>,
    pub(in crate::pipeline) destination_layers: Option<Arc<UserLayers>>,
}

/// The registered plugins that a stack is made of.
pub(in crate::pipeline) struct StackPlugins {
    pub(in crate::pipeline) before: Vec<Registered<TransformPlugin>>,
    pub(in crate::pipeline) missing_before: Vec<MissingBefore>,
    pub(in crate::pipeline) enrichment: Vec<Registered<TransformPlugin>>,
    pub(in crate::pipeline) lanes: Vec<Arc<Lane>>,
    /// The lanes that get only the events that plugins drop.
    pub(in crate::pipeline) quarantines: Vec<Arc<Lane>>,
    pub(in crate::pipeline) missing: Vec<MissingDestination>,
    pub(in crate::pipeline) is_shown: bool,
}

impl StackParts {
    /// Returns the gate of the user's layers behind which events begin at `entrance`.
    pub(in crate::pipeline) fn gate(entrance: Entrance) -> usize {
        match entrance {
            Entrance::Before => 1,
            Entrance::Enrichment => 2 * PART,
            Entrance::Destinations => 4 * PART,
        }
    }

    /// Returns all of the user's layers.
    pub(in crate::pipeline) fn layers(&self) -> impl Iterator<Item = &Arc<UserLayers>> {
        [&self.around, &self.enrichment_layers, &self.destination_layers].into_iter().flatten()
    }

    pub(in crate::pipeline) fn stack(&self, plugins: StackPlugins) -> Stack {
        let StackPlugins { before, missing_before, enrichment, lanes, quarantines, missing, is_shown } = plugins;
        let quarantine = Quarantine(Arc::new(self.outlets(quarantines, Vec::new(), is_shown)));
        let before = self.stage((before, missing_before), OnFailure::Drop, quarantine.clone(), PART);
        let enrichment = self.stage((enrichment, Vec::new()), OnFailure::PassThrough, quarantine, 3 * PART);
        let outlets = self.outlets(lanes, missing, is_shown);
        ServiceBuilder::new()
            .layer(MiddlewareLayer(self.around.clone()))
            .layer(TransformLayer::new(before))
            .layer(MiddlewareLayer(self.enrichment_layers.clone()))
            .layer(TransformLayer::new(enrichment))
            .layer(MiddlewareLayer(self.destination_layers.clone()))
            .service(FanOut(Arc::new(outlets)))
    }

    fn stage(
        &self,
        (plugins, missing): (Vec<Registered<TransformPlugin>>, Vec<MissingBefore>),
        on_failure: OnFailure,
        quarantine: Quarantine,
        first_gate: usize,
    ) -> Stage {
        let (clock, emitter) = (self.clock.clone(), self.emitter.clone());
        let reporter = self.inspector.clone().map(|inspector| {
            let (stage, on_failure) = match on_failure {
                OnFailure::Drop => ("before", Some(DropReason::BeforeFailed)),
                OnFailure::PassThrough => ("enrichment", None),
            };
            StageReporter { inspector, clock: clock.clone(), stage, on_failure }
        });
        Stage { plugins, missing, on_failure, quarantine, first_gate, clock, emitter, reporter }
    }

    fn outlets(&self, lanes: Vec<Arc<Lane>>, missing: Vec<MissingDestination>, is_shown: bool) -> Outlets {
        Outlets {
            lanes,
            missing,
            is_shown,
            is_warned: AtomicBool::new(false),
            unknown_names: UnknownNames::default(),
            defaults: self.defaults.clone(),
            limits: self.limits,
            ledger: self.ledger.clone(),
            emitter: self.emitter.clone(),
            inspector: self.inspector.clone(),
        }
    }
}

impl Stack {
    /// Returns the stack without the layers around the whole.
    pub(in crate::pipeline) fn without_source_middleware(self) -> PluginStack {
        self.inner
    }

    /// Sends an event on from the middle of the stack.
    pub(in crate::pipeline) fn enter_at(
        self,
        entrance: Entrance,
        request: StackRequest,
    ) -> BoxFuture<'static, Result<(), Stopped>> {
        let before = self.inner;
        match entrance {
            Entrance::Before => Box::pin(before.oneshot(request)),
            Entrance::Enrichment => Box::pin(before.inner.inner.oneshot(request)),
            Entrance::Destinations => Box::pin(before.inner.inner.inner.inner.oneshot(request)),
        }
    }

    /// Returns whether no event is on this stack, nor on a clone of it.
    pub(in crate::pipeline) fn is_unread(&self) -> bool {
        let before = &self.inner;
        let enrichment = &before.inner.inner;
        let outlets = &enrichment.inner.inner.0;
        Arc::strong_count(&before.stage) == 1
            && Arc::strong_count(&enrichment.stage) == 1
            && Arc::strong_count(outlets) == 1
    }
}
