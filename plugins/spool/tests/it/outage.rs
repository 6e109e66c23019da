//! The destination is down for a while.

use std::sync::atomic::Ordering;

use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, leave_behind, settings, wait_until};

/// If each file counted, twenty of them would make the next attempt wait for a minute.
#[test]
fn an_outage_counts_once_however_many_files_it_meets() {
    let directory = Directory::new();
    let ids: Vec<String> = (10..30).map(|n| format!("m{n}")).collect();
    leave_behind(&directory, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (spool, sink) = (Spool::new(directory.spool()), Sink::default());
    let analytics = settings(&spool, &sink).build().unwrap();
    wait_until("each file has failed", || sink.attempts.load(Ordering::Acquire) >= ids.len());
    sink.up.store(true, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ids);
}
