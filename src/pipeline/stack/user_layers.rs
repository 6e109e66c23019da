//! The user's layers at one place of the stack: any tower service. It may be slow, fail, panic or keep an event.
//!
//! The layers are built once, and all stacks share them. Invariant: the service is called at once when it is ready, by
//! the caller that polled it. One caller has it at a time, and no lock is held while it works.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tower::util::BoxService;
use tower_service::Service;

use super::exit::{Continuation, SlotContent};
use super::request::StackRequest;
use super::service::PipelineService;
use super::stopped::Stopped;
use super::turn::Gate;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::error::BoxError;
use crate::event::Event;
use crate::inspector::{End, Inspector, Note, Stop};
use crate::ledger::{DropReason, Envelope};
use crate::supervise::hops::{self, WithHops};
use crate::supervise::{self, Fault, LIFECYCLE_LIMIT, Watched};

/// A user's layer that is still to be applied.
pub(crate) type UserLayer = Box<dyn FnOnce(PipelineService) -> PipelineService + Send>;

/// The service of the user's layers, its type hidden.
pub(crate) type UserService = BoxService<Event, (), BoxError>;

/// The user's layers at one place; see the module.
pub(in crate::pipeline) struct UserLayers {
    pub(super) name: &'static str,
    pub(super) gate: Gate,
    held: Mutex<Held>,
    waiting: Arc<Waiting>,
    watched: Arc<Watched>,
    pub(super) clock: Clock,
    pub(super) emitter: Emitter,
    pub(super) inspector: Option<Inspector>,
}

struct Held {
    /// `None` while a caller has it, and after the client has ended.
    service: Option<UserService>,
    /// A caller found the service taken.
    is_wanted: bool,
    is_gone: bool,
}

impl UserLayers {
    pub(in crate::pipeline) fn new(
        name: &'static str,
        gate: usize,
        service: UserService,
        watched: Arc<Watched>,
        (clock, emitter, inspector): (Clock, Emitter, Option<Inspector>),
    ) -> Self {
        let held = Mutex::new(Held { service: Some(service), is_wanted: false, is_gone: false });
        Self { name, gate: Gate(gate), held, waiting: Arc::default(), watched, clock, emitter, inspector }
    }

    /// Drops the service, at the end of the client.
    pub(in crate::pipeline) fn end(&self) {
        let service = {
            let mut held = self.held();
            held.is_gone = true;
            held.service.take()
        };
        supervise::discard(service);
        self.waiting.wake_all();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the event through the layers. Behind them it takes the `rest` of its way.
    pub(super) async fn pass(self: Arc<Self>, request: StackRequest, rest: Continuation) -> Result<(), Stopped> {
        let StackRequest { envelope, mut turn, .. } = request;
        turn.enter_alone(self.gate).await;
        let Envelope { item: mut event, mut ticket } = envelope;
        ticket.set_drop_reason(DropReason::Middleware);
        let (depth, inside) = (ticket.depth(), Arc::new(AtomicBool::new(false)));
        let message_id = self.inspector.as_ref().map(|_| event.message_id().into_owned());
        drop(event.slot.put(Box::new(SlotContent { ticket, turn, rest, inside: inside.clone() })));
        let work = supervise::run(&self.watched, &self.clock, Duration::MAX, || {
            WithHops::follow(depth, Box::pin(self.through(event)))
        });
        match self.in_time(work, &inside).await {
            Ok(passed) => passed,
            Err(fault) => {
                let _scope = hops::follow(depth);
                self.report_note(message_id, &fault);
                self.report(fault);
                Err(Stopped::new(DropReason::Middleware))
            }
        }
    }

    /// Ends `work` when the layers have used up their time. Time that the event spends behind them does not count.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Fault>>, inside: &AtomicBool) -> Result<T, Fault> {
        let mut work = pin!(work);
        loop {
            match self.clock.timeout(LIFECYCLE_LIMIT, work.as_mut()).await {
                Some(outcome) => return outcome,
                None if inside.load(Ordering::Relaxed) => {}
                None => return Err(Fault::TimedOut(LIFECYCLE_LIMIT)),
            }
        }
    }

