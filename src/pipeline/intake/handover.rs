//! Moves what waits from the callers' side of the queue to the worker, and takes back both when the client ends.
//!
//! Invariant: whatever waits has one owner. It is in front, or in the worker's hand, or belongs to whoever took it out.
//! Only the worker fills its hand, and only when that is empty. Taking back empties both places under both locks.
//! [`sync`](crate::sync) says how this is checked.

use std::sync::{PoisonError, TryLockError};

use crate::sync::{Mutex, MutexGuard};

/// The front of the queue, in pieces.
pub(crate) trait Pieces {
    type Piece: Piece;

    /// Takes out the oldest piece.
    fn pop(&mut self) -> Option<Self::Piece>;

    /// Gets back a finished piece, for reuse.
    fn keep(&mut self, done: Self::Piece);
}

/// Some entries in their order.
pub(crate) trait Piece: Default {
    type Entry;

    /// Takes out the oldest entry.
    fn next(&mut self) -> Option<Self::Entry>;

    fn is_empty(&self) -> bool;
}

/// The two places where entries wait. Where both are locked, the front is locked first.
#[derive(Default)]
pub(crate) struct Handover<F: Pieces> {
    front: Mutex<F>,
    hand: Hand<F::Piece>,
}

/// In cache lines of its own: it changes with every event, and callers read its neighbours.
#[repr(align(128))]
#[derive(Default)]
struct Hand<P>(Mutex<P>);

impl<F: Pieces> Handover<F> {
    pub(crate) fn front(&self) -> MutexGuard<'_, F> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Like [`front`](Self::front), if the lock is free.
    pub(crate) fn try_front(&self) -> Option<MutexGuard<'_, F>> {
        match self.front.try_lock() {
            Ok(front) => Some(front),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn hand(&self) -> MutexGuard<'_, F::Piece> {
        self.hand.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the oldest piece into the worker's hand, if that is empty. Returns whether there is something in it now.
    /// Only the worker calls this.
    pub(crate) fn take_up(&self, mut front: MutexGuard<'_, F>) -> bool {
        let mut hand = self.hand();
        if !hand.is_empty() {
            return true;
        }
        let Some(piece) = front.pop() else { return false };
        front.keep(std::mem::replace(&mut *hand, piece));
        true
    }

    /// Takes the oldest entry out of the worker's hand.
    pub(crate) fn next(&self) -> Option<<F::Piece as Piece>::Entry> {
        self.hand().next()
    }

    /// Takes everything out of both places, the oldest first.
    pub(crate) fn take_back(&self) -> Vec<F::Piece> {
        let mut front = self.front();
        let in_hand = std::mem::take(&mut *self.hand());
        std::iter::once(in_hand).chain(std::iter::from_fn(|| front.pop())).collect()
    }
}
