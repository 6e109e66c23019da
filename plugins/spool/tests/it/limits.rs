//! Bytes and age.

use std::fs::File;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tracklane::plugin::Overflow;
use tracklane::{DropReason, signal};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, event, leave_behind, settings, wait_until};

#[test]
fn a_full_spool_costs_nothing_that_was_acknowledged() {
    let directory = Directory::new();
    let spool = Spool::new(directory.spool()).flush_at(1).max_bytes(3 * 4_096);
    let sink = Sink::default();
    let analytics = settings(&spool, &sink).build().unwrap();
    let receipts: Vec<_> = (0..10).map(|n| analytics.send_with_receipt(event(&format!("m{n}"))).unwrap()).collect();
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
    acknowledged(vec![analytics.send_with_receipt(event("m1")).unwrap()]);
    assert_eq!(sink.ids(), ["m1"]);

    std::fs::remove_file(directory.spool()).unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m2")).unwrap()]);
    assert_eq!((spool.stats().in_memory, spool.stats().spooled), (1, 1), "the directory was made when it could be");
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["m1", "m2"]);
    let said = said.lock().unwrap();
    assert!(said.len() == 1 && said[0].contains("os error"), "once, with the cause: {said:?}");
}

/// While nothing goes to the disk, what waits in front is as much as the client's settings say, and gives way as they say.
#[test]
fn the_limits_of_the_client_hold_in_front_of_the_spool() {
    let directory = Directory::new();
    let (spool, sink) = (Spool::new(directory.spool()).flush_at(10).max_bytes(0), Sink::default());
    let settings = settings(&spool, &sink).max_queue_size(100).overflow(Overflow::DropOldest);
    let analytics = settings.build().unwrap();
    let mut receipts = Vec::new();
    for n in 0..1_000 {
        while let Err(refused) =
            analytics.send_with_receipt(event(&format!("m{n:03}"))).map(|receipt| receipts.push(receipt))
        {
            assert!(refused.is_queue_full(), "{refused}");
            std::thread::yield_now();
        }
    }
    wait_until("the oldest gave way", || analytics.stats().dropped.get(DropReason::QueueFull) >= 900);
    assert_eq!(analytics.stats().pending, 100);
    sink.up.store(true, Ordering::Release);
    let newest = receipts.pop().unwrap().wait();
    assert!(newest.is_delivered(), "the newest is kept: {newest:?}");
    analytics.close_blocking(SOON);
}

/// It would be read into memory.
#[test]
fn a_lock_that_is_none_of_ours_is_not_read_to_its_end() {
    let directory = Directory::new();
    std::fs::create_dir_all(directory.spool().join("0000")).unwrap();
    File::create(directory.spool().join("0000/lock")).unwrap().set_len(3 << 30).unwrap();
    let (spool, sink) = (Spool::new(directory.spool()), Sink::default());
    let analytics = settings(&spool, &sink).build().unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m1")).unwrap()]);
    assert_eq!(spool.stats().spooled, 1);
    assert!(directory.names("0001").iter().any(|name| name.ends_with(".batch")), "the next slot is taken");
    analytics.close_blocking(SOON);
}
