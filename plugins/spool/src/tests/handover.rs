//! What was just written goes on from memory, and what waits longer is read back.

use tokio::sync::Semaphore;
use tracklane::plugin::Batching;

use super::*;
use crate::handover::MAX_BYTES;

/// Bytes that make few events fill what may wait in memory.
const LARGE: usize = 30_000;

/// Whether this is a finished file: it has another name while it is written.
fn is_read(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "batch")
}

/// A spool that counts how often a file is read, with one event in each.
fn spool_that_counts(directory: &Directory) -> (Spool, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    let spool = Spool::new(&directory.0).flush_at(1).fault(Arc::new(move |path| {
        counted.fetch_add(usize::from(is_read(path)), Ordering::AcqRel);
        Ok(())
    }));
    (spool, reads)
}

/// A destination that takes nothing until it is let, and then in order.
fn held(sink: &Sink) -> (Destination, Arc<Semaphore>) {
    let (sink, gate) = (sink.clone(), Arc::new(Semaphore::new(0)));
    let open = gate.clone();
    let destination = Destination::from_fn("held", move |batch: Batch| {
        let (sink, open) = (sink.clone(), open.clone());
        async move {
            sink.attempts.fetch_add(1, Ordering::AcqRel);
            drop(open.acquire().await);
            sink.got.lock().unwrap().extend(batch.messages().map(|message| message.message_id().into_owned()));
            Ok::<(), io::Error>(())
        }
    });
    (destination.batching(Batching::every(50, Duration::from_millis(1))).max_in_flight(1), gate)
}

fn deliver_large(analytics: &Analytics, ids: std::ops::Range<u32>) {
    for id in ids {
        let event = Track::new("Tested").user_id("u1").message_id(format!("m{id:02}"));
        acknowledged(vec![analytics.send_with_receipt(event.property("text", "a".repeat(LARGE))).unwrap()]);
    }
}

#[test]
fn what_was_just_written_is_handed_on_without_a_read() {
    let (directory, sink) = (Directory::new("handed-on"), Sink::default());
    sink.up.store(true, Ordering::Release);
    let (spool, reads) = spool_that_counts(&directory);
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    for id in 0..5 {
        acknowledged(deliver(&analytics, id..id + 1));
    }
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    let stats = spool.stats();
    assert_eq!((sink.ids(), stats.spooled, stats.delivered), (ids(0..5), 5, 5));
    assert_eq!(reads.load(Ordering::Acquire), 0, "files that were read");
}

#[test]
fn what_does_not_fit_into_memory_is_read_back_in_its_place() {
    let (directory, sink) = (Directory::new("beyond"), Sink::default());
    let (spool, reads) = spool_that_counts(&directory);
    let (destination, gate) = held(&sink);
    let analytics = settings(&spool, destination).build().unwrap();
    // As much as may be on its way, as much as may wait in memory, and half of that on the disk alone.
    let many = u32::try_from(5 * MAX_BYTES / LARGE / 2).unwrap();
    deliver_large(&analytics, 0..many);
    assert_eq!((spool.stats().files, reads.load(Ordering::Acquire)), (many.into(), 0));

    gate.add_permits(1_000_000);
    wait_until("the disk is empty", || spool.stats().files == 0);
    let read = reads.load(Ordering::Acquire);
    assert!(read > 0 && read < many as usize / 2, "{read} of {many} files were read");
    deliver_large(&analytics, many..many + 5);
    wait_until("the disk is empty again", || spool.stats().files == 0);
    assert_eq!(reads.load(Ordering::Acquire), read, "there is room in memory again");
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(*sink.got.lock().unwrap(), ids(0..many + 5), "each once, in order");
}

#[test]
fn what_became_too_old_in_memory_expires_like_any_other() {
    let (directory, sink) = (Directory::new("old-in-memory"), Sink::default());
    let (spool, _) = spool_that_counts(&directory);
    let (destination, gate) = held(&sink);
    let max_age = Duration::from_millis(500);
    let analytics = settings(&spool.clone().max_age(max_age), destination).build().unwrap();
    let (under_way, many) =
        (u32::try_from(MAX_BYTES / LARGE + 1).unwrap(), u32::try_from(3 * MAX_BYTES / LARGE / 2).unwrap());
    deliver_large(&analytics, 0..many);
    let written = Instant::now();
    wait_until("all are older", || written.elapsed() > max_age);
    gate.add_permits(1_000_000);
    wait_until("the disk is empty", || spool.stats().files == 0);
    analytics.close_blocking(SOON);
    let (arrived, stats) = (sink.got.lock().unwrap().clone(), spool.stats());
    assert_eq!(stats.delivered + stats.expired, u64::from(many), "{stats:?}");
    assert_eq!(arrived, ids(0..u32::try_from(arrived.len()).unwrap()), "what was on its way arrives");
    assert!(stats.expired > 0 && arrived.len() <= under_way as usize, "{stats:?}");
}

#[test]
fn a_restart_sends_what_was_in_memory_from_the_disk_and_nothing_twice() {
    let (directory, sink) = (Directory::new("restart"), Sink::default());
    sink.up.store(true, Ordering::Release);
    let (spool, _) = spool_that_counts(&directory);
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    acknowledged(deliver(&analytics, 0..5));
    wait_until("the first have arrived", || spool.stats().files == 0);
    sink.up.store(false, Ordering::Release);
    acknowledged(deliver(&analytics, 5..10));
    analytics.close_blocking(SOON);

    sink.up.store(true, Ordering::Release);
    let (spool, reads) = spool_that_counts(&directory);
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    acknowledged(deliver(&analytics, 10..15));
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(*sink.got.lock().unwrap(), ids(0..15), "each once, in order");
    assert!(reads.load(Ordering::Acquire) > 0, "what waited was read");
}

#[test]
fn what_could_not_be_written_is_not_handed_on_and_the_next_is() {
    let (directory, sink) = (Directory::new("failed-write"), Sink::default());
    sink.up.store(true, Ordering::Release);
    let (full, reads) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (is_full, counted) = (full.clone(), reads.clone());
    let spool = Spool::new(&directory.0).flush_at(1).refuse_unwritten().fault(Arc::new(move |path| {
        counted.fetch_add(usize::from(is_read(path)), Ordering::AcqRel);
        let fails = is_full.load(Ordering::Acquire) && is_written(path);
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }));
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    for receipt in deliver(&analytics, 0..3) {
        assert!(!receipt.wait().is_delivered(), "it is nowhere");
    }
    full.store(false, Ordering::Release);
    acknowledged(deliver(&analytics, 3..6));
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(!sink.ids().is_empty());
    analytics.close_blocking(SOON);
    assert_eq!((sink.ids(), reads.load(Ordering::Acquire)), (ids(3..6), 0));
}
