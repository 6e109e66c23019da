//! The handle of a client, which an application holds and calls.

#[cfg(not(target_family = "wasm"))]
mod blocking;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::background::KeepAlive;
use crate::emitter::signal::{Emitted, Signal};
use crate::emitter::{Emitter, Subscription, UnknownSignal};
use crate::event::{Alias, Event, Group, Identify, Page, Screen, Track};
use crate::ledger::{Dispatch, FlushReport, Receipt, Stats};
use crate::pipeline::{Client, CloseReport, Pipeline, deadline, left};
use crate::plugin::IntoRegistration;
use crate::refusal::{CallError, RegisterError};
use crate::supervise::hops;

/// The time that the drop of the last handle waits for what is under way.
const DROP_LIMIT: Duration = Duration::from_secs(2);

/// A client of the pipeline. An application sends its events here.
///
/// It is cheap to clone, and usable from any thread, with and without an async runtime. The calls never block. When the
/// last clone is dropped, events under way have two seconds to be delivered. [`close`](Self::close) gives them more,
/// and reports their outcomes.
///
/// ```no_run
/// use tracklane::{Analytics, Track};
///
/// let analytics = Analytics::new("WRITE_KEY")?;
/// analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r").property("revenue", 39.95))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | to send | returns when | gives | if the queue is full |
/// |---|---|---|---|
/// | [`track`](Self::track) and its five siblings, [`send`](Self::send) | at once | nothing | an error with the event |
/// | [`send_with_receipt`](Self::send_with_receipt) | at once | a [`Receipt`], to wait for the outcome | an error with the event |
/// | [`send_when_ready`](Self::send_when_ready)`.await` | there is room | nothing | it waits |
/// | [`blocking`](Self::blocking), then [`send`](crate::BlockingAnalytics::send) | the event has its outcome | the [`Settlement`](crate::Settlement) | an error with the event |
///
/// Accepted is not delivered: `Ok` means that the event is in the queue. Its outcome comes later.
#[derive(Clone)]
pub struct Analytics {
    handle: Arc<Handle>,
}

/// Shared by the clones. Its drop ends the client.
struct Handle {
    client: Arc<Client>,
    keep_alive: Option<KeepAlive>,
}

impl Analytics {
    pub(crate) fn start(client: Arc<Client>, keep_alive: KeepAlive) -> Self {
        Self { handle: Arc::new(Handle { client, keep_alive: Some(keep_alive) }) }
    }

    /// Records what a user did.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be sent, the queue is full, or the client is closed. The error holds the
    /// event.
    pub fn track(&self, event: Track) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records who a user is.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn identify(&self, event: Identify) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records that a page was viewed.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn page(&self, event: Page) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records that a screen was viewed.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn screen(&self, event: Screen) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records which group a user belongs to.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn group(&self, event: Group) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records that two ids are one user.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn alias(&self, event: Alias) -> Result<(), CallError> {
        self.send(event)
    }

