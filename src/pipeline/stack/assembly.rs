//! Puts the stack together.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tower::{ServiceBuilder, ServiceExt};

use super::absent::{Absent, AbsentBefore};
use super::exit::Entrance;
use super::fanout::{FanOut, Outlets};
use super::middleware::{Middleware, MiddlewareLayer};
use super::passage::Passage;
use super::quarantine::Quarantine;
use super::registered::Registered;
use super::stage::{OnFailure, Stage};
use super::stopped::Stopped;
use super::transform::{Transform, TransformLayer};
use super::user_layers::UserLayers;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::event::Context;
use crate::ledger::Ledger;
use crate::pipeline::lane::Lane;
use crate::pipeline::limits::Limits;
use crate::plugin::TransformPlugin;

/// The gates of each part, in the order in which events come to them. There are never so many plugins.
const PART: usize = 1 << 20;

/// What an event that comes through the queue passes.
pub(in crate::pipeline) type Stack = Middleware<PluginStack>;
/// What an event passes that is driven by hand: what is around the whole is around the queue.
pub(in crate::pipeline) type PluginStack = Transform<Middleware<Transform<Middleware<FanOut>>>>;

/// What every stack of one client has.
pub(in crate::pipeline) struct StackParts {
    pub(in crate::pipeline) defaults: Arc<Context>,
    pub(in crate::pipeline) limits: Limits,
    pub(in crate::pipeline) ledger: Arc<Ledger>,
    pub(in crate::pipeline) emitter: Emitter,
    pub(in crate::pipeline) clock: Clock,
    /// The user's layers, from the outside in.
    pub(in crate::pipeline) around: Option<Arc<UserLayers>>,
    pub(in crate::pipeline) enrichment_layers: Option<Arc<UserLayers>>,
    pub(in crate::pipeline) destination_layers: Option<Arc<UserLayers>>,
}

/// What is registered, as a stack is made of it.
pub(in crate::pipeline) struct StackPlugins {
    pub(in crate::pipeline) before: Vec<Registered<TransformPlugin>>,
    pub(in crate::pipeline) absent_before: Vec<AbsentBefore>,
    pub(in crate::pipeline) enrichment: Vec<Registered<TransformPlugin>>,
    pub(in crate::pipeline) lanes: Vec<Arc<Lane>>,
    /// Those that get what plugins drop, and nothing else.
    pub(in crate::pipeline) quarantines: Vec<Arc<Lane>>,
    pub(in crate::pipeline) absent: Vec<Absent>,
    pub(in crate::pipeline) is_shown: bool,
}

impl StackParts {
    /// The gate of the user's layers behind which events begin at `entrance`.
    pub(in crate::pipeline) fn gate(entrance: Entrance) -> usize {
        match entrance {
            Entrance::Before => 1,
            Entrance::Enrichment => 2 * PART,
            Entrance::Destinations => 4 * PART,
        }
    }

    /// All layers of the user's.
    pub(in crate::pipeline) fn layers(&self) -> impl Iterator<Item = &Arc<UserLayers>> {
        [&self.around, &self.enrichment_layers, &self.destination_layers].into_iter().flatten()
    }

    pub(in crate::pipeline) fn stack(&self, plugins: StackPlugins) -> Stack {
        let StackPlugins { before, absent_before, enrichment, lanes, quarantines, absent, is_shown } = plugins;
        let quarantine = Quarantine(Arc::new(self.outlets(quarantines, Vec::new(), is_shown)));
        let before = self.stage((before, absent_before), OnFailure::Drop, quarantine.clone(), PART);
        let enrichment = self.stage((enrichment, Vec::new()), OnFailure::PassThrough, quarantine, 3 * PART);
        let outlets = self.outlets(lanes, absent, is_shown);
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
        (plugins, absent): (Vec<Registered<TransformPlugin>>, Vec<AbsentBefore>),
        on_failure: OnFailure,
        quarantine: Quarantine,
        first_gate: usize,
    ) -> Stage {
        let (clock, emitter) = (self.clock.clone(), self.emitter.clone());
        Stage { plugins, absent, on_failure, quarantine, first_gate, clock, emitter }
    }

    fn outlets(&self, lanes: Vec<Arc<Lane>>, absent: Vec<Absent>, is_shown: bool) -> Outlets {
        Outlets {
            lanes,
            absent,
            is_shown,
            defaults: self.defaults.clone(),
            limits: self.limits,
            ledger: self.ledger.clone(),
            emitter: self.emitter.clone(),
        }
    }
}

impl Stack {
    /// The stack without what is around the whole.
    pub(in crate::pipeline) fn without_source_middleware(self) -> PluginStack {
        self.inner
    }

    /// Sends an event on from the middle of the stack.
    pub(in crate::pipeline) fn enter_at(
        self,
        entrance: Entrance,
        passage: Passage,
    ) -> BoxFuture<'static, Result<(), Stopped>> {
        let before = self.inner;
        match entrance {
            Entrance::Before => Box::pin(before.oneshot(passage)),
            Entrance::Enrichment => Box::pin(before.inner.inner.oneshot(passage)),
            Entrance::Destinations => Box::pin(before.inner.inner.inner.inner.oneshot(passage)),
        }
    }

    /// Whether no event is on this stack, nor on a clone of it.
    pub(in crate::pipeline) fn is_unread(&self) -> bool {
        let before = &self.inner;
        let enrichment = &before.inner.inner;
        let outlets = &enrichment.inner.inner.0;
        Arc::strong_count(&before.stage) == 1
            && Arc::strong_count(&enrichment.stage) == 1
            && Arc::strong_count(outlets) == 1
    }
}
