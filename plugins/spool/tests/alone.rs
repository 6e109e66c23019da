//! What concerns a whole process, and so has one to itself: its current directory, and a log that panics.

#[path = "it/support.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod support;

use std::fs;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use tracklane::signal;
use tracklane_spool::Spool;

use support::{Directory, SOON, Sink, acknowledged, event, leave_behind, settings, wait_until};

#[derive(Clone)]
struct Panics;

impl MakeWriter<'_> for Panics {
    type Writer = std::io::Sink;

    fn make_writer(&self) -> std::io::Sink {
        panic!("the log cannot be written");
    }
}

/// As `tracing_subscriber::fmt` does when neither of the standard streams can be written.
#[test]
fn a_log_that_panics_ends_neither_sending_nor_writing() {
    let directory = Directory::new();
    leave_behind(&directory, &["m0", "m1", "m2"]);
    fs::write(&directory.batches()[1], "damaged").unwrap();
    fs::write(directory.spool().join("0000/notes.txt"), "not ours").unwrap();
    let log = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(Panics).finish();
    tracing::subscriber::set_global_default(log).expect("nobody else listens in this process");

    let (spool, sink, said) = (Spool::new(directory.spool()), Sink::up(), Arc::new(Mutex::new(Vec::new())));
    let heard = said.clone();
    let analytics = settings(&spool, &sink)
        .on(signal::Error, move |failure| heard.lock().unwrap().push(failure.message.clone()))
        .build()
        .unwrap();
    wait_until("the others are sent", || sink.ids() == ["m0", "m2"]);
    acknowledged(vec![analytics.send_with_receipt(event("m3")).unwrap()]);
    wait_until("what is new is sent", || sink.ids() == ["m0", "m2", "m3"]);
    wait_until("signals are told all the same", || said.lock().unwrap().len() == 2);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((spool.stats().quarantined, spool.stats().files), (2, 0));
}

#[test]
fn a_relative_directory_is_that_of_the_start_wherever_the_process_goes() {
    let directory = Directory::new();
    let (here, there) = (directory.path().join("here"), directory.path().join("there"));
    fs::create_dir_all(&here).unwrap();
    fs::create_dir_all(&there).unwrap();
    std::env::set_current_dir(&here).unwrap();
    let (spool, sink) = (Spool::new("queue").flush_at(1), Sink::default());
    let analytics = settings(&spool, &sink).build().unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m0")).unwrap()]);
    std::env::set_current_dir(&there).unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m1")).unwrap()]);
    sink.up.store(true, std::sync::atomic::Ordering::Release);
    wait_until("both are sent", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["m0", "m1"]);
    assert!(here.join("queue/0000/lock").exists() && !there.join("queue").exists());
}
