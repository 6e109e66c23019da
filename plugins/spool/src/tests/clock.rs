//! The wall clock jumps.

use std::fs::{self, File};
use std::sync::atomic::AtomicI64;
use std::time::SystemTime;

use super::*;

const DAY: i64 = 24 * 60 * 60;

/// A wall clock that can be moved.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn now(&self) -> SystemTime {
        let by = self.0.load(Ordering::Acquire);
        let away = Duration::from_secs(by.unsigned_abs());
        if by < 0 { SystemTime::now() - away } else { SystemTime::now() + away }
    }

    fn spool(&self, directory: &Directory) -> Spool {
        let clock = self.clone();
        Spool::new(&directory.0).flush_at(1).adopt_every(Duration::from_millis(5)).wall_clock(move || clock.now())
    }
}

/// Everything in the slot is so much older, as if the service had ended then, or the clock had been moved since.
fn age(directory: &Directory, by: i64) {
    for entry in fs::read_dir(directory.0.join("0000")).unwrap() {
        let file = File::open(entry.unwrap().path()).unwrap();
        let (written, by_secs) = (file.metadata().unwrap().modified().unwrap(), Duration::from_secs(by.unsigned_abs()));
        file.set_modified(if by < 0 { written + by_secs } else { written - by_secs }).unwrap();
    }
}

fn leave_behind(directory: &Directory, clock: &Clock, ids: std::ops::Range<u32>) {
    let analytics = settings(&clock.spool(directory), Sink::default().destination()).build().unwrap();
    deliver(&analytics, ids).into_iter().for_each(|receipt| acknowledged(vec![receipt]));
    analytics.close_blocking(SOON);
}

fn all_arrive(directory: &Directory, clock: &Clock, expected: std::ops::Range<u32>, what: &str) {
    let (sink, spool) = (Sink::default(), clock.spool(directory));
    sink.up.store(true, Ordering::Release);
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    wait_until("the disk was read", || spool.stats().delivered + spool.stats().expired >= expected.len() as u64);
    analytics.close_blocking(SOON);
    assert_eq!((sink.ids(), spool.stats().expired), (ids(expected), 0), "{what}");
}

#[test]
fn a_clock_that_is_far_away_at_the_next_start_deletes_nothing() {
    for (by, what) in [(30 * DAY, "ahead"), (-30 * DAY, "back"), (20_000 * DAY, "in 1970 when they were written")] {
        let (directory, clock) = (Directory::new("moved"), Clock::default());
        leave_behind(&directory, &clock, 0..3);
        age(&directory, by);
        // A start that sends nothing must not spoil it either.
        leave_behind(&directory, &clock, 3..5);
        all_arrive(&directory, &clock, 0..5, what);
    }
}

#[test]
fn a_clock_that_jumps_while_files_wait_deletes_nothing_now_or_at_the_next_start() {
    for (by, what) in [(30 * DAY, "ahead"), (-30 * DAY, "back")] {
        let (directory, clock, sink) = (Directory::new("jumps"), Clock::default(), Sink::default());
        let spool = clock.spool(&directory);
        let analytics = settings(&spool, sink.destination()).build().unwrap();
        acknowledged(deliver(&analytics, 0..3));
        let lock = directory.0.join("0000/lock");
        let distance = |to: SystemTime| {
            let at = fs::metadata(&lock).unwrap().modified().unwrap();
            at.duration_since(to).unwrap_or_else(|before| before.duration())
        };
        wait_until("the spool looks after its directory", || distance(clock.now()) < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
        clock.0.store(by, Ordering::Release);
        wait_until("it has followed the clock", || distance(clock.now()) < Duration::from_secs(60));
        analytics.close_blocking(SOON);
        assert_eq!((spool.stats().expired, spool.stats().events), (0, 3), "{what}");
        all_arrive(&directory, &clock, 0..3, what);
    }
}

#[test]
fn what_waited_too_long_while_a_spool_was_at_work_expires_whatever_the_clock() {
    let (directory, clock) = (Directory::new("expires"), Clock::default());
    leave_behind(&directory, &clock, 0..2);
    let first = directory.0.join("0000/00000000000000000000.1.batch");
    File::open(first).unwrap().set_modified(SystemTime::now() - Duration::from_secs(8 * DAY as u64)).unwrap();
    age(&directory, 30 * DAY);
    let (sink, spool) = (Sink::default(), clock.spool(&directory));
    sink.up.store(true, Ordering::Release);
    let analytics = settings(&spool, sink.destination()).build().unwrap();
    wait_until("both are done with", || spool.stats().delivered + spool.stats().expired == 2);
    analytics.close_blocking(SOON);
    assert_eq!((sink.ids(), spool.stats().expired), (ids(1..2), 1), "eight days between its time and the last");
}