    /// Calls the service. An event that was stopped behind the layers is no failure of the layers.
    async fn through(&self, event: Event) -> Result<Result<(), Stopped>, BoxError> {
        let mut event = Some(event);
        let called = poll_fn(|cx| self.poll_call(cx, &mut event)).await?;
        match called.await {
            Ok(()) => Ok(Ok(())),
            Err(error) => error.downcast::<Stopped>().map(|stopped| Err(*stopped)),
        }
    }

    /// Calls the service once it is ready.
    fn poll_call(&self, cx: &mut Context<'_>, event: &mut Option<Event>) -> Poll<Result<Called, BoxError>> {
        self.waiting.add(cx.waker());
        let Some(mut hand) = self.take()? else { return Poll::Pending };
        let waker = Waker::from(self.waiting.clone());
        match hand.service.as_mut().map(|service| service.poll_ready(&mut Context::from_waker(&waker))) {
            Some(Poll::Ready(Ok(()))) => {}
            Some(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
            Some(Poll::Pending) | None => return Poll::Pending,
        }
        let called = hand.service.as_mut().zip(event.take()).map(|(service, event)| service.call(event));
        drop(hand);
        // Its readiness is used up: the other callers poll again.
        self.waiting.wake_all();
        called.map_or(Poll::Pending, |called| Poll::Ready(Ok(called)))
    }

    /// Takes the service, unless another caller has it.
    fn take(&self) -> Result<Option<InHand<'_>>, BoxError> {
        let mut held = self.held();
        if held.is_gone {
            return Err("the client has ended".into());
        }
        held.is_wanted |= held.service.is_none();
        Ok(held.service.take().map(|service| InHand { of: self, service: Some(service) }))
    }

    /// Reports to an inspector why the event ended here.
    #[cold]
    fn report_note(&self, message_id: Option<String>, fault: &Fault) {
        let (Some(inspector), Some(message_id)) = (&self.inspector, message_id) else { return };
        let why = Some(format!("{} {fault}", self.name));
        let end = End { reason: DropReason::Middleware, event: None };
        inspector.report(Note::Stop(Stop { message_id, why, end }));
    }

    #[cold]
    fn report(&self, fault: Fault) {
        let mut failure = Failure::new(self.name, format!("{} {fault}", self.name), 1);
        failure.dropped = Some(DropReason::Middleware);
        failure.error = fault.into_error().map(Arc::from);
        self.emitter.fail(failure);
    }
}

/// The future of one call.
type Called = BoxFuture<'static, Result<(), BoxError>>;

/// The service while one caller has it. It is put back whatever the caller does.
struct InHand<'l> {
    of: &'l UserLayers,
    service: Option<UserService>,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let mut held = self.of.held();
        let left = if held.is_gone { self.service.take() } else { None };
        if !held.is_gone {
            held.service = self.service.take();
        }
        let is_wanted = std::mem::take(&mut held.is_wanted);
        drop(held);
        supervise::discard(left);
        if is_wanted {
            self.of.waiting.wake_all();
        }
    }
}

/// All callers that wait for the service. A service itself remembers the last waker only.
#[derive(Default)]
struct Waiting(Mutex<Vec<Waker>>);

impl Waiting {
    fn wakers(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, waker: &Waker) {
        // Cloning a waker is user code, where somebody drives a pipeline directly.
        let copy = waker.clone();
        let mut wakers = self.wakers();
        let spare = if wakers.iter().any(|known| known.will_wake(&copy)) {
            Some(copy)
        } else {
            wakers.push(copy);
            None
        };
        drop(wakers);
        drop(spare);
    }

    fn wake_all(&self) {
        let wakers = std::mem::take(&mut *self.wakers());
        for waker in wakers {
            let _ = supervise::catch(|| waker.wake());
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}
