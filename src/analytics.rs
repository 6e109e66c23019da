//! The handle: what an application holds and calls.

mod room;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::background::KeepAlive;
use crate::blocking::BlockingAnalytics;
use crate::builder::Builder;
use crate::emitter::signal::{Emitted, Signal};
use crate::emitter::{Emitter, Subscription, UnknownSignal};
use crate::error::SettingsError;
use crate::event::{Alias, Event, Group, Identify, Page, Screen, Track};
use crate::ledger::{DeliveryError, Dispatch, FlushReport, Receipt, Settlement, Stats};
use crate::pipeline::{CallError, CloseReport, Command, Pipeline, RefusalReason, RegisterError, Shared};
use crate::plugin::IntoRegistration;
use crate::segment::{OwnKey, Segment, SetWriteKeyError, WriteKey};
use crate::settings::Settings;
use crate::supervise::hops;
use crate::threads;

/// How long the drop of the last handle waits for what is under way.
const DROP_LIMIT: Duration = Duration::from_secs(2);

/// A client: events go in here.
///
/// Cheap to clone, and usable from any thread, with and without an async runtime. The calls never block. When the
/// last clone is dropped, what is under way has two seconds to be delivered; [`close`](Self::close) gives more, and
/// says what became of it.
///
/// ```no_run
/// use tracklane::{Analytics, Track};
///
/// let analytics = Analytics::new("WRITE_KEY")?;
/// analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r").property("revenue", 39.95))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Analytics {
    handle: Arc<Handle>,
}

/// Shared by the clones; its drop is the end of the client.
struct Handle {
    shared: Arc<Shared>,
    keep_alive: Option<KeepAlive>,
    key: OwnKey,
}

impl Analytics {
    /// A client for the Segment source with that write key, with the defaults.
    ///
    /// # Errors
    ///
    /// If it cannot be a write key (empty, or with white space), or the background thread cannot be started.
    pub fn new(write_key: impl Into<WriteKey>) -> Result<Self, SettingsError> {
        Self::builder_for(write_key).build()
    }

    /// Returns the settings of a client that sends nowhere yet: to Segment with [`Builder::segment`], and to every
    /// destination that is registered.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Returns the settings of a client for the Segment source with that write key:
    /// `Analytics::builder().segment(Segment::new(write_key))`.
    pub fn builder_for(write_key: impl Into<WriteKey>) -> Builder {
        Builder::new().segment(Segment::new(write_key))
    }

    /// A client with the settings that the environment has: `TRACKLANE_WRITE_KEY` and others. See [`Settings`].
    ///
    /// # Errors
    ///
    /// If a variable cannot be read as its setting, or a setting cannot be used.
    pub fn from_env() -> Result<Self, SettingsError> {
        Settings::from_env()?.into_builder()?.build()
    }

    pub(crate) fn start(shared: Arc<Shared>, keep_alive: KeepAlive, key: OwnKey) -> Self {
        Self { handle: Arc::new(Handle { shared, keep_alive: Some(keep_alive), key }) }
    }

    /// Changes the write key while events flow, for all clones: every request from now on has the new one, in its
    /// header and in its body, also for batches that were sent with the old one before. A request that is under way
    /// and comes back as refused (401, 403) is repeated with the new key at once.
    ///
    /// ```
    /// use tracklane::Analytics;
    ///
    /// let analytics = Analytics::new("OLD_KEY")?;
    /// analytics.set_write_key("NEW_KEY")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// This is for the destination that the client has by itself. The key of any other one, also behind a queue on
    /// disk, is changed by [`Segment::key_handle`](crate::segment::Segment::key_handle).
    ///
    /// # Errors
    ///
    /// If it cannot be a write key, if the client was built without Segment, if its destination was deregistered, or if
    /// the client is closed. The old key stays then.
    pub fn set_write_key(&self, write_key: impl Into<WriteKey>) -> Result<(), SetWriteKeyError> {
        match self.handle.shared.intake.refusal_reason() {
            None => self.handle.key.set(write_key.into()),
            Some(RefusalReason::Forked) => Err(SetWriteKeyError::Forked),
            Some(RefusalReason::RuntimeEnded) => Err(SetWriteKeyError::RuntimeEnded),
            Some(_) => Err(SetWriteKeyError::Closed),
        }
    }

