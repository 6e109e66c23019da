//! Starts a client: puts its parts together, and spawns its worker.

use std::future::ready;
use std::sync::{Arc, Weak};

use futures_util::TryFutureExt;
use tokio::sync::watch;

use super::handle::HostClient;
use super::{Client, End};
use crate::background::Background;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::{DrainInfo, Emitted};
use crate::event::Context;
use crate::inspector::{self, Inspector, Server};
use crate::ledger::Ledger;
use crate::pipeline::after::AfterQueue;
use crate::pipeline::intake::CallContext;
use crate::pipeline::intake::Intake;
use crate::pipeline::lane::ClientParts;
use crate::pipeline::limits::Limits;
use crate::pipeline::registry::CurrentStack;
use crate::pipeline::registry::Registry;
use crate::pipeline::stack::PipelineService;
use crate::pipeline::stack::{Admit, Entrance, Exit, StackParts, StackRequest, UserLayer, UserLayers};
use crate::pipeline::worker::Worker;
use crate::plugin::{Host, Registration};
use crate::supervise::hops::WithHops;
use crate::supervise::{CodeKind, Watchdog};
use crate::wait_group::WaitGroup;

/// The user's layers by place, each place from the inside out.
#[derive(Default)]
pub(crate) struct Layers {
    /// Around the whole.
    pub(crate) around: Vec<UserLayer>,
    /// Between before and enrichment.
    pub(crate) enrichment: Vec<UserLayer>,
    /// Between enrichment and the destinations.
    pub(crate) destinations: Vec<UserLayer>,
}

/// The checked settings of a client.
pub(crate) struct Setup {
    pub(crate) clock: Clock,
    pub(crate) background: Background,
    pub(crate) emitter: Emitter,
    pub(crate) watchdog: Watchdog,
    pub(crate) limits: Limits,
    pub(crate) defaults: Context,
    pub(crate) call_context: Option<CallContext>,
    pub(crate) layers: Layers,
    pub(crate) plugins: Vec<Registration>,
    /// The server that the way of each event is reported to, if there is one.
    pub(crate) inspector: Option<Server>,
    /// How often the counts are reported as metrics, if at all.
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<std::time::Duration>,
}

impl Setup {
    /// Puts the client together and spawns its tasks. Returns the client.
    pub(crate) fn start(self) -> Arc<Client> {
        let Self { clock, background, emitter, watchdog, limits, defaults, call_context, layers, plugins, .. } = self;
        let inspector = self.inspector.map(|server| inspect(server, &background, &clock, &emitter));
        let ledger = Arc::new(Ledger::new(background.clone(), drained(&emitter)));
        let (after, after_worker) = AfterQueue::new(emitter.clone(), limits.events, limits.bytes);
        let (after, unloading) = (Arc::new(after), WaitGroup::default());
        let client = Arc::new_cyclic(|client: &Weak<Client>| {
            let place = |name, entrance, layers| {
                let handles = (clock.clone(), emitter.clone(), inspector.clone());
                background.enter(|| applied(name, entrance, layers, client, &watchdog, handles))
            };
            let parts = StackParts {
                defaults: Arc::new(defaults.clone()),
                limits,
                ledger: ledger.clone(),
                emitter: emitter.clone(),
                clock: clock.clone(),
                inspector: inspector.clone(),
                around: place("source middleware", Entrance::Before, layers.around),
                enrichment_layers: place("enrichment middleware", Entrance::Enrichment, layers.enrichment),
                destination_layers: place("destination middleware", Entrance::Destinations, layers.destinations),
            };
            let (accounts, signals, time) = (ledger.clone(), emitter.clone(), clock.clone());
            Client {
                background: background.clone(),
                emitter: emitter.clone(),
                ledger: ledger.clone(),
                intake: Intake::new(limits, accounts, signals, time, defaults, call_context),
                stack: Arc::new(CurrentStack::new(parts)),
                after: after.clone(),
                inspector: inspector.clone(),
                unloading: unloading.clone(),
                end: End::default(),
                loaded: watch::Sender::new(false),
                #[cfg(feature = "metrics")]
                metrics: self.metrics.map(|_| crate::metrics::Reported::new(background.has_threads())),
            }
        });
        let host = Host::new(emitter.clone(), Arc::new(HostClient(Arc::downgrade(&client))));
        let stack = Arc::downgrade(&client.stack);
        let after_plugins = move || stack.upgrade().map(|stack| stack.after_plugins());
        background.spawn(after_worker.run(after_plugins, clock.clone(), emitter.clone()));
        #[cfg(feature = "metrics")]
        if let Some(interval) = self.metrics {
            background.spawn(report_metrics(Arc::downgrade(&client), clock.clone(), interval));
        }
        let lanes = ClientParts { background: background.clone(), clock, emitter, ledger, after, limits, inspector };
        let registry = Registry { stack: client.stack.clone(), lanes, watchdog, host, unloading };
        background.spawn(Worker::new(client.clone(), registry).run(plugins));
        client
    }
}

/// Makes a callback that emits when nothing is pending any more.
fn drained(emitter: &Emitter) -> impl Fn(u64) + Send + Sync + use<> {
    let emitter = emitter.clone();
    move |accepted| emitter.emit(Emitted::Drained(DrainInfo { accepted }))
}

/// Starts the task that sends reports to the inspector's server.
fn inspect(server: Server, background: &Background, clock: &Clock, emitter: &Emitter) -> Inspector {
    let (inspector, notes) = inspector::pair();
    background.spawn(inspector::Worker::new(notes, server, clock.clone(), emitter.clone()).run());
    inspector
}

/// Applies the user's layers at one place, the last one outermost. Some of tower's layers need a runtime around them.
fn applied(
    name: &'static str,
    entrance: Entrance,
    layers: Vec<UserLayer>,
    client: &Weak<Client>,
    watchdog: &Watchdog,
    handles: (Clock, Emitter, Option<Inspector>),
) -> Option<Arc<UserLayers>> {
    if layers.is_empty() {
        return None;
    }
    let innermost = PipelineService::new(Exit::new(entrance, admit(client.clone())));
    let service = layers.into_iter().fold(innermost, |inner, layer| layer(inner));
    let watched = watchdog.watch(name, CodeKind::Middleware);
    Some(Arc::new(UserLayers::new(name, StackParts::gate(entrance), service.into_inner(), watched, handles)))
}

/// Makes the function that accepts an event from a layer, and sends it on from there.
fn admit(client: Weak<Client>) -> Arc<Admit> {
    Arc::new(move |event, entrance| {
        let Some(client) = client.upgrade() else {
            return Box::pin(ready(Err("the client is gone".into())));
        };
        let envelope = match client.intake.admit(event) {
            Ok(envelope) => envelope,
            Err(refused) => return Box::pin(ready(Err(refused.into()))),
        };
        let depth = envelope.ticket.depth();
        let passing = client.stack.stack().0.enter_at(entrance, StackRequest::alone(envelope));
        Box::pin(WithHops::follow(depth, passing).map_err(Into::into))
    })
}

/// Brings the metrics up to date every `interval`, until the client is gone.
#[cfg(feature = "metrics")]
async fn report_metrics(client: Weak<Client>, clock: Clock, interval: std::time::Duration) {
    loop {
        let Some(alive) = client.upgrade() else { return };
        alive.report_metrics();
        drop(alive);
        clock.sleep_until(clock.now().saturating_add(interval)).await;
    }
}
