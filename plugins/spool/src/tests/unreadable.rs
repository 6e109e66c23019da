//! A file that cannot be read: its permissions are wrong, or the disk fails there.

use std::fs::{self, File};
use std::time::SystemTime;

use super::*;

/// Leaves one file with one event for each id. Returns their paths, the oldest first.
fn leave_behind(directory: &Directory, ids: std::ops::Range<u32>) -> Vec<PathBuf> {
    let analytics = settings(&Spool::new(&directory.0).flush_at(1), Sink::default().destination()).build().unwrap();
    for receipt in deliver(&analytics, ids) {
        acknowledged(vec![receipt]);
    }
    analytics.close_blocking(SOON);
    let entries = fs::read_dir(directory.0.join("0000")).unwrap().map(|entry| entry.unwrap().path());
    let mut batches: Vec<_> = entries.filter(|path| path.extension().is_some()).collect();
    batches.sort();
    batches
}

/// A spool that cannot read these files while it is told so.
fn spool_without(directory: &Directory, files: &[PathBuf]) -> (Spool, Arc<AtomicBool>) {
    let denied = Arc::new(AtomicBool::new(true));
    let (is_denied, files) = (denied.clone(), files.to_vec());
    let spool = Spool::new(&directory.0).fault(Arc::new(move |path| {
        let denied = is_denied.load(Ordering::Acquire) && files.iter().any(|file| file == path);
        if denied { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }));
    (spool, denied)
}

#[test]
fn a_file_that_cannot_be_read_holds_up_no_other_and_is_tried_again() {
    let (directory, sink, said) = (Directory::new("unreadable"), Sink::default(), Said::default());
    sink.up.store(true, Ordering::Release);
    let files = leave_behind(&directory, 0..5);
    let (spool, denied) = spool_without(&directory, &files[..2]);
    let analytics =
        said.by(settings(&spool.clone().adopt_every(Duration::from_millis(5)), sink.destination())).build().unwrap();
    wait_until("the others are sent", || sink.ids() == ids(2..5));
    acknowledged(deliver(&analytics, 5..6));
    wait_until("what is new is sent", || sink.ids() == ids(2..6));
    wait_until("only they wait", || (spool.stats().files, spool.stats().events) == (2, 2));

    denied.store(false, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ids(0..6));
    wait_until("it is said", || !said.messages().is_empty());
    let messages = said.messages();
    assert!(messages.len() == 1 && messages[0].contains("cannot be read: permission denied"), "{messages:?}");
}

#[test]
fn a_file_that_cannot_be_read_expires_like_any_other() {
    let (directory, sink, said) = (Directory::new("unreadable-old"), Sink::default(), Said::default());
    sink.up.store(true, Ordering::Release);
    let files = leave_behind(&directory, 0..2);
    let old = File::options().write(true).open(&files[0]).unwrap();
    old.set_modified(SystemTime::now() - Spool::MAX_AGE - Duration::from_secs(60)).unwrap();
    let (spool, _) = spool_without(&directory, &files[..1]);
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();
    wait_until("the disk is empty", || spool.stats().files == 0);
    wait_until("it is reported", || !said.messages().is_empty());
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((sink.ids(), spool.stats().expired), (ids(1..2), 1));
    assert!(!files[0].exists());
    assert!(said.messages()[0].starts_with("1 events waited longer"), "{:?}", said.messages());
}

#[test]
fn an_event_that_cannot_be_read_costs_itself_and_its_file_is_set_aside_at_the_end() {
    let (directory, sink, said) = (Directory::new("one-line"), Sink::default(), Said::default());
    let slot = directory.0.join("0000");
    fs::create_dir_all(&slot).unwrap();
    let line = |id: &str, value: &str| {
        let head = r#""event":"Tested","userId":"u1","properties""#;
        format!(r#"{{"type":"track","messageId":"{id}",{head}:{{"a":{value}}}}}"#).into_bytes()
    };
    let magic = r#"{"$serde_json::private::RawValue":"{}"}"#;
    let lines = [line("m00", "1"), line("m01", magic), line("m02", "2"), line("m03", "1e999")];
    let path = slot.join("00000000000000000000.4.batch");
    fs::write(&path, crate::frame::encode(lines.iter().map(Vec::as_slice))).unwrap();

    let spool = Spool::new(&directory.0);
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();
    wait_until("the destination was tried", || sink.attempts() > 0);
    assert!(path.exists(), "it waits for the others");
    sink.up.store(true, Ordering::Release);
    wait_until("the others are sent", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((sink.ids(), spool.stats().quarantined), (vec!["m00".to_owned(), "m02".to_owned()], 1));
    assert!(!path.exists() && path.with_extension("batch.corrupt").exists());
    let unread: Vec<_> = said.messages().into_iter().filter(|said| said.contains("cannot be read")).collect();
    assert_eq!(unread.len(), 1, "once for the file: {unread:?}");
    for part in ["00000000000000000000.4.batch", r#"line 3 (messageId "m01")"#, r#"line 5 (messageId "m03")"#] {
        assert!(unread[0].contains(part), "{part} is missing in {unread:?}");
    }
}

/// Whoever looks only for losses must find these: the events were acknowledged, and will not be delivered.
#[test]
fn what_can_never_be_sent_is_a_loss() {
    let (directory, sink, losses) = (Directory::new("never-sent"), Sink::default(), Arc::new(Mutex::new(Vec::new())));
    sink.up.store(true, Ordering::Release);
    let slot = directory.0.join("0000");
    fs::create_dir_all(&slot).unwrap();
    let line = |id: &str, user: &str, value: &str| {
        let head = format!(r#""type":"track","messageId":"{id}","event":"Tested""#);
        format!(r#"{{{head},"userId":"{user}","properties":{{"a":{value}}}}}"#).into_bytes()
    };
    let lines = [line("m00", "u1", "1"), line("m01", "u1", "1e999"), line("m02", "", "1")];
    fs::write(slot.join("00000000000000000000.3.batch"), crate::frame::encode(lines.iter().map(Vec::as_slice)))
        .unwrap();
    fs::write(slot.join("00000000000000000001.2.batch"), "damaged").unwrap();

    let (spool, heard) = (Spool::new(&directory.0), losses.clone());
    let lost = move |failure: &signal::Failure| heard.lock().unwrap().push((failure.dropped, failure.events));
    let analytics = settings(&spool, sink.destination()).on(signal::Error, lost).build().unwrap();
    wait_until("each is said", || losses.lock().unwrap().len() == 3);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["m00"]);
    let mut losses = losses.lock().unwrap().clone();
    losses.sort_by_key(|(_, events)| *events);
    let invalid = Some(tracklane::DropReason::Invalid);
    assert_eq!(losses, [(invalid, 1), (invalid, 1), (invalid, 2)]);
}
