//! Adds observers to an event before its call.

use super::{Observers, Settlement};
use crate::event::{Alias, Event, Group, Identify, Page, Screen, Track};

impl Event {
    /// Changes the observers that the event carries to the call.
    pub(crate) fn with_observers(&mut self, change: impl FnOnce(&mut Observers)) {
        let mut observers = self.slot.take::<Observers>().unwrap_or_default();
        change(&mut observers);
        drop(self.slot.put(observers));
    }
}

macro_rules! on_delivery {
    ($($call:ident),+) => {$(
        impl $call {
            /// Calls `callback` once with the outcome of this event: delivered, or dropped and why. It runs on a thread
            /// where it may block, and cannot disturb delivery. Until it returns, the event keeps its room in the
            /// queue. While callbacks block, calls may be refused, and a callback that waits for room itself
            /// ([`send_when_ready`](crate::Analytics::send_when_ready)) may wait for ever.
            pub fn on_delivery(mut self, callback: impl FnOnce(&Settlement) + Send + Sync + 'static) -> Self {
                self.0.with_observers(|observers| observers.callbacks.push(Box::new(callback)));
                self
            }
        }
    )+};
}

on_delivery!(Track, Identify, Page, Screen, Group, Alias);
