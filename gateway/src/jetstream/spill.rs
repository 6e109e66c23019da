//! The way by the disk, while the log takes nothing.
//!
//! Invariant: events go straight to the log only while none waits on the disk. So the events of a partition come into its
//! stream in the order in which they were taken, also over a restart.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tower_layer::layer_fn;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, BatchService, Batching, Destination, RetryPolicy};
use tracklane_spool::{Backlog, Spool};

use super::connection::JetStream;
use super::publisher::{Publisher, answer};

/// The name of the lane, and of the folder with its waiting events.
pub(crate) const NAME: &str = "jetstream";
/// Events, and their bytes, that are published at once. They are spread over the partitions.
const GROUP: (usize, usize) = (10_000, 4 << 20);
/// A number of files on the disk that may be gone in a moment, the time that events wait for that, and the time from one
/// look to the next.
const LAST_FILES: (u64, Duration, Duration) = (8, Duration::from_millis(500), Duration::from_millis(2));
/// The wait before a file is written, in which more events come for it. Few files of many events are sent faster than
/// they are written, also under a load of small requests.
const PACE: Duration = Duration::from_millis(20);
/// The pauses before events on the disk are tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// The time that the streams have for a group. Each message of it has a limit of its own.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Returns the log as a destination of a pipeline, with a spool for events that it does not accept.
pub(crate) fn destination(log: &Arc<JetStream>, pipeline: &str, spool: &Spool, directory: PathBuf) -> Destination {
    let publisher = Publisher { log: Arc::clone(log), pipeline: pipeline.into() };
    let max_age = log.config().max_age;
    let (first, longest) = BACKOFF;
    let for_long = RetryPolicy::new().max_retries(u32::MAX).max_total_backoff(max_age).max_rate_limit(max_age);
    let streams = Destination::new(NAME, publisher.clone())
        // The workers decide which destinations get an event.
        .ignores_all(true)
        .max_in_flight(1)
        .attempt_timeout(ATTEMPT)
        .batching(batching())
        .retry(for_long.backoff(first, longest));
    let state = Arc::new(Spill { publisher, spool: spool.clone(), directory, is_spilling: AtomicBool::new(true) });
    spool
        .in_front_of(streams)
        .layer(layer_fn(move |disk| SpillService { spill: Arc::clone(&state), disk }))
        .max_in_flight(1)
        .batching(batching())
        // Events that a partition did not accept go to the disk in the second attempt, and are refused if the disk is
        // full.
        .retry(RetryPolicy::new().max_retries(1).backoff(Duration::from_millis(1), Duration::from_millis(1)))
}

fn batching() -> Batching {
    Batching::every(1, Duration::from_millis(1)).max_events(GROUP.0).max_bytes(GROUP.1)
}

/// The state of the way.
struct Spill {
    publisher: Publisher,
    spool: Spool,
    directory: PathBuf,
    /// Something may wait on the disk. So it is at the start, until it was looked.
    is_spilling: AtomicBool,
}

impl Spill {
    /// Returns whether events go straight to the log.
    async fn goes_straight(&self) -> bool {
        if self.publisher.log.trouble().is_some() {
            return false;
        }
        if !self.is_spilling.load(Ordering::Acquire) {
            return true;
        }
        let (few, patience, every) = LAST_FILES;
        // What this process knows to wait needs no look at the folder, which takes long when it is much.
        if self.spool.stats().files > few {
            return false;
        }
        let deadline = Instant::now() + patience;
        loop {
            match self.waiting().await {
                Some(0) => {
                    self.is_spilling.store(false, Ordering::Release);
                    return true;
                }
                Some(files) if files <= few && Instant::now() < deadline => tokio::time::sleep(every).await,
                _ => return false,
            }
        }
    }

    /// Returns the number of files on the disk, or `None` if it is unknown.
    async fn waiting(&self) -> Option<u64> {
        let directory = self.directory.clone();
        let backlog = tokio::task::spawn_blocking(move || Backlog::of(directory)).await;
        backlog.ok()?.ok().map(|backlog| backlog.files)
    }
}

/// A spool that events pass by while they can.
struct SpillService {
    spill: Arc<Spill>,
    disk: BatchService,
}

impl Service<Batch> for SpillService {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.disk.poll_ready(cx)
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let spill = Arc::clone(&self.spill);
        // Writes nothing before it is awaited.
        let to_disk = self.disk.call(batch.clone());
        Box::pin(async move {
            if batch.attempt() == 1 && spill.goes_straight().await {
                let unpublished = spill.publisher.publish(&batch).await;
                let left: usize = unpublished.iter().map(|part| part.events.len()).sum();
                if left > 0 {
                    spill.is_spilling.store(true, Ordering::Release);
                }
                if left < batch.len() {
                    return Ok(answer(unpublished));
                }
            }
            spill.is_spilling.store(true, Ordering::Release);
            if batch.attempt() == 1 {
                tokio::time::sleep(PACE).await;
            }
            to_disk.await
        })
    }
}
