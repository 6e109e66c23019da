//! Bytes and age.

use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tracklane::{DropReason, signal};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, event, leave_behind, settings, wait_until};

#[test]
fn a_full_spool_costs_nothing_that_was_acknowledged() {
    let directory = Directory::new();
    let spool = Spool::new(directory.spool()).flush_at(1).max_bytes(3 * 4_096);
    let sink = Sink::default();
    let analytics = settings(&spool, &sink).build().unwrap();
    let receipts: Vec<_> = (0..10).map(|n| analytics.deliver(event(&format!("m{n}"))).unwrap()).collect();
    wait_until("some are in memory", || spool.stats().in_memory > 0);
    let stats = spool.stats();
    assert_eq!((stats.spooled, stats.files, stats.bytes), (3, 3, 3 * 4_096), "{stats:?}");

    sink.up.store(true, Ordering::Release);
    acknowledged(receipts);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), (0..10).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[test]
fn what_waited_too_long_is_dropped_and_counted() {
    let directory = Directory::new();
    leave_behind(&directory, &["old", "young"]);
    let eight_days = Duration::from_secs(8 * 24 * 60 * 60);
    let old = File::options().write(true).open(&directory.batches()[0]).unwrap();
    old.set_modified(SystemTime::now() - eight_days).unwrap();

    let (spool, sink, dropped) = (Spool::new(directory.spool()), Sink::up(), Arc::new(Mutex::new(Vec::new())));
    let heard = dropped.clone();
    let analytics = settings(&spool, &sink)
        .on(signal::Error, move |failure| heard.lock().unwrap().push((failure.dropped, failure.events)))
        .build()
        .unwrap();
    wait_until("the disk is empty", || spool.stats().delivered == 1 && spool.stats().files == 0);
    wait_until("it is reported", || *dropped.lock().unwrap() == [(Some(DropReason::Expired), 1)]);
    analytics.close_blocking(SOON);
    assert_eq!(sink.ids(), ["young"]);
    assert_eq!(spool.stats().expired, 1);
    assert!(directory.batches().is_empty());
}

/// A directory that cannot be used is no reason to lose events.
#[test]
fn without_a_directory_events_go_from_memory() {
    let directory = Directory::new();
    std::fs::write(directory.spool(), "a file where the directory should be").unwrap();
    let (spool, sink, said) = (Spool::new(directory.spool()), Sink::up(), Arc::new(Mutex::new(Vec::new())));
    let heard = said.clone();
    let analytics = settings(&spool, &sink)
        .on(signal::Error, move |failure| heard.lock().unwrap().push(failure.message.clone()))
        .build()
        .unwrap();
    acknowledged(vec![analytics.deliver(event("m1")).unwrap()]);
    assert_eq!(sink.ids(), ["m1"]);

    std::fs::remove_file(directory.spool()).unwrap();
    acknowledged(vec![analytics.deliver(event("m2")).unwrap()]);
    assert_eq!((spool.stats().in_memory, spool.stats().spooled), (1, 1), "the directory was made when it could be");
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["m1", "m2"]);
    let said = said.lock().unwrap();
    assert!(said.len() == 1 && said[0].contains("os error"), "once, with the cause: {said:?}");
}
