//! A listener, its queue, and the handle that ends its subscription.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Shared;
use super::signal::Emitted;
use crate::background::Panics;
use crate::supervise::{CatchDrop, hops};

/// The largest number of signals that wait for one listener. Beyond it the oldest is dropped.
const QUEUE: usize = 1024;
/// The largest number of bytes of [lost events](super::signal::LostEvents) that wait for one listener.
const QUEUE_BYTES: usize = 8 * 1024 * 1024;

type ListenerFn = Box<dyn Fn(&Emitted) + Send + Sync>;

pub(super) struct Listener {
    pub(super) wants: u32,
    once: bool,
    call: CatchDrop<ListenerFn>,
    ended: AtomicBool,
    missed: AtomicU64,
    queue: Mutex<SignalQueue>,
}

#[derive(Default)]
struct SignalQueue {
    /// Each with the hops of events that the listener sends because of it.
    waiting: VecDeque<(u8, Emitted)>,
    /// Bytes of the lost events in it.
    bytes: usize,
    /// Set while a thread calls the listener. It will look at the queue again.
    busy: bool,
}

impl Listener {
    pub(super) fn new(wants: u32, once: bool, call: ListenerFn) -> Self {
        let (ended, missed) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { wants, once, call: CatchDrop::new(call), ended, missed, queue: Mutex::default() }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Queues the signal, and starts a thread for the listener if there is none.
    pub(super) fn tell(this: &Arc<Self>, emitted: &Emitted, shared: &Shared) {
        if this.has_ended() {
            return;
        }
        if this.once {
            this.ended.store(true, Ordering::Release);
        }
        let mut queue = this.queue();
        let missed = queue.make_room(emitted.bytes());
        queue.push(hops::current(), emitted.clone());
        let busy = std::mem::replace(&mut queue.busy, true);
        drop(queue);
        // Only now, because they may hold errors of user code.
        this.missed.fetch_add(missed.len() as u64, Ordering::Relaxed);
        drop(missed);
        if busy {
            return;
        }
        let (listener, running) = (this.clone(), shared.running.enter());
        shared.background.spawn_listener(move |panics| {
            listener.work(panics);
            drop(running);
        });
    }

    /// Calls the listener until nothing waits. A panic costs the signal of that call.
    fn work(&self, panics: &Panics) {
        while let Some((depth, emitted)) = self.next() {
            if self.has_ended() && !self.once {
                continue;
            }
            // At least one, which distinguishes it from the host's own code.
            let _scope = hops::set(depth.max(1));
            panics.catch_panic(emitted.name(), || (self.call)(&emitted));
        }
    }

    fn next(&self) -> Option<(u8, Emitted)> {
        let mut queue = self.queue();
        let next = queue.pop();
        queue.busy = next.is_some();
        next
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, SignalQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignalQueue {
    fn push(&mut self, hops: u8, emitted: Emitted) {
        self.bytes += emitted.bytes();
        self.waiting.push_back((hops, emitted));
    }

    fn pop(&mut self) -> Option<(u8, Emitted)> {
        let next = self.waiting.pop_front()?;
        self.bytes -= next.1.bytes();
        Some(next)
    }

    /// Takes out the oldest signals until there is room for one with so many bytes.
    fn make_room(&mut self, bytes: usize) -> Vec<(u8, Emitted)> {
        let mut missed = Vec::new();
        while self.waiting.len() == QUEUE || (self.bytes > 0 && self.bytes + bytes > QUEUE_BYTES) {
            let Some(oldest) = self.pop() else { break };
            missed.push(oldest);
        }
        missed
    }
}

/// A subscription of a listener. Dropping it changes nothing; [`unsubscribe`](Self::unsubscribe) ends it.
pub struct Subscription {
    listener: Arc<Listener>,
    emitter: Weak<Shared>,
}

impl Subscription {
    pub(super) fn new(listener: Arc<Listener>, emitter: &Arc<Shared>) -> Self {
        Self { listener, emitter: Arc::downgrade(emitter) }
    }

    /// Ends the subscription. A call that is under way finishes. Then the listener is dropped.
    pub fn unsubscribe(self) {
        self.listener.ended.store(true, Ordering::Release);
        // Dropped when the lock is free again.
        let queue = std::mem::take(&mut *self.listener.queue());
        drop(queue);
        if let Some(emitter) = self.emitter.upgrade() {
            emitter.remove_ended();
        }
    }

    /// Returns the number of signals that the listener missed because its queue was full.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.listener.missed.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("missed", &self.missed()).finish_non_exhaustive()
    }
}