    /// Sends any of the six calls, for code that does not know the kind: for events from JSON, or from
    /// [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn send(&self, event: impl Into<Event>) -> Result<(), CallError> {
        self.handle.client.intake.push(event)
    }

    /// Like [`send`](Self::send), with a receipt to wait for the event's outcome.
    ///
    /// ```no_run
    /// # use tracklane::{Analytics, Track};
    /// # async fn example(analytics: Analytics) -> Result<(), tracklane::CallError> {
    /// let end = analytics.send_with_receipt(Track::new("Ultimate Played").user_id("019mr8mf4r"))?.await;
    /// println!("{}: {:?}", end.message_id, end.outcome);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`track`](Self::track).
    pub fn send_with_receipt(&self, event: impl Into<Event>) -> Result<Receipt, CallError> {
        let mut event = event.into();
        let client = &self.handle.client;
        let (sender, mut receipt) = Receipt::new(client.background.process());
        event.with_observers(|observers| observers.receipt = Some(sender));
        self.send(event)?;
        // Read once the event is in the queue, so that every later dispatch includes it.
        let (dispatcher, seen) = (Arc::downgrade(client), client.intake.dispatched());
        receipt.set_dispatch(Dispatch { dispatcher, seen });
        Ok(receipt)
    }

    /// Like [`send`](Self::send), but waits for room if the queue is full. Needs no particular runtime.
    ///
    /// With several destinations it also waits while one has more under way than the client may have (`max_queue_size`), so
    /// that an import loses nothing at a slow destination, or at one that pauses. It does not wait for a destination that is
    /// down, because a batch has failed three times, or that has [limits](crate::plugin::Destination::queue) of its own.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be sent, or the client is closed. The error holds the event.
    pub async fn send_when_ready(&self, event: impl Into<Event> + Send) -> Result<(), CallError> {
        let client = &self.handle.client;
        client.background.run(client.intake.push_when_room(event.into(), None)).await
    }

    /// Calls `listener` with every `signal` from now on.
    ///
    /// ```no_run
    /// # use tracklane::{Analytics, signal};
    /// # let analytics = Analytics::new("WRITE_KEY")?;
    /// analytics.on(signal::Error, |failure| eprintln!("{failure}"));
    /// # Ok::<(), tracklane::SettingsError>(())
    /// ```
    ///
    /// The listener runs on a thread where it may block, one signal after the other. It cannot disturb delivery.
    pub fn on<S: Signal>(&self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Subscription {
        self.emitter().on(signal, listener)
    }

    /// Calls `listener` with the next `signal` only.
    pub fn once<S: Signal>(&self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Subscription {
        self.emitter().once(signal, listener)
    }

    /// Like [`on`](Self::on), for a name that comes from configuration, such as `"error"`.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no signal of that name.
    pub fn on_name(
        &self,
        name: &str,
        listener: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Result<Subscription, UnknownSignal> {
        self.emitter().on_name(name, listener)
    }

    /// Like [`once`](Self::once), for a name that comes from configuration.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no signal of that name.
    pub fn once_name(
        &self,
        name: &str,
        listener: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Result<Subscription, UnknownSignal> {
        self.emitter().once_name(name, listener)
    }

    fn emitter(&self) -> &Emitter {
        &self.handle.client.emitter
    }

    /// Registers a plugin or destination. Events that were sent before pass without it. Events that are sent after wait
    /// until it has loaded, at most ten seconds.
    ///
    /// # Errors
    ///
    /// Returns an error if a plugin of that name is registered, if it fails to load, or if the client is closed.
    pub async fn register(&self, plugin: impl IntoRegistration) -> Result<(), RegisterError> {
        self.handle.client.register(plugin.into_registration()).await
    }

    /// Deregisters a plugin or destination by its name. A destination has ten seconds to deliver what it has, and the
    /// plugin another ten to unload.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such plugin, if it fails to unload, or if the client is closed.
    pub async fn deregister(&self, name: &str) -> Result<(), RegisterError> {
        self.handle.client.deregister(name).await
    }

    /// Waits until every event that was accepted so far has its outcome and its callbacks have returned, at most
    /// `timeout`. Retries and requests in flight are included. Flushes may overlap. A flush in a callback does not wait
    /// for callbacks.
    pub async fn flush(&self, timeout: Duration) -> FlushReport {
        self.handle.client.clone().flush_within(timeout).await
    }

    /// Refuses calls from now on, for all clones, and waits until every accepted event has its outcome, at most
    /// `timeout`. Failed batches are tried again until then. Events without an outcome are handed back. Plugins are
    /// unloaded in the time that is left.
    ///
    /// The close goes on if its future is dropped. Another close, or the drop of the last clone, then waits for the
    /// same end.
    pub async fn close(&self, timeout: Duration) -> CloseReport {
        self.handle.client.clone().close_within(timeout).await
    }

    /// Drives a [driven](crate::Builder::driven) client until it is closed. Batches leave when they are due, and failed ones are
    /// tried again. Ends at once for a client that has a thread.
    pub async fn drive(&self) {
        self.handle.client.drive().await;
    }

    /// Returns the counts of accepted, delivered and dropped events, in total and by destination.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.handle.client.stats()
    }

    /// Returns the pipeline as a tower service, to call it directly. It works as long as the client does.
    #[must_use]
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.handle.client.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let keep_alive = self.keep_alive.take();
        if self.client.background.is_forked() {
            // The thread is the parent's.
            return std::mem::forget(keep_alive);
        }
        let (client, deadline, depth) = (self.client.clone(), deadline(DROP_LIMIT), hops::current());
        if let Some(tasks) = self.client.background.tasks() {
            return self.client.abandon(tasks);
        }
        // Waiting on the client's own thread would hold up the events that it waits for.
        let waits = !client.background.is_current();
        let end = move || {
            let _scope = hops::set(depth);
            // A close that had its time gets no more.
            if !client.end.is_closed() {
                client.close(deadline);
            }
            // The destructors of plugins may take any time, too. That is why this has a thread of its own.
            client.release();
            if depth == 0 {
                client.run_last_callbacks();
            }
            drop(keep_alive);
        };
        match self.client.background.spawn_thread(end) {
            Ok(ended) if waits => {
                let _ = ended.recv_timeout(left(deadline));
            }
            Ok(_) => {}
            Err(end) => end(),
        }
    }
}

impl fmt::Debug for Analytics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analytics").finish_non_exhaustive()
    }
}
