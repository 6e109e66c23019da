//! While the disk cannot be written, events go to the destination from memory.

use super::*;

#[test]
fn a_full_disk_degrades_to_memory() {
    let (directory, sink, said) = (Directory::new("full"), Sink::default(), Said::default());
    let full = Arc::new(AtomicBool::new(true));
    let is_full = full.clone();
    let spool = Spool::new(&directory.0).fault(Arc::new(move |path| {
        if is_full.load(Ordering::Acquire) && is_written(path) {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }));
    sink.up.store(true, Ordering::Release);
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();

    // Full, and the destination is up: acknowledged when the destination has them.
    for receipts in [deliver(&analytics, 0..10), deliver(&analytics, 10..20)] {
        acknowledged(receipts);
    }
    assert_eq!(sink.ids().len(), 20);
    let stats = spool.stats();
    assert_eq!((stats.in_memory, stats.spooled, stats.files), (20, 0, 0));
    wait_until("the episode is reported", || !said.messages().is_empty());
    let messages = said.messages();
    assert!(
        messages.len() == 1 && messages[0].contains("memory") && messages[0].contains("cannot be written"),
        "{messages:?}"
    );

    // Full, and the destination is down: nothing is acknowledged, nothing is lost, and the disk is tried again.
    sink.up.store(false, Ordering::Release);
    let before = sink.attempts();
    let receipts = deliver(&analytics, 20..30);
    wait_until("the destination was tried", || sink.attempts() > before);
    assert_eq!(spool.stats().spooled, 0);
    full.store(false, Ordering::Release);
    acknowledged(receipts);
    assert_eq!(spool.stats().spooled, 10, "on the disk after all");

    sink.up.store(true, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ids(0..30));
}
