//! An event inside the client, with the ticket that counts it.

use std::ops::Deref;

use super::Ticket;

/// Holds an [`Event`](crate::Event) on its way to the destinations, or the [`Message`](crate::event::Message) that was
/// made of it, with its ticket.
///
/// It dereferences to what it holds.
#[derive(Debug)]
pub(crate) struct Envelope<T> {
    pub(crate) item: T,
    pub(crate) ticket: Ticket,
}

impl<T> Envelope<T> {
    pub(crate) fn new(item: T, ticket: Ticket) -> Self {
        Self { item, ticket }
    }
}

impl<T> Deref for Envelope<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}
