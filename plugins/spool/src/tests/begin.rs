//! A spool that cannot begin at once: the directory answers late or not at all, or no thread is to be had.

use std::sync::{Condvar, PoisonError};

use tracklane::BoxError;
use tracklane::plugin::{Host, Plugin};

use super::*;

/// What holds whoever comes by, until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_while(open, |open| !*open).unwrap_or_else(PoisonError::into_inner));
    }

    fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}

/// Leaves one file with these events.
fn leave_behind(directory: &Directory, ids: std::ops::Range<u32>) {
    let analytics = settings(&Spool::new(&directory.0), Sink::default().destination()).build().unwrap();
    acknowledged(deliver(&analytics, ids));
    analytics.close_blocking(SOON);
}

#[test]
fn events_go_from_memory_while_the_directory_is_opened_and_what_waits_there_is_sent_then() {
    let (directory, sink, said, gate) = (Directory::new("slow"), Sink::default(), Said::default(), Gate::default());
    leave_behind(&directory, 0..3);
    sink.up.store(true, Ordering::Release);
    let (disk, slot) = (gate.clone(), directory.0.join("0000"));
    let spool = Spool::new(&directory.0).fault(Arc::new(move |path| {
        if path == slot {
            disk.pass();
        }
        Ok(())
    }));
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();
    let begun = Instant::now();
    for receipts in [deliver(&analytics, 3..6), deliver(&analytics, 6..9)] {
        acknowledged(receipts);
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "the disk held up events for {:?}", begun.elapsed());
    let report = analytics.flush_blocking(SOON);
    assert_eq!((report.is_complete(), sink.ids()), (true, ids(3..9)), "{report:?}");
    assert_eq!((spool.stats().in_memory, spool.stats().spooled), (6, 0));
    let said = said.messages();
    assert!(said.len() == 1 && said[0].contains("still being opened"), "{said:?}");

    gate.open();
    wait_until("what waited on the disk is sent", || sink.ids() == ids(0..9));
    acknowledged(deliver(&analytics, 9..10));
    assert_eq!(spool.stats().spooled, 1, "on the disk again");
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((sink.ids(), spool.stats().files), (ids(0..10), 0));
}

#[test]
fn a_close_does_not_wait_for_a_directory_that_hangs() {
    let (directory, sink, gate) = (Directory::new("hangs"), Sink::default(), Gate::default());
    sink.up.store(true, Ordering::Release);
    let disk = gate.clone();
    let spool = Spool::new(&directory.0).fault(Arc::new(move |path| {
        if path.extension().is_none() && path != Path::new("thread") {
            disk.pass();
        }
        Ok(())
    }));
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    acknowledged(deliver(&analytics, 0..3));
    let begun = Instant::now();
    let report = analytics.close_blocking(SOON);
    assert!(report.is_complete() && begun.elapsed() < Duration::from_secs(8), "{report:?} in {:?}", begun.elapsed());
    gate.open();
}

/// A mount that is missing or read-only at the start.
#[test]
fn a_directory_that_cannot_be_opened_is_opened_later_even_if_nothing_new_comes() {
    for error in [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied, io::ErrorKind::NotFound] {
        let (directory, sink) = (Directory::new("missing"), Sink::default());
        leave_behind(&directory, 0..3);
        sink.up.store(true, Ordering::Release);
        let missing = Arc::new(AtomicBool::new(true));
        let (is_missing, root) = (missing.clone(), directory.0.clone());
        let spool = Spool::new(&directory.0).adopt_every(Duration::from_millis(5)).fault(Arc::new(move |path| {
            let is_slot = path.parent() == Some(&root);
            if is_slot && is_missing.load(Ordering::Acquire) { Err(error.into()) } else { Ok(()) }
        }));
        let analytics = settings(&spool, sink.destination()).build().unwrap();
        acknowledged(deliver(&analytics, 3..4));
        assert_eq!((sink.ids(), spool.stats().in_memory), (ids(3..4), 1), "{error:?}: it went from memory");
        missing.store(false, Ordering::Release);
        wait_until("what waits is sent", || sink.ids() == ids(0..4));
        assert!(analytics.close_blocking(SOON).is_complete(), "{error:?}");
    }
}

#[test]
fn without_threads_events_wait_and_nothing_is_called_complete() {
    let (directory, sink, said) = (Directory::new("no-thread"), Sink::default(), Said::default());
    leave_behind(&directory, 0..3);
    sink.up.store(true, Ordering::Release);
    let missing = Arc::new(AtomicBool::new(true));
    let is_missing = missing.clone();
    let spool = Spool::new(&directory.0).fault(Arc::new(move |path| {
        let fails = path == Path::new("thread") && is_missing.load(Ordering::Acquire);
        if fails { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }));
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();
    let receipts = deliver(&analytics, 3..6);
    let report = analytics.flush_blocking(Duration::from_secs(2));
    assert_eq!((report.pending, report.is_complete()), (3, false), "{report:?}");
    wait_until("it is said", || !said.messages().is_empty());
    let messages = said.messages();
    assert!(messages.len() == 1 && messages[0].starts_with("the spool cannot begin: "), "{messages:?}");

    missing.store(false, Ordering::Release);
    acknowledged(receipts);
    wait_until("all are sent", || sink.ids() == ids(0..6));
    assert!(analytics.close_blocking(SOON).is_complete());
}

#[test]
fn without_threads_a_close_hands_back_what_waits() {
    let (directory, sink) = (Directory::new("never"), Sink::default());
    let spool = Spool::new(&directory.0).fault(Arc::new(|path| {
        if path == Path::new("thread") { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }));
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    let _receipts = deliver(&analytics, 0..3);
    let report = analytics.close_blocking(Duration::from_secs(2));
    assert_eq!((report.is_complete(), report.delivered), (false, 0), "{report:?}");
    assert_eq!(report.unsent.len(), 3, "they are handed back");
}

struct Unloadable;

impl Plugin for Unloadable {
    fn name(&self) -> &str {
        "sink"
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        Err("out of paper".into())
    }
}

#[test]
fn events_of_a_destination_that_does_not_load_wait_on_the_disk() {
    let (directory, sink, said) = (Directory::new("unloadable"), Sink::default(), Said::default());
    let spool = Spool::new(&directory.0);
    let analytics = said.by(settings(&spool, sink.destination().lifecycle(Unloadable))).build().unwrap();
    acknowledged(deliver(&analytics, 0..3));
    wait_until("it is said", || said.messages().iter().any(|said| said.contains("wait on the disk until a start")));
    analytics.close_blocking(SOON);
    assert_eq!((spool.stats().events, spool.stats().refused), (3, 0), "they wait");

    sink.up.store(true, Ordering::Release);
    let analytics = settings(&Spool::new(&directory.0), sink.destination()).build().unwrap();
    wait_until("the next start sends them", || sink.ids() == ids(0..3));
    analytics.close_blocking(SOON);
}
