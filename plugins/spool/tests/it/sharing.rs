//! Several processes on one directory.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracklane::testing::{Reply, TrackingApi};
use tracklane_spool::Spool;

use crate::kill::Running;
use crate::support::{Directory, SOON, Sink, acknowledged, event, settings, wait_until};

#[test]
fn two_on_one_directory_send_each_event_once() {
    let directory = Directory::new();
    let sink = Sink::up();
    let spools = [Spool::new(directory.spool()).flush_at(7), Spool::new(directory.spool()).flush_at(7)];
    let spools = spools.map(|spool| spool.adopt_every(Duration::from_millis(1)));
    let clients = spools.each_ref().map(|spool| settings(spool, &sink).build().unwrap());
    let mut expected = Vec::new();
    for n in 0..300 {
        for (client, analytics) in clients.iter().enumerate() {
            let id = format!("{client}-{n:03}");
            analytics.track(event(&id)).unwrap();
            expected.push(id);
        }
    }
    for analytics in clients {
        assert!(analytics.close_blocking(SOON).is_complete());
    }
    expected.sort();
    assert_eq!(sink.ids(), expected);
    assert_eq!((directory.names("0000"), directory.names("0001")), (vec!["lock".into()], vec!["lock".into()]));
}

#[test]
fn the_living_adopt_what_the_dead_left_and_nothing_before() {
    let directory = Directory::new();
    let hanging = TrackingApi::start().unwrap();
    hanging.set_default(Reply::hang());
    let mut first = Running::start(&directory.spool(), &hanging.url(), "7");
    first.wait_for("acknowledged 7-20");

    let (spool, sink) = (Spool::new(directory.spool()).adopt_every(Duration::from_millis(5)), Sink::up());
    let second = settings(&spool, &sink).build().unwrap();
    acknowledged(vec![second.send_with_receipt(event("mine")).unwrap()]);
    wait_until("its own is sent", || !sink.ids().is_empty());
    assert_eq!(sink.ids(), ["mine"], "the first is alive, and sends what is its own");

    let left = first.kill();
    assert!(left.len() > 20);
    wait_until("what the first left is sent", || {
        let ids = sink.ids();
        left.iter().all(|id| ids.contains(id))
    });
    wait_until("nothing is left", || spool.stats().files == 0);
    assert!(second.close_blocking(SOON).is_complete());
    let ids = sink.ids();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "each once: {ids:?}");

    // Its slot is free again for the next.
    let third = settings(&Spool::new(directory.spool()), &sink).build().unwrap();
    acknowledged(vec![third.send_with_receipt(event("third")).unwrap()]);
    assert!(third.close_blocking(SOON).is_complete());
    assert_eq!(fs::read_dir(directory.spool()).unwrap().count(), 2, "two slots, and no more");
}

/// Whoever deletes the directory of a running service costs it what waits there, and nothing that comes after.
#[cfg(unix)]
#[test]
fn a_spool_whose_directory_was_deleted_makes_another() {
    let (directory, sink) = (Directory::new(), Sink::default());
    let first = Spool::new(directory.spool()).flush_at(1);
    let analytics = settings(&first, &sink).build().unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("lost")).unwrap()]);
    fs::remove_dir_all(directory.spool()).unwrap();
    // Another process is quicker, and has slot 0000 now.
    let second = Spool::new(directory.spool()).flush_at(1);
    let other = settings(&second, &sink).build().unwrap();
    for n in 0..3 {
        acknowledged(vec![other.send_with_receipt(event(&format!("second-{n}"))).unwrap()]);
        acknowledged(vec![analytics.send_with_receipt(event(&format!("first-{n}"))).unwrap()]);
    }
    assert_eq!((first.stats().spooled, second.stats().spooled, first.stats().in_memory), (4, 3, 0));
    assert_eq!((directory.batches().len(), directory.names("0001").len()), (3, 1 + 3), "each has a slot of its own");

    sink.up.store(true, Ordering::Release);
    wait_until("both are empty", || first.stats().files == 0 && second.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete() && other.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["first-0", "first-1", "first-2", "second-0", "second-1", "second-2"]);
}

/// Not even if two write to one slot, against all locks.
#[test]
fn a_file_is_never_replaced() {
    let (directory, sink) = (Directory::new(), Sink::default());
    let spool = Spool::new(directory.spool()).flush_at(1);
    let analytics = settings(&spool, &sink).build().unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m0")).unwrap()]);
    let foreign = directory.spool().join("0000").join("00000000000000000001.1.batch");
    fs::write(&foreign, "somebody else's").unwrap();

    sink.up.store(true, Ordering::Release);
    acknowledged(vec![
        analytics.send_with_receipt(event("m1")).unwrap(),
        analytics.send_with_receipt(event("m2")).unwrap(),
    ]);
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "somebody else's");
    assert_eq!((spool.stats().in_memory, spool.stats().spooled), (1, 2), "m1 had no free name");
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["m0", "m1", "m2"]);
    assert_eq!(directory.names("0000"), ["00000000000000000001.1.batch", "lock"]);
}
