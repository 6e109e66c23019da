//! Several processes on one directory.

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
    acknowledged(vec![second.deliver(event("mine")).unwrap()]);
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
    acknowledged(vec![third.deliver(event("third")).unwrap()]);
    assert!(third.close_blocking(SOON).is_complete());
    assert_eq!(std::fs::read_dir(directory.spool()).unwrap().count(), 2, "two slots, and no more");
}
