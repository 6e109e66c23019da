//! What can only be shown with a disk that fails when it is told to.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Destination, RetryPolicy};
use tracklane::{Analytics, Receipt, Track, signal};

use crate::Spool;

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

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn deliver(analytics: &Analytics, ids: std::ops::Range<u32>) -> Vec<Receipt> {
    let event = |id: u32| Track::new("Tested").user_id("u1").message_id(format!("m{id:02}"));
    ids.map(|id| analytics.deliver(event(id)).unwrap()).collect()
}

#[test]
fn a_full_disk_degrades_to_memory() {
    let directory = Directory::new("full");
    let (full, up) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
    let (attempts, arrived) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let is_full = full.clone();
    let spool = Spool::new(&directory.0).fault(Arc::new(move || match is_full.load(Ordering::Acquire) {
        true => Err(io::ErrorKind::StorageFull.into()),
        false => Ok(()),
    }));
    let (is_up, tried, got) = (up.clone(), attempts.clone(), arrived.clone());
    let destination = Destination::from_fn("sink", move |batch: Batch| {
        tried.fetch_add(1, Ordering::AcqRel);
        let up = is_up.load(Ordering::Acquire);
        if up {
            got.lock().unwrap().extend(batch.messages().map(|message| message.message_id().into_owned()));
        }
        async move { if up { Ok(()) } else { Err(io::Error::other("down")) } }
    })
    .retry(RetryPolicy::new().max_retries(0));
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let analytics = Analytics::without_segment()
        .plugin(spool.in_front_of(destination))
        .on(signal::Error, move |failure| heard.lock().unwrap().push(failure.message.clone()))
        .build()
        .unwrap();

    // Full, and the destination is up: acknowledged when the destination has them.
    for receipt in deliver(&analytics, 0..10).into_iter().chain(deliver(&analytics, 10..20)) {
        assert!(receipt.wait().is_delivered());
    }
    assert_eq!(arrived.lock().unwrap().len(), 20);
    let stats = spool.stats();
    assert_eq!((stats.in_memory, stats.spooled, stats.files), (20, 0, 0));
    wait_until("the episode is reported", || !said.lock().unwrap().is_empty());
    {
        let said = said.lock().unwrap();
        assert!(said.len() == 1 && said[0].contains("memory") && said[0].contains("cannot be written"), "{said:?}");
    }

    // Full, and the destination is down: nothing is acknowledged, nothing is lost, and the disk is tried again.
    up.store(false, Ordering::Release);
    let before = attempts.load(Ordering::Acquire);
    let receipts = deliver(&analytics, 20..30);
    wait_until("the destination was tried", || attempts.load(Ordering::Acquire) > before);
    assert_eq!(spool.stats().spooled, 0);
    full.store(false, Ordering::Release);
    receipts.into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
    assert_eq!(spool.stats().spooled, 10, "on the disk after all");

    up.store(true, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(Duration::from_secs(30)).is_complete());
    let mut arrived = arrived.lock().unwrap().clone();
    arrived.sort();
    assert_eq!(arrived, (0..30).map(|id| format!("m{id:02}")).collect::<Vec<_>>());
}
