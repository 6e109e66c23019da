//! The parts of a spool that runs, and the writing of batches in turn.
//!
//! A directory that cannot be opened at once delays no batch for longer than [`PATIENCE`]: events go from memory
//! meanwhile, and to the disk when it is open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;
use tracklane::emitter::signal::Failure;
use tracklane::{Analytics, text_with_causes};

use crate::disk_thread::DiskThread;
use crate::disposition::Dispositions;
use crate::report;
use crate::store::{NotWritten, Store};

/// The time that opening the directory may take before events go from memory.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// The parts of a spool that has loaded.
pub(crate) struct Running {
    pub(crate) store: Arc<Store>,
    pub(crate) client: Analytics,
    pub(crate) writer: Arc<DiskThread>,
    /// The last batch could not be written, or there is no slot to write the first to.
    pub(crate) degraded: AtomicBool,
    /// Held by the one batch that is being written.
    pub(crate) turn: Mutex<Turn>,
    /// The outcomes of the parts of batches that are being split.
    pub(crate) unanswered: std::sync::Mutex<Dispositions>,
}

/// The right to write, which knows whether the directory is being opened.
pub(crate) struct Turn {
    opening: Option<Opening>,
}

struct Opening {
    outcome: oneshot::Receiver<Result<(), NotWritten>>,
    /// It has taken too long once, and is not waited for again.
    is_slow: bool,
}

impl Turn {
    pub(crate) fn opening(store: &Arc<Store>, writer: &DiskThread) -> Self {
        let store = store.clone();
        Self { opening: Some(Opening { outcome: writer.give(move || store.open()), is_slow: false }) }
    }

    fn is_opening(&mut self) -> bool {
        self.opening
            .as_mut()
            .is_some_and(|opening| opening.outcome.try_recv().is_err_and(|error| error == TryRecvError::Empty))
    }

    /// Waits for the directory, if it is being opened.
    async fn opened(&mut self, store: &Store) -> Result<(), NotWritten> {
        let Some(opening) = &mut self.opening else { return Ok(()) };
        let patience = if opening.is_slow { Duration::ZERO } else { PATIENCE };
        let Ok(outcome) = timeout(patience, &mut opening.outcome).await else {
            opening.is_slow = true;
            return Err(NotWritten::Opening { path: store.root.clone() });
        };
        self.opening = None;
        outcome.unwrap_or(Err(NotWritten::Panicked(crate::disk_thread::Panicked)))
    }
}

impl Running {
    pub(crate) fn unanswered(&self) -> MutexGuard<'_, Dispositions> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes in turn. What is not written when this returns is not written later either.
    pub(crate) async fn write<W>(&self, write: W) -> Result<(), NotWritten>
    where
        W: Fn(&Store) -> Result<(), NotWritten> + Clone + Send + 'static,
    {
        let mut turn = self.turn.lock().await;
        // One that failed may have done so long ago: whether it can be opened now is found out below.
        if let Err(slow @ NotWritten::Opening { .. }) = turn.opened(&self.store).await {
            return Err(slow);
        }
        let mut written = self.write_now(write.clone()).await;
        if matches!(written, Err(NotWritten::NotOpen)) {
            *turn = Turn::opening(&self.store, &self.writer);
            turn.opened(&self.store).await?;
            written = self.write_now(write).await;
        }
        if written.is_ok() && self.degraded.swap(false, Ordering::AcqRel) {
            let destination = &self.store.name;
            report::log(|| tracing::info!(target: "tracklane", %destination, "the spool writes to the disk again"));
        }
        written
    }

    async fn write_now<W>(&self, write: W) -> Result<(), NotWritten>
    where
        W: FnOnce(&Store) -> Result<(), NotWritten> + Send + 'static,
    {
        let store = self.store.clone();
        self.writer.run(move || write(&store)).await?
    }

    /// Waits a little for the directory; that it cannot be opened is reported.
    pub(crate) async fn await_opening(&self) {
        let opened = self.turn.lock().await.opened(&self.store).await;
        if let Err(error) = opened {
            // Each batch tries again.
            self.report(0, error);
        }
    }

    /// Opens the directory, if it never was: files that wait there must be sent, even if nothing new comes.
    pub(crate) fn open_if_need_be(&self) {
        if !self.store.is_opened()
            && let Ok(mut turn) = self.turn.try_lock()
            && !turn.is_opening()
        {
            *turn = Turn::opening(&self.store, &self.writer);
        }
    }

    /// Once per episode.
    pub(crate) fn report(&self, events: usize, error: NotWritten) {
        if self.degraded.swap(true, Ordering::AcqRel) {
            return;
        }
        let until = if self.store.refuse_unwritten { "new events are refused" } else { "events wait in memory" };
        let message = format!("not on the disk, because {}; until it is, {until}", text_with_causes(&error));
        let mut failure = Failure::of_destination(self.store.name.clone(), message, events);
        failure.error = Some(Arc::new(error));
        report::emit(&self.store.emitter, failure);
    }
}
