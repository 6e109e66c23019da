//! A directory that was another destination's.

use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracklane::{Analytics, signal};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, event, wait_until};

/// What `error` said of other destinations.
type Said = Arc<Mutex<Vec<String>>>;

/// Sends one event through a spool in front of the destination `name`.
fn send(directory: &Directory, name: &str, sink: &Sink, id: &str) -> Said {
    let (said, spool) = (Said::default(), Spool::new(directory.spool()).flush_at(1));
    let heard = said.clone();
    let analytics = Analytics::builder()
        .plugin(spool.adopt_every(Duration::from_millis(5)).in_front_of(sink.named(name)))
        .on(signal::Error, move |failure| {
            if failure.message.contains("left alone") {
                heard.lock().unwrap().push(failure.message.clone());
            }
        })
        .build()
        .unwrap();
    acknowledged(vec![analytics.send_with_receipt(event(id)).unwrap()]);
    analytics.close_blocking(SOON);
    said
}

#[test]
fn events_of_another_destination_are_left_alone_until_it_comes() {
    let (directory, old, new) = (Directory::new(), Sink::default(), Sink::up());
    send(&directory, "old", &old, "o1");
    let waits = directory.batches();

    let said = send(&directory, "new", &new, "n1");
    assert_eq!((new.ids(), directory.batches()), (vec!["n1".to_owned()], waits));
    wait_until("it is said", || !said.lock().unwrap().is_empty());
    let said = said.lock().unwrap();
    assert!(
        said.len() == 1 && said[0].contains(r#"for the destination "old", not for "new""#),
        "both are named, once: {said:?}"
    );

    old.up.store(true, Ordering::Release);
    assert!(send(&directory, "old", &old, "o2").lock().unwrap().is_empty());
    wait_until("the old destination has its own", || old.ids() == ["o1", "o2"]);
    assert_eq!((new.ids(), directory.batches()), (vec!["n1".to_owned()], vec![]));
    // Nothing waits, so there is nothing to say.
    assert!(send(&directory, "new", &new, "n2").lock().unwrap().is_empty());
    assert_eq!(fs::read_dir(directory.spool()).unwrap().count(), 2, "a slot each");
}

#[test]
fn events_of_the_first_format_are_for_whoever_comes() {
    let (directory, old, new) = (Directory::new(), Sink::default(), Sink::up());
    send(&directory, "old", &old, "o1");
    fs::write(directory.spool().join("0000/lock"), "").unwrap();
    send(&directory, "new", &new, "n1");
    assert_eq!(new.ids(), ["n1", "o1"]);
    assert_eq!(fs::read_to_string(directory.spool().join("0000/lock")).unwrap(), "new\n");
}
