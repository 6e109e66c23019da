//! The worker: takes events out of the intake, in order, and sends each through the stack.
//!
//! By default one event is in the stack at a time. Where a plugin takes several at once, as many are, and each has its
//! turn. Invariant: between two commands all events of before the second have gone through, so that those in the stack
//! at the same time are on the same stack.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tower::ServiceExt;
use tower::util::Oneshot;

use super::client::Client;
use super::command::Command;
use super::intake::Taken;
use super::registry::{self, Registry};
use super::rest::{LOOK_EVERY, Patience, Rest};
use super::stack::{Absence, Line, Passage, Stack, Stopped};
use crate::clock::Instant;
use crate::emitter::signal::{self, Emitted, Failure, Initialized};
use crate::event::Event;
use crate::ledger::Envelope;
use crate::plugin::Registration;
use crate::refusal::RegisterError;
use crate::supervise::hops::{self, WithHops};
use crate::supervise::{self, log};

/// The longest time that events wait for a look of the worker.
const MAX_PATIENCE: Duration = Duration::from_secs(1);
/// The part of a batch's interval that its events may wait for that.
const PATIENT_PART: u32 = 10;

pub(crate) struct Worker {
    client: Arc<Client>,
    registry: Arc<Registry>,
    /// The order of the events that are under way at the same time.
    line: Line,
    under_way: FuturesUnordered<Passing>,
}

/// An event on its way through the stack.
type Passing = WithHops<Oneshot<Stack, Passage>>;

impl Worker {
    pub(super) fn new(client: Arc<Client>, registry: Registry) -> Self {
        let (line, under_way) = (Line::default(), FuturesUnordered::new());
        Self { client, registry: Arc::new(registry), line, under_way }
    }

    /// Loads the first plugins, then works until it is told to end.
    pub(crate) async fn run(mut self, first: Vec<Registration>) {
        for registration in first {
            let (name, absence) = (registration.name.clone(), Absence::of(&registration));
            if let Err(error) = registry::register(&self.registry, registration).await {
                let consequence = if matches!(error, RegisterError::Load { .. }) { absence.consequence() } else { "" };
                let mut failure =
                    Failure::new(name, format!("{}{consequence}", supervise::text_with_causes(&error)), 0);
                failure.error = Some(Arc::new(error));
                self.client.emitter.fail(failure);
            }
        }
        // Whoever drives the pipeline by hand waits for this.
        answer(|| self.client.loaded.send_replace(true));
        let plugins = self.client.stack.load().plugins.names().cloned().collect();
        self.client.emitter.emit(Emitted::Initialize(Initialized { plugins }));
        // Should anything panic after all, it costs the event at hand, not those behind it.
        while supervise::catch_future(pin!(self.work())).await.is_err() {
            log!(ERROR, "the pipeline panicked; it goes on with the next event");
        }
        // Before it is said that the worker has ended: whoever waits for that finds nothing left of it.
        self.client.stack.end_layers();
    }

    async fn work(&mut self) {
        let (mut events, mut since) = (0, Instant::now());
        loop {
            // At first, what a panic has left.
            if self.work_off(&mut events).await.is_break() {
                return;
            }
            let mut more = self.client.intake.take();
            if more {
                // The lanes work on this thread, too.
                tokio::task::yield_now().await;
            }
            while !more {
                // Real time, whatever the client's clock: this is how soon calls are noticed, not when anything is due.
                let now = Instant::now();
                let rest = match self.client.background.has_threads() {
                    true => Rest::choose(events, now - since, self.patience()),
                    false => Rest::UNTIL_WOKEN,
                };
                if self.rest(rest).await {
                    (events, since) = (0, now);
                }
                more = self.client.intake.take();
            }
        }
    }

