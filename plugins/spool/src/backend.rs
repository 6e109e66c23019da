//! The backend: builds the client that owns the destination, the store, and the feeder.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracklane::emitter::Emitter;
use tracklane::emitter::signal::{self, Emitted, Failure};
use tracklane::plugin::{Destination, QueueLimits};
use tracklane::{Analytics, BoxError, Outcome};

use crate::attempts;
use crate::disk_thread::DiskThread;
use crate::disposition::{Disposition, disposition_of};
use crate::feeder::Feeder;
use crate::handover::Copies;
use crate::report;
use crate::running::{Running, Turn};
use crate::setup::Setup;
use crate::store::{OwnSlot, Store};

/// No bound: the feeder's reading and the queue in front bound what is under way here.
const UNBOUNDED: usize = usize::MAX / 2;

pub(crate) struct Backend {
    pub(crate) running: Arc<Running>,
    pub(crate) feeder: Feeder,
}

impl Backend {
    /// Takes the parts once nothing can fail any more, and begins to open the directory. Must run on a runtime.
    pub(crate) fn begin(parts: &Mutex<Option<(Setup, Destination)>>, emitter: &Emitter) -> Result<Self, BoxError> {
        #[cfg(test)]
        if let Some((setup, _)) = &*parts.lock().unwrap_or_else(PoisonError::into_inner) {
            setup.disk.fail(std::path::Path::new("thread"))?;
        }
        let (writer, reader) = (DiskThread::start("tracklane-write")?, DiskThread::start("tracklane-read")?);
        let (writer, reader, client) = (Arc::new(writer), Arc::new(reader), client(emitter)?);
        let taken = parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (setup, destination) = taken.ok_or("it has begun before")?;
        let name: Arc<str> = destination.name().into();
        let (destination, failing) = attempts::watched(destination.queue(QueueLimits::new(UNBOUNDED, UNBOUNDED)));
        register(&client, destination, &name, emitter);
        let (found, files) = mpsc::unbounded_channel();
        let Setup { root, disk, max_bytes, max_age, adopt_every, refuse_unwritten, keep_refused, counters, .. } = setup;
        let store = Arc::new(Store {
            name,
            root,
            disk,
            max_bytes,
            max_age,
            refuse_unwritten,
            keep_refused,
            counters,
            emitter: emitter.clone(),
            found,
            copies: Copies::default(),
            own_slot: Mutex::new(OwnSlot::default()),
            other_destinations: Mutex::default(),
            opened: AtomicBool::new(false),
            slots: Mutex::default(),
            stuck: Mutex::default(),
            wall_clock: Default::default(),
        });
        let turn = tokio::sync::Mutex::new(Turn::opening(&store, &writer));
        let (degraded, unanswered) = (AtomicBool::new(false), Mutex::new(HashMap::new()));
        let running = Arc::new(Running { store, client, writer, degraded, turn, unanswered });
        let feeder = Feeder::new(running.clone(), failing, files, adopt_every, reader);
        Ok(Self { running, feeder })
    }
}

/// Registers the destination. Events wait until it has loaded. If it does not load, they stay on the disk.
fn register(client: &Analytics, destination: Destination, name: &Arc<str>, emitter: &Emitter) {
    let (client, name, emitter) = (client.clone(), name.clone(), emitter.clone());
    let mut registering = Box::pin(async move {
        let Err(error) = client.register(destination).await else { return };
        let message = format!("{error}; its events wait on the disk until a start at which it loads");
        report::emit(&emitter, Failure::of_destination(name, message, 0));
    });
    // The first poll takes its place before everything that is sent later.
    if (&mut registering).now_or_never().is_none() {
        tokio::spawn(registering);
    }
}

/// Builds the client behind the spool. The client in front emits its signals of requests and failures, and both it and
/// the log have the failures [as they are for that one](as_seen_in_front).
fn client(emitter: &Emitter) -> Result<Analytics, BoxError> {
    let (failures, requests, responses) = (emitter.clone(), emitter.clone(), emitter.clone());
    let client = Analytics::builder()
        .without_library()
        .runtime(Handle::current())
        .max_queue_size(UNBOUNDED)
        .max_queue_bytes(UNBOUNDED)
        .map_failure(as_seen_in_front)
        .on(signal::Error, move |failure| failures.emit(Emitted::Error(failure.clone())))
        .on(signal::HttpRequest, move |request| requests.emit(Emitted::HttpRequest(request.clone())))
        .on(signal::HttpResponse, move |response| responses.emit(Emitted::HttpResponse(response.clone())))
        .build()?;
    Ok(client)
}

/// Rewrites a failure for the client in front. Events that were dropped because the destination was not available are
/// not lost: the spool keeps them.
fn as_seen_in_front(failure: &Failure) -> Failure {
    let mut failure = failure.clone();
    if let Some(reason) = failure.dropped
        && disposition_of(Outcome::Dropped(reason)) == Disposition::Later
    {
        let because = failure.error.as_ref().map(|error| format!(": {error:#}")).unwrap_or_default();
        failure.message = format!("{} events were not taken ({reason}){because}; the spool keeps them", failure.events);
        (failure.dropped, failure.retried) = (None, true);
    }
    failure
}
