//! The settings about signals: listeners from before the start, and what failures are to their client.

use super::Builder;
use crate::emitter::signal::{Emitted, Failure, Signal};
use crate::emitter::{Emitter, Subscription, UnknownSignal, known};

impl Builder {
    /// Subscribes before anything is emitted. See [`Analytics::on`](crate::Analytics::on).
    pub fn on<S: Signal>(self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Self {
        self.subscribe(move |emitter| Ok(emitter.on(signal, listener)))
    }

    /// Subscribes to the first `signal` only. See [`Analytics::once`](crate::Analytics::once).
    pub fn once<S: Signal>(self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Self {
        self.subscribe(move |emitter| Ok(emitter.once(signal, listener)))
    }

    /// Like [`on`](Self::on), for a name that comes from configuration, such as `"error"`. If there is no signal of
    /// that name, [`build`](Self::build) returns an error.
    pub fn on_name(self, name: &str, listener: impl Fn(&Emitted) + Send + Sync + 'static) -> Self {
        self.subscribe_name(name, move |emitter, name| emitter.on_name(name, listener))
    }

    /// Like [`once`](Self::once), for a name that comes from configuration.
    pub fn once_name(self, name: &str, listener: impl Fn(&Emitted) + Send + Sync + 'static) -> Self {
        self.subscribe_name(name, move |emitter, name| emitter.once_name(name, listener))
    }

    fn subscribe_name(
        mut self,
        name: &str,
        subscribe: impl FnOnce(&Emitter, &str) -> Result<Subscription, UnknownSignal> + Send + 'static,
    ) -> Self {
        match known(name) {
            Ok(name) => return self.subscribe(move |emitter| subscribe(emitter, name)),
            Err(unknown) => self.unknown_signals.push(unknown),
        }
        self
    }

    fn subscribe(
        mut self,
        subscribe: impl FnOnce(&Emitter) -> Result<Subscription, UnknownSignal> + Send + 'static,
    ) -> Self {
        self.subscriptions.push(Box::new(move |emitter| subscribe(emitter).map(drop)));
        self
    }

    /// Changes each failure before it is logged and emitted as `error`. Use it for a client behind something that keeps
    /// its events and sends them again, such as `tracklane-spool`: what such a client drops is not lost. There is one
    /// function; the last one set is called. If it panics, the failure stays as it is.
    ///
    /// The events that a close leaves are asked about as a failure of `tracklane` that drops them as
    /// [`Closed`](crate::DropReason::Closed). It is logged if they are still dropped afterwards, and never emitted.
    ///
    /// ```
    /// use tracklane::{Analytics, DropReason};
    ///
    /// let builder = Analytics::builder_for("WRITE_KEY").map_failure(|failure| {
    ///     let mut failure = failure.clone();
    ///     if failure.dropped == Some(DropReason::RetriesExhausted) {
    ///         (failure.dropped, failure.retried) = (None, true); // The log has it as WARN.
    ///     }
    ///     failure
    /// });
    /// # let _ = builder;
    /// ```
    pub fn map_failure(mut self, map: impl Fn(&Failure) -> Failure + Send + Sync + 'static) -> Self {
        self.map_failure = Some(Box::new(map));
        self
    }
}