    /// Records what a user did.
    ///
    /// # Errors
    ///
    /// If the event is not one that can be sent, the queue is full, or the client closed. The error holds the event.
    pub fn track(&self, event: Track) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records who a user is.
    ///
    /// # Errors
    ///
    /// As [`track`](Self::track).
    pub fn identify(&self, event: Identify) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records that a page was viewed.
    ///
    /// # Errors
    ///
    /// As [`track`](Self::track).
    pub fn page(&self, event: Page) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records that a screen was viewed.
    ///
    /// # Errors
    ///
    /// As [`track`](Self::track).
    pub fn screen(&self, event: Screen) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records which group a user belongs to.
    ///
    /// # Errors
    ///
    /// As [`track`](Self::track).
    pub fn group(&self, event: Group) -> Result<(), CallError> {
        self.send(event)
    }

    /// Records that two ids are one user.
    ///
    /// # Errors
    ///
    /// As [`track`](Self::track).
    pub fn alias(&self, event: Alias) -> Result<(), CallError> {
        self.send(event)
    }

    /// Any of the six, where the kind is not known before: from JSON, or handed back by [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// As [`track`](Self::track).
    pub fn send(&self, event: impl Into<Event>) -> Result<(), CallError> {
        self.handle.shared.intake.push(event)
    }

    /// As [`send`](Self::send), with a receipt to wait for the event's end.
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
    /// As [`track`](Self::track).
    pub fn send_with_receipt(&self, event: impl Into<Event>) -> Result<Receipt, CallError> {
        let mut event = event.into();
        let shared = &self.handle.shared;
        let (sender, mut receipt) = Receipt::new(shared.background.process());
        event.attached.watch.get_or_insert_default().receipt = Some(sender);
        self.send(event)?;
        // Read when the event is in the queue: what is told to leave from here on has it among it.
        let (dispatcher, seen) = (Arc::downgrade(shared), shared.intake.dispatched());
        receipt.set_dispatch(Dispatch { dispatcher, seen });
        Ok(receipt)
    }

