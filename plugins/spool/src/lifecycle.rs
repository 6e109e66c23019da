//! Loads and unloads the spool: starts and ends the threads of its backend.
//!
//! One thread has a runtime of its own, so that files are sent even if the host's runtime ends. Two more do blocking
//! work. Loading never fails because a disk is slow or a thread cannot be started. It goes on in the background.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tracklane::BoxError;
use tracklane::emitter::Emitter;
use tracklane::emitter::signal::Failure;
use tracklane::plugin::{Destination, Host, Plugin};

use crate::backend::Backend;
use crate::report;
use crate::running::{PATIENCE, Running};
use crate::setup::Setup;

/// The time that unload waits for the thread: less than the ten seconds that it has.
const UNLOAD: Duration = Duration::from_millis(9_500);
/// The time until threads that could not be started are tried again.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Lifecycle {
    name: String,
    running: watch::Sender<Option<Arc<Running>>>,
    /// Taken by `load`.
    parts: Mutex<Option<(Setup, Destination)>>,
    /// Taken by `unload`.
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    stop: watch::Sender<bool>,
    /// Answers, when every sender is dropped, that the thread is at its end.
    ended: mpsc::Receiver<()>,
}

impl Lifecycle {
    pub(crate) fn new(setup: Setup, destination: Destination, running: watch::Sender<Option<Arc<Running>>>) -> Self {
        let name = destination.name().to_owned();
        Self { name, running, parts: Mutex::new(Some((setup, destination))), thread: Mutex::default() }
    }
}

impl Plugin for Lifecycle {
    fn name(&self) -> &str {
        &self.name
    }

    async fn load(&self, host: &Host) -> Result<(), BoxError> {
        let taken = self.parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        let parts = taken.ok_or("the spool was loaded before")?;
        let (stop, stopped) = watch::channel(false);
        let (ending, ended) = mpsc::channel(1);
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(Thread { stop, ended });
        let (name, emitter, running) = (self.name.clone(), host.emitter().clone(), self.running.clone());
        let parts = Arc::new(Mutex::new(Some(parts)));
        tokio::spawn(Start { name, parts, emitter, running, stopped, ending }.until_it_works());
        // Usually this takes no time, and the first events need not go from memory.
        let mut running = self.running.subscribe();
        let begun = timeout(PATIENCE, running.wait_for(Option::is_some)).await;
        let running = begun.ok().and_then(Result::ok).and_then(|running| running.clone());
        if let Some(running) = running {
            running.await_opening().await;
        }
        Ok(())
    }

    async fn unload(&self) -> Result<(), BoxError> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Thread { stop, mut ended }) = thread else { return Ok(()) };
        stop.send_replace(true);
        match timeout(UNLOAD, ended.recv()).await {
            Ok(_) => Ok(()),
            Err(_) => Err("the thread behind the spool did not end in time; what is on the disk stays there".into()),
        }
    }
}

/// Starts the thread.
struct Start {
    name: String,
    /// Taken when nothing can fail any more.
    parts: Arc<Mutex<Option<(Setup, Destination)>>>,
    emitter: Emitter,
    running: watch::Sender<Option<Arc<Running>>>,
    stopped: watch::Receiver<bool>,
    ending: mpsc::Sender<()>,
}

impl Start {
    async fn until_it_works(mut self) {
        let mut told = false;
        while let Err(error) = self.once().await {
            if !std::mem::replace(&mut told, true) {
                let message = format!(
                    "the spool cannot begin: {error}; until it can, events wait in memory, and it is tried every {AGAIN:?}"
                );
                report::emit(&self.emitter, Failure::of_destination(self.name.clone(), message, 0));
            }
            tokio::select! {
                _ = self.stopped.wait_for(|stopped| *stopped) => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn once(&self) -> Result<(), BoxError> {
        let (begun, outcome) = oneshot::channel();
        let (parts, emitter, stopped) = (self.parts.clone(), self.emitter.clone(), self.stopped.clone());
        let (name, ending) = (self.name.clone(), self.ending.clone());
        std::thread::Builder::new().name("tracklane-spool".to_owned()).spawn(move || {
            block_sigpipe();
            let life = || live(&parts, &emitter, stopped, begun);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(life)) {
                // Its drop may panic, too.
                std::mem::forget(panic);
                let message = "the spool's thread has panicked; what is on the disk is sent by the next start";
                report::emit(&emitter, Failure::of_destination(name, message, 0));
            }
            drop(ending);
        })?;
        let running = outcome.await.map_err(|_| "its thread ended")??;
        self.running.send_replace(Some(running));
        Ok(())
    }
}

/// The life of the thread.
fn live(
    parts: &Mutex<Option<(Setup, Destination)>>,
    emitter: &Emitter,
    mut stopped: watch::Receiver<bool>,
    begun: oneshot::Sender<Result<Arc<Running>, BoxError>>,
) {
    // Made on this thread, because the client's has a runtime of its own and could not even drop this one.
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_all().thread_name("tracklane-spool").on_thread_start(block_sigpipe).build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(begun.send(Err(error.into()))),
    };
    runtime.block_on(async {
        let Backend { running, feeder } = match Backend::begin(parts, emitter) {
            Ok(behind) => behind,
            Err(error) => return drop(begun.send(Err(error))),
        };
        if begun.send(Ok(running)).is_ok() {
            feeder.run(async move { drop(stopped.wait_for(|stopped| *stopped).await) }).await;
        }
    });
    runtime.shutdown_background();
}

/// Blocks SIGPIPE on this thread, where a write to a connection that was lost would raise it: a host that has it at its
/// default would be ended.
#[cfg(unix)]
fn block_sigpipe() {
    use nix::sys::signal::{SigSet, Signal};

    let mut signals = SigSet::empty();
    signals.add(Signal::SIGPIPE);
    // It fails for nothing but a wrong way of changing the mask.
    let _ = signals.thread_block();
}

#[cfg(not(unix))]
fn block_sigpipe() {}
