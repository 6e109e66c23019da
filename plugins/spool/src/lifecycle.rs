//! Load and unload: the thread behind the spool, with the client that owns the destination.
//!
//! The thread has a runtime of its own, so that what is on the disk is sent whether or not the host's runtime lasts.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tracklane::emitter::Emitter;
use tracklane::emitter::signal::{self, Emitted, Failure};
use tracklane::plugin::{Destination, Host, Plugin, QueueLimits};
use tracklane::{Analytics, BoxError, Outcome};

use crate::attempts;
use crate::disk::Disk;
use crate::ending::{Ending, end_of};
use crate::feeder::Feeder;
use crate::front::Running;
use crate::stats::Counters;
use crate::store::{Own, Store};

/// No bound: what is under way behind the spool is bounded by what the feeder reads and by the queue in front.
const UNBOUNDED: usize = usize::MAX / 2;
/// How long unload waits for the thread: less than the ten seconds that it is given.
const UNLOAD: Duration = Duration::from_millis(9_500);

/// What the thread needs to begin.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) root: PathBuf,
    pub(crate) disk: Disk,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) adopt_every: Duration,
    pub(crate) counters: Arc<Counters>,
}

pub(crate) struct Lifecycle {
    name: String,
    running: Arc<OnceLock<Arc<Running>>>,
    /// Taken by `load`.
    destination: Mutex<Option<(Setup, Destination)>>,
    /// Taken by `unload`.
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    stop: oneshot::Sender<()>,
    /// Answers, by being dropped, when the thread is at its end.
    ended: oneshot::Receiver<()>,
}

impl Lifecycle {
    pub(crate) fn new(setup: Setup, destination: Destination, running: Arc<OnceLock<Arc<Running>>>) -> Self {
        let name = destination.name().to_owned();
        Self { name, running, destination: Mutex::new(Some((setup, destination))), thread: Mutex::default() }
    }
}

impl Plugin for Lifecycle {
    fn name(&self) -> &str {
        &self.name
    }

    async fn load(&self, host: &Host) -> Result<(), BoxError> {
        let taken = self.destination.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (setup, destination) = taken.ok_or("the spool was loaded before")?;
        let emitter = host.emitter().clone();
        let (stop, stopped) = oneshot::channel();
        let (loaded, outcome) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let mut builder = Builder::new_current_thread();
        builder.enable_all().thread_name("tracklane-spool").on_thread_start(block_sigpipe);
        thread::Builder::new().name("tracklane-spool".to_owned()).spawn(move || {
            block_sigpipe();
            // Made on this thread: the client's, which has a runtime of its own, could not even drop it.
            let runtime = match builder.build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(loaded.send(Err(error.into()))),
            };
            runtime.block_on(work(setup, destination, emitter, loaded, stopped));
            runtime.shutdown_background();
            drop::<oneshot::Sender<()>>(ending);
        })?;
        let running = outcome.await.map_err(|_| "the thread behind the spool ended")??;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(Thread { stop, ended });
        // Set once: the destination was taken once.
        let _ = self.running.set(running);
        Ok(())
    }

    async fn unload(&self) -> Result<(), BoxError> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Thread { stop, ended }) = thread else { return Ok(()) };
        // It listens, or has ended.
        let _ = stop.send(());
        match tokio::time::timeout(UNLOAD, ended).await {
            Ok(_) => Ok(()),
            Err(_) => Err("the thread behind the spool did not end in time; what is on the disk stays there".into()),
        }
    }
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

/// The life of the thread.
async fn work(
    setup: Setup,
    destination: Destination,
    emitter: Emitter,
    loaded: oneshot::Sender<Result<Arc<Running>, BoxError>>,
    stop: oneshot::Receiver<()>,
) {
    let (running, feeder) = match begin(setup, destination, emitter).await {
        Ok(begun) => begun,
        Err(error) => return drop(loaded.send(Err(error))),
    };
    if loaded.send(Ok(running)).is_ok() {
        feeder.run(stop).await;
    }
}

async fn begin(setup: Setup, destination: Destination, emitter: Emitter) -> Result<(Arc<Running>, Feeder), BoxError> {
    let name: Arc<str> = destination.name().into();
    let client = client(&emitter)?;
    let (destination, failing) = attempts::watched(destination.queue(QueueLimits::new(UNBOUNDED, UNBOUNDED)));
    client.register(destination).await?;
    let (found, files) = mpsc::unbounded_channel();
    let Setup { root, disk, max_bytes, max_age, adopt_every, counters } = setup;
    let (own, strangers) = (Mutex::new(Own::default()), Mutex::default());
    let store = Arc::new(Store { name, root, disk, max_bytes, max_age, counters, emitter, found, own, strangers });
    let opening = store.clone();
    let opened = spawn_blocking(move || opening.open()).await?;
    let feeder = Feeder::new(client.clone(), failing, store.clone(), files, adopt_every);
    let (degraded, turn, unanswered) = (AtomicBool::new(false), tokio::sync::Mutex::new(()), Mutex::default());
    let running = Running { store, client, degraded, turn, unanswered };
    if let Err(error) = opened {
        // Each batch tries again.
        running.report(0, error);
    }
    Ok((Arc::new(running), feeder))
}

/// The client behind the spool. What it tells of requests and failures, the client in front tells.
fn client(emitter: &Emitter) -> Result<Analytics, BoxError> {
    let (failures, requests, responses) = (emitter.clone(), emitter.clone(), emitter.clone());
    let client = Analytics::without_segment()
        .runtime(Handle::current())
        .max_queue_size(UNBOUNDED)
        .max_queue_bytes(UNBOUNDED)
        .on(signal::Error, move |failure| failures.emit(Emitted::Error(as_seen_in_front(failure))))
        .on(signal::HttpRequest, move |request| requests.emit(Emitted::HttpRequest(request.clone())))
        .on(signal::HttpResponse, move |response| responses.emit(Emitted::HttpResponse(response.clone())))
        .build()?;
    Ok(client)
}

/// What the client behind has dropped because the destination was not to be had is not dropped: the spool keeps it.
fn as_seen_in_front(failure: &Failure) -> Failure {
    let mut failure = failure.clone();
    if let Some(reason) = failure.dropped
        && end_of(Outcome::Dropped(reason)) == Ending::Later
    {
        let because = failure.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        failure.message = format!("{} events were not taken ({reason}){because}; the spool keeps them", failure.events);
        failure.dropped = None;
    }
    failure
}
