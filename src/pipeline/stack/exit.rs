//! The service that the user's layers wrap. It sends an event on to the rest of the stack.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tower_service::Service;

use super::request::StackRequest;
use super::stopped::Stopped;
use super::turn::Turn;
use crate::error::BoxError;
use crate::event::Event;
use crate::ledger::{Envelope, Ticket};

/// The place in the stack where an event begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Entrance {
    Before,
    Enrichment,
    Destinations,
}

/// Accepts an event that has no ticket, because a layer has made it.
pub(in crate::pipeline) type Admit = dyn Fn(Event, Entrance) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

/// The rest of the stack, behind the layers.
pub(super) type Continuation = Box<dyn FnOnce(StackRequest) -> BoxFuture<'static, Result<(), Stopped>> + Send + Sync>;

/// What travels with an event through the user's layers, in its slot.
pub(super) struct SlotContent {
    pub(super) ticket: Ticket,
    pub(super) turn: Turn,
    pub(super) rest: Continuation,
    /// Set while the event is behind the layers.
    pub(super) inside: Arc<AtomicBool>,
}

/// The service that [`Builder::layer`](crate::Builder::layer) and its siblings wrap.
pub(in crate::pipeline) struct Exit {
    entrance: Entrance,
    admit: Arc<Admit>,
}

impl Exit {
    pub(in crate::pipeline) fn new(entrance: Entrance, admit: Arc<Admit>) -> Self {
        Self { entrance, admit }
    }

    /// Takes the ticket of an event that a layer sends elsewhere.
    pub(in crate::pipeline) fn take_ticket(event: &mut Event) -> Option<Ticket> {
        Some(event.slot.take::<SlotContent>()?.ticket)
    }
}

impl Service<Event> for Exit {
    type Response = ();
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The event carries the rest of its way, which is polled ready when the event goes on.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut event: Event) -> Self::Future {
        match event.slot.take::<SlotContent>() {
            Some(content) => Box::pin(open(*content, event)),
            None => (self.admit)(event, self.entrance),
        }
    }
}

/// Sends the event on.
fn open(content: SlotContent, event: Event) -> impl Future<Output = Result<(), BoxError>> + Send {
    let SlotContent { ticket, turn, rest, inside } = content;
    inside.store(true, Ordering::Relaxed);
    let inside = InsideGuard(inside);
    async move {
        let passed = rest(StackRequest::in_turn(Envelope::new(event, ticket), turn)).await;
        drop(inside);
        passed.map_err(Into::into)
    }
}

/// Held while an event is behind the layers.
struct InsideGuard(Arc<AtomicBool>);

impl Drop for InsideGuard {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
