//! What can only be shown with a disk that fails when it is told to.

mod begin;
mod clock;
mod handover;
mod memory;
mod refusing;
mod undeletable;
mod unreadable;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Destination, RetryPolicy};
use tracklane::{Analytics, Builder, Receipt, Track, signal};

use crate::Spool;

const SOON: Duration = Duration::from_secs(30);

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("tracklane-spool-{}-{name}", std::process::id())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A destination that keeps what it gets, while it is up.
#[derive(Clone, Default)]
struct Sink {
    up: Arc<AtomicBool>,
    attempts: Arc<AtomicUsize>,
    got: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    fn destination(&self) -> Destination {
        let sink = self.clone();
        Destination::from_fn("sink", move |batch: Batch| {
            sink.attempts.fetch_add(1, Ordering::AcqRel);
            let up = sink.up.load(Ordering::Acquire);
            if up {
                sink.got.lock().unwrap().extend(batch.messages().map(|message| message.message_id().into_owned()));
            }
            async move { if up { Ok(()) } else { Err(io::Error::other("down")) } }
        })
        .retry(RetryPolicy::new().max_retries(0))
    }

    fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Acquire)
    }

    /// Sorted, with repetitions.
    fn ids(&self) -> Vec<String> {
        let mut ids = self.got.lock().unwrap().clone();
        ids.sort();
        ids
    }
}

/// What the signal `error` said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<signal::Failure>>>);

impl Said {
    fn by(&self, builder: Builder) -> Builder {
        let said = self.0.clone();
        builder.on(signal::Error, move |failure| said.lock().unwrap().push(failure.clone()))
    }

    fn messages(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|failure| failure.message.clone()).collect()
    }
}

/// Whether a fault on this path concerns a file that is being written.
fn is_written(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

fn settings(spool: &Spool, destination: Destination) -> Builder {
    Analytics::builder().plugin(spool.in_front_of(destination))
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn deliver(analytics: &Analytics, ids: std::ops::Range<u32>) -> Vec<Receipt> {
    let event = |id: u32| Track::new("Tested").user_id("u1").message_id(format!("m{id:02}"));
    ids.map(|id| analytics.send_with_receipt(event(id)).unwrap()).collect()
}

fn acknowledged(receipts: Vec<Receipt>) {
    receipts.into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
}

fn ids(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|id| format!("m{id:02}")).collect()
}
