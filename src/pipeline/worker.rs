//! The worker: takes events out of the intake, in order, and sends each through the stack.
//!
//! By default one event is in the stack at a time. If plugins take several at once, so many are, and they take turns.
//! Invariant: a command waits until all events before it have gone through. So events that are in the stack at the same
//! time are on the same stack.

use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tower::ServiceExt;
use tower::util::Oneshot;

use super::client::Client;
use super::intake::Command;
use super::intake::Dequeued;
use super::intake::{IdleWait, MaxDelay};
use super::registry::{self, Registry};
use super::stack::{Line, Missing, Stack, StackRequest, Stopped};
use crate::clock::Instant;
use crate::emitter::signal::{self, Emitted, Failure, Initialized};
use crate::event::Event;
use crate::ledger::Envelope;
use crate::plugin::Registration;
use crate::refusal::RegisterError;
use crate::supervise::hops::{self, WithHops};
use crate::supervise::{self, log};

pub(crate) struct Worker {
    client: Arc<Client>,
    registry: Arc<Registry>,
    /// The order of the events that are under way at the same time.
    line: Line,
    under_way: FuturesUnordered<EventFuture>,
}

/// An event on its way through the stack.
type EventFuture = WithHops<Oneshot<Stack, StackRequest>>;

impl Worker {
    pub(super) fn new(client: Arc<Client>, registry: Registry) -> Self {
        let (line, under_way) = (Line::default(), FuturesUnordered::new());
        Self { client, registry: Arc::new(registry), line, under_way }
    }

    /// Loads the first plugins, then works until it is told to end.
    pub(crate) async fn run(mut self, first: Vec<Registration>) {
        for registration in first {
            let (name, missing) = (registration.name.clone(), Missing::of(&registration));
            if let Err(error) = registry::register(&self.registry, registration).await {
                let consequence = if matches!(error, RegisterError::Load { .. }) { missing.consequence() } else { "" };
                let mut failure =
                    Failure::new(name, format!("{}{consequence}", supervise::text_with_causes(&error)), 0);
                failure.error = Some(Arc::new(error));
                self.client.emitter.fail(failure);
            }
        }
        // A direct pipeline waits for this.
        answer(|| self.client.loaded.send_replace(true));
        let plugins = self.client.stack.load().plugins.names().cloned().collect();
        self.client.emitter.emit(Emitted::Initialize(Initialized { plugins }));
        // The series of the destinations are there before anything is counted.
        #[cfg(feature = "metrics")]
        self.client.report_metrics();
        // If anything panics after all, it costs the current event, not those behind it.
        while supervise::catch_future(pin!(self.work())).await.is_err() {
            log!(ERROR, "the pipeline panicked; it goes on with the next event");
        }
        // Before the end is reported: whoever waits for it finds no layers left.
        self.client.stack.end_layers();
    }

    async fn work(&mut self) {
        let (mut events, mut since) = (0, Instant::now());
        // The beginning of the wait during which the events came that are taken next.
        let mut waiting_since = None;
        loop {
            // At first, what a panic has left.
            if self.process_chunk(&mut events).await.is_break() {
                return;
            }
            if let Some(since) = waiting_since.take() {
                self.client.stack.load().plugins.lanes.iter().for_each(|lane| lane.set_waiting_since(since));
            }
            // The lanes run on this thread, too. Events that come meanwhile are taken together.
            tokio::task::yield_now().await;
            while !self.client.intake.take() {
                // Real time, whatever the client's clock: this decides how soon calls are noticed, not when anything is
                // due.
                let now = Instant::now();
                let wait = match self.client.background.has_threads() {
                    true => IdleWait::choose(events, now - since, self.max_delay()),
                    false => IdleWait::UNTIL_WOKEN,
                };
                waiting_since = wait.lets_events_wait().then(|| self.registry.lanes.clock.now());
                if self.wait(wait).await {
                    (events, since) = (0, now);
                }
            }
        }
    }

    /// Works off what is in hand, and adds to the number of `events`.
    async fn process_chunk(&mut self, events: &mut u64) -> ControlFlow<()> {
        while let Some(taken) = self.client.intake.next() {
            match taken {
                Dequeued::Event(envelope) => {
                    *events += 1;
                    self.send(envelope).await;
                }
                Dequeued::Command(command) => {
                    self.finish(1).await;
                    self.run_command(*command).await?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits for something to take, while what is under way goes on. Returns whether it had to wait all of that time.
    async fn wait(&mut self, IdleWait { limit, events, bytes }: IdleWait) -> bool {
        let deadline = limit.map(|limit| self.client.background.deadline_after(limit));
        tokio::select! {
            waited = self.client.intake.wait(events, bytes, deadline) => waited,
            Some(_) = self.under_way.next() => false,
        }
    }

    /// Returns how long events may wait for a poll of the worker without being late.
    fn max_delay(&self) -> MaxDelay {
        let (clock, version) = (&self.registry.lanes.clock, self.client.stack.load());
        let now = clock.now();
        let batches = version.plugins.lanes.iter().map(|lane| lane.next_batch(now));
        // The clock of a test moves on when nothing happens.
        let at_once = self.client.emitter.wants_calls() || clock.is_manual();
        MaxDelay::of(batches, version.is_seen, at_once)
    }

    /// Sends an event through the stack. Returns when there is room for another one.
    async fn send(&mut self, envelope: Envelope<Event>) {
        log!(TRACE, message_id = %envelope.message_id(), kind = %envelope.kind(), "event enters the pipeline");
        let depth = envelope.ticket.depth();
        if self.client.emitter.wants_calls() {
            let _scope = hops::follow(depth);
            self.client.emitter.emit(signal::of_call(envelope.item.clone()));
        }
        let (stack, at_once) = self.client.stack.stack();
        if at_once == 1 {
            // A stopped event was counted and reported where that happened.
            let _: Result<(), Stopped> = WithHops::follow(depth, stack.oneshot(StackRequest::alone(envelope))).await;
            return;
        }
        let request = StackRequest::in_turn(envelope, self.line.join());
        let mut passing = WithHops::follow(depth, stack.oneshot(request));
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

    async fn run_command(&mut self, command: Command) -> ControlFlow<()> {
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

/// Gives an answer. If nobody waits for it any more, it is dropped here; if somebody does, a waker is called here. Both
/// are user code.
fn answer<T>(give: impl FnOnce() -> T) {
    if supervise::catch(|| drop(give())).is_err() {
        log!(ERROR, what = "waker", "panicked; the panic was caught");
    }
}

/// Runs when the worker was told to end, and when its runtime ends. In the latter case it leaves nothing to wait for.
impl Drop for Worker {
    fn drop(&mut self) {
        self.client.worker_ended();
    }
}