    /// Works off what is in hand, and counts the `events`.
    async fn work_off(&mut self, events: &mut u64) -> ControlFlow<()> {
        while let Some(taken) = self.client.intake.next() {
            match taken {
                Taken::Event(envelope) => {
                    *events += 1;
                    self.send(envelope).await;
                }
                Taken::Command(command) => {
                    self.finish(1).await;
                    self.obey(*command).await?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits for something to take, while what is under way goes on. Returns whether it had to for all of its time.
    async fn rest(&mut self, rest: Rest) -> bool {
        tokio::select! {
            waited = self.client.intake.wait(rest) => waited,
            Some(_) = self.under_way.next() => false,
        }
    }

    /// How long events may wait for a look of the worker, so that no destination gets them too late.
    fn patience(&self) -> Patience {
        let mut patience = Patience { events: usize::MAX, time: MAX_PATIENCE };
        for lane in &self.client.stack.load().plugins.lanes {
            let (events, interval) = lane.next_batch();
            patience.events = patience.events.min(events);
            patience.time = patience.time.min(interval / PATIENT_PART);
        }
        // Who takes single events, or listens to calls, is told of each; a test's clock moves on when nothing happens.
        let is_manual = self.registry.lanes.clock.is_manual();
        if patience.events <= 1 || self.client.emitter.wants_calls() || is_manual {
            patience.time = LOOK_EVERY;
        }
        patience.time = patience.time.max(LOOK_EVERY);
        patience
    }

    /// Sends an event through the stack. Returns when there is room for another one.
    async fn send(&mut self, envelope: Envelope<Event>) {
        log!(TRACE, message_id = %envelope.message_id(), kind = %envelope.kind(), "event enters the pipeline");
        let depth = envelope.ticket.depth();
        if self.client.emitter.wants_calls() {
            let _scope = hops::after(depth);
            self.client.emitter.emit(signal::of_call(envelope.item.clone()));
        }
        let (stack, at_once) = self.client.stack.stack();
        if at_once == 1 {
            // An event that is stopped has been counted and reported where that happened.
            let _: Result<(), Stopped> = WithHops::after(depth, stack.oneshot(Passage::alone(envelope))).await;
            return;
        }
        let passage = Passage::in_turn(envelope, self.line.join());
        let mut passing = WithHops::after(depth, stack.oneshot(passage));
        if futures_util::poll!(&mut passing).is_pending() {
            self.under_way.push(passing);
        }
        self.finish(at_once).await;
    }

    /// Waits until fewer than `events` are under way.
    async fn finish(&mut self, events: usize) {
        while self.under_way.len() >= events {
            self.under_way.next().await;
        }
    }

    async fn obey(&mut self, command: Command) -> ControlFlow<()> {
        match command {
            Command::Register(registration, reply) => {
                let registered = registry::register(&self.registry, registration).await;
                answer(|| reply.send(registered));
            }
            Command::Deregister(name, reply) => match registry::deregister(&self.registry, &name) {
                Ok(ending) => self.client.background.spawn(async move {
                    let ended = ending.await;
                    answer(|| reply.send(ended));
                }),
                Err(error) => {
                    answer(|| reply.send(Err(error)));
                }
            },
            Command::Flush => self.client.stack.load().plugins.lanes.iter().for_each(|lane| lane.flush()),
            Command::Dispatch => self.client.stack.load().plugins.lanes.iter().for_each(|lane| lane.dispatch()),
            Command::End => {
                registry::unload_all(&self.registry).await;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}

/// Gives an answer. Whoever asked may not wait for it any more, so that it is dropped here, and the waker of whoever does
/// is called here: both are user code.
fn answer<T>(give: impl FnOnce() -> T) {
    if supervise::catch(|| drop(give())).is_err() {
        log!(ERROR, what = "waker", "panicked; the panic was caught");
    }
}

/// It ends because it was told to, or because its runtime does: then it leaves nothing for others to wait for.
impl Drop for Worker {
    fn drop(&mut self) {
        self.client.worker_ended();
    }
}
