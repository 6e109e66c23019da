//! A directory that goes with the test, a destination that is switched on and off, and waiting with a bound.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Destination, RetryPolicy};
use tracklane::{Analytics, Builder, Event, Receipt, Track};
use tracklane_spool::Spool;

pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tracklane-spool-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The spool's directory: below this one, and not made yet.
    pub(crate) fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The names of all files in the slot, in order.
    pub(crate) fn names(&self, slot: &str) -> Vec<String> {
        let entries = fs::read_dir(self.spool().join(slot)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The paths of the files that wait in the first slot, in order.
    pub(crate) fn batches(&self) -> Vec<PathBuf> {
        let names = self.names("0000").into_iter().filter(|name| name.ends_with(".batch"));
        names.map(|name| self.spool().join("0000").join(name)).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A destination that keeps what it gets, while it is up.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    pub(crate) up: Arc<AtomicBool>,
    pub(crate) attempts: Arc<AtomicUsize>,
    got: Arc<Mutex<Vec<Event>>>,
}

impl Sink {
    pub(crate) fn up() -> Self {
        let sink = Self::default();
        sink.up.store(true, Ordering::Release);
        sink
    }

    pub(crate) fn destination(&self) -> Destination {
        self.named("sink")
    }

    pub(crate) fn named(&self, name: &str) -> Destination {
        let sink = self.clone();
        Destination::from_fn(name, move |batch: Batch| {
            sink.attempts.fetch_add(1, Ordering::AcqRel);
            let up = sink.up.load(Ordering::Acquire);
            if up {
                sink.got.lock().unwrap().extend(batch.messages().map(|message| message.event()));
            }
            async move { if up { Ok(()) } else { Err(io::Error::other("down")) } }
        })
        .retry(RetryPolicy::new().max_retries(0))
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.got.lock().unwrap().clone()
    }

    /// Sorted, with repetitions.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.events().iter().map(|event| event.message_id().into_owned()).collect();
        ids.sort();
        ids
    }
}

pub(crate) fn settings(spool: &Spool, sink: &Sink) -> Builder {
    Analytics::builder().plugin(spool.in_front_of(sink.destination()))
}

pub(crate) fn event(id: &str) -> Track {
    Track::new("Tested").user_id("u1").message_id(id).property("id", id)
}

pub(crate) fn acknowledged(receipts: Vec<Receipt>) {
    for receipt in receipts {
        let end = receipt.wait();
        assert!(end.is_delivered(), "{end:?}");
    }
}

/// Puts one file per id into the directory, by a process that ends while its destination is down.
pub(crate) fn leave_behind(directory: &Directory, ids: &[&str]) {
    let spool = Spool::new(directory.spool()).flush_at(1);
    let analytics = settings(&spool, &Sink::default()).build().unwrap();
    for id in ids {
        acknowledged(vec![analytics.send_with_receipt(event(id)).unwrap()]);
    }
    analytics.close_blocking(SOON);
    assert_eq!(directory.batches().len(), ids.len());
}

pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
