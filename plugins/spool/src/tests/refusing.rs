//! A spool that refuses what it cannot write sends nothing from memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Directory, Said, Sink, acknowledged, deliver, ids, is_written, settings, wait_until};
use crate::Spool;

#[test]
fn events_are_refused_while_the_disk_is_full_and_taken_when_it_is_not() {
    let (directory, sink, said) = (Directory::new("refusing"), Sink::default(), Said::default());
    sink.up.store(true, Ordering::Release);
    let is_full = Arc::new(AtomicBool::new(true));
    let full = Arc::clone(&is_full);
    let spool = Spool::new(&directory.0).refuse_unwritten().fault(Arc::new(move |path| {
        if is_written(path) && full.load(Ordering::Acquire) {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        } else {
            Ok(())
        }
    }));
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();
    for receipt in deliver(&analytics, 0..3) {
        let outcome = receipt.wait().outcome;
        assert_eq!(outcome, tracklane::Outcome::Dropped(tracklane::DropReason::RetriesExhausted));
    }
    assert_eq!((sink.attempts(), spool.stats().in_memory), (0, 0), "nothing went from memory");
    let is_said = || said.messages().iter().any(|message| message.ends_with("new events are refused"));
    wait_until("it is said", is_said);
    is_full.store(false, Ordering::Release);
    acknowledged(deliver(&analytics, 3..5));
    wait_until("they arrived", || sink.ids() == ids(3..5));
    analytics.close_blocking(Duration::from_secs(10));
}
