//! What is on the disk: who can read it, and that it comes back as it was.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use tracklane::Event;
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, event, leave_behind, settings, wait_until};

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_what_waits() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    leave_behind(&directory, &["m1", "m2"]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory.spool()), 0o700);
    let slot = directory.spool().join("0000");
    assert_eq!(mode(&slot), 0o700);
    for name in directory.names("0000") {
        assert_eq!(mode(&slot.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn ids_times_and_contents_survive() {
    let directory = Directory::new();
    let happened = SystemTime::UNIX_EPOCH + Duration::from_millis(1_300_000_000_123);
    let call = event("m1")
        .timestamp(happened)
        .property("π", 0.1 + 0.2)
        .property("text", "a\nb\u{0}")
        .context(serde_json::json!({"ip": "8.8.8.8", "library": {"name": "mine"}}));
    let spool = Spool::new(directory.spool());
    let analytics = settings(&spool, &Sink::default()).build().unwrap();
    let unnamed = event("m2").message_id("");
    acknowledged(vec![
        analytics.send_with_receipt(call.clone()).unwrap(),
        analytics.send_with_receipt(unnamed).unwrap(),
    ]);
    analytics.close_blocking(SOON);

    let sink = Sink::up();
    let analytics = settings(&Spool::new(directory.spool()), &sink).build().unwrap();
    wait_until("both are sent", || sink.events().len() == 2);
    analytics.close_blocking(SOON);
    let [named, made] = sink.events().try_into().unwrap();
    let json = |event: &Event| serde_json::to_value(event).unwrap();
    let mut expected = json(&Event::from(call));
    expected["context"]["library"]["version"] = json(&named)["context"]["library"]["version"].clone();
    assert_eq!(json(&named), expected);
    assert_eq!(made.message_id().len(), 36, "an id that the pipeline made");
    assert!(directory.batches().is_empty());
}

/// Files of the first format, whose names do not say how many events they hold, are sent like any other.
#[test]
fn what_waits_is_counted_before_it_is_read() {
    let directory = Directory::new();
    leave_behind(&directory, &["m1", "m2", "m3"]);
    let batches = directory.batches();
    assert!(batches[0].ends_with("00000000000000000000.1.batch"), "{batches:?}");
    std::fs::rename(&batches[0], batches[0].with_file_name("00000000000000000000.batch")).unwrap();

    let (spool, sink) = (Spool::new(directory.spool()), Sink::default());
    let analytics = settings(&spool, &sink).build().unwrap();
    acknowledged((4..10).map(|n| analytics.send_with_receipt(event(&format!("m{n}"))).unwrap()).collect());
    let stats = spool.stats();
    assert_eq!((stats.events, stats.spooled), (2 + 6, 6), "{stats:?}");

    sink.up.store(true, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    let stats = spool.stats();
    assert_eq!((stats.events, stats.delivered, stats.spooled, stats.quarantined), (0, 9, 6, 0), "{stats:?}");
    assert_eq!(sink.ids(), (1..10).map(|n| format!("m{n}")).collect::<Vec<_>>());
}