    /// This client with calls that block until the event is delivered or dropped, each at most `timeout`.
    #[must_use]
    pub fn blocking(&self, timeout: Duration) -> BlockingAnalytics {
        BlockingAnalytics::new(self.clone(), timeout)
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
    /// The listener runs on a thread where it may block, one signal after the other, and cannot disturb delivery.
    pub fn on<S: Signal>(&self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Subscription {
        self.emitter().on(signal, listener)
    }

    /// Calls `listener` with the next `signal` only.
    pub fn once<S: Signal>(&self, signal: S, listener: impl Fn(&S::Payload) + Send + Sync + 'static) -> Subscription {
        self.emitter().once(signal, listener)
    }

    /// As [`on`](Self::on), for a name that comes from configuration, such as `"error"`.
    ///
    /// # Errors
    ///
    /// If there is no signal of that name.
    pub fn on_name(
        &self,
        name: &str,
        listener: impl Fn(&Emitted) + Send + Sync + 'static,
    ) -> Result<Subscription, UnknownSignal> {
        self.emitter().on_name(name, listener)
    }

    fn emitter(&self) -> &Emitter {
        &self.handle.shared.emitter
    }

    /// Registers a plugin or destination. Events that were sent before pass without it; those that are sent after
    /// wait until it has loaded, at most ten seconds.
    ///
    /// # Errors
    ///
    /// If a plugin of that name is registered, if it fails to load, or if the client is closed.
    pub async fn register(&self, plugin: impl IntoRegistration) -> Result<(), RegisterError> {
        let (reply, answer) = oneshot::channel();
        self.handle.shared.intake.command(Command::Register(plugin.into_registration(), reply))?;
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Deregisters a plugin or destination by its name. A destination has ten seconds to deliver what it has, and the
    /// plugin another ten to unload.
    ///
    /// # Errors
    ///
    /// If there is no such plugin, if it fails to unload, or if the client is closed.
    pub async fn deregister(&self, name: &str) -> Result<(), RegisterError> {
        let (reply, answer) = oneshot::channel();
        self.handle.shared.intake.command(Command::Deregister(name.to_owned(), reply))?;
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    /// Why nobody obeyed.
    fn ended(&self) -> RegisterError {
        self.handle.shared.intake.refusal_reason().map_or(RegisterError::Closed, RegisterError::from)
    }

    /// Waits until every event that was accepted so far has its outcome, retries and requests in flight included, and its
    /// callbacks have returned, at most `timeout`. Flushes may overlap; one in a callback does not wait for callbacks.
    pub async fn flush(&self, timeout: Duration) -> FlushReport {
        self.wait(timeout, Shared::flush).await
    }

    /// [`flush`](Self::flush), where there is no async code. Blocks the thread.
    pub fn flush_blocking(&self, timeout: Duration) -> FlushReport {
        self.handle.shared.flush(deadline(timeout))
    }

    /// Waits for the end of one event, with nothing waiting for its batch to fill. Blocks the thread.
    pub(crate) fn flush_for(
        &self,
        receipt: Receipt,
        timeout: Duration,
    ) -> Result<Settlement, Option<Arc<DeliveryError>>> {
        self.handle.shared.flush_for(receipt, deadline(timeout))
    }

    /// Refuses calls from now on, for all clones, and waits until what was accepted has its outcome, at most
    /// `timeout`. Failed batches are tried again until then. What is left is handed back. In the time that is left, plugins
    /// are unloaded.
    ///
    /// It goes on if its future is dropped; another close, or the drop of the last clone, then waits for the same end.
    pub async fn close(&self, timeout: Duration) -> CloseReport {
        self.wait(timeout, Shared::close).await;
        self.handle.shared.report()
    }

    /// Waits on a thread of its own: user code may hold up any other, and the deadline must be kept.
    async fn wait<T: Send + 'static>(&self, timeout: Duration, wait: fn(&Shared, Instant) -> T) -> T {
        let (shared, deadline) = (&self.handle.shared, deadline(timeout));
        if shared.background.is_forked() || shared.background.is_shut_down() {
            // Nothing moves any more, and nothing is waited for.
            return wait(shared, Instant::now());
        }
        let (reply, report) = oneshot::channel();
        let (waiting, depth) = (shared.clone(), hops::current());
        let thread = threads::spawn("tracklane-wait", move || {
            let _scope = hops::set(depth);
            // Whoever asked may not wait for the answer any more.
            let _ = reply.send(wait(&waiting, deadline));
        });
        match thread {
            Ok(()) => report.await.unwrap_or_else(|_| wait(shared, Instant::now())),
            // There is only the caller's thread.
            Err(_) => wait(shared, deadline),
        }
    }

    /// [`close`](Self::close), where there is no async code. Blocks the thread.
    pub fn close_blocking(&self, timeout: Duration) -> CloseReport {
        self.handle.shared.close(deadline(timeout));
        self.handle.shared.report()
    }

    /// What was accepted, delivered and dropped so far, altogether and by destination.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.handle.shared.stats()
    }

    /// The pipeline as a tower service, to drive it by hand. It works as long as the client does.
    #[must_use]
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.handle.shared.clone())
    }
}

/// A deadline that is not in reach of the clock is as good as none.
fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 60 * 60))
}

impl Drop for Handle {
    fn drop(&mut self) {
        let keep_alive = self.keep_alive.take();
        if self.shared.background.is_forked() {
            // The thread is the parent's.
            return std::mem::forget(keep_alive);
        }
        let (shared, deadline, depth) = (self.shared.clone(), deadline(DROP_LIMIT), hops::current());
        // To wait where the client works would hold up what is waited for.
        let waits = !shared.background.is_current();
        let end = move || {
            let _scope = hops::set(depth);
            // A close that had its time is not given more.
            if !shared.end.is_closed() {
                shared.close(deadline);
            }
            // The destructors of plugins may take any time, too: that is why this has a thread of its own.
            shared.release();
            if depth == 0 {
                shared.call_the_last();
            }
            drop(keep_alive);
        };
        match self.shared.background.spawn_thread(end) {
            Ok(ended) if waits => {
                let _ = ended.recv_timeout(deadline.saturating_duration_since(Instant::now()));
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
