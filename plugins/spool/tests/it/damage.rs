//! Files that cannot be sent are set aside, and everything else works on.

use std::fs;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tracklane::signal;
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, acknowledged, event, leave_behind, settings, wait_until};

#[test]
fn damaged_files_are_set_aside() {
    let directory = Directory::new();
    let ids: Vec<String> = (0..10).map(|n| format!("m{n}")).collect();
    leave_behind(&directory, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let files = directory.batches();
    let whole = fs::read(&files[0]).unwrap();

    let mut flipped = fs::read(&files[1]).unwrap();
    flipped[fastrand::usize(..whole.len())] ^= 1 << fastrand::u32(..8);
    fs::write(&files[1], flipped).unwrap();
    fs::write(&files[2], &whole[..fastrand::usize(..whole.len())]).unwrap();
    fs::write(&files[3], "").unwrap();
    fs::write(&files[4], vec![0; whole.len()]).unwrap();
    let report = Arc::new(Mutex::new(Vec::new()));

    let slot = directory.spool().join("0000");
    fs::write(slot.join("notes.txt"), "not ours").unwrap();
    fs::write(slot.join("7.batch"), &whole).unwrap();
    fs::create_dir(slot.join("99999999999999999998.batch")).unwrap();
    fs::write(slot.join("00000000000000000020.tmp"), &whole[..20]).unwrap();

    let (spool, sink, heard) = (Spool::new(directory.spool()), Sink::up(), report.clone());
    let settings = settings(&spool, &sink);
    let analytics =
        settings.on(signal::Error, move |failure| heard.lock().unwrap().push(failure.message.clone())).build().unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("new")).unwrap()]);
    wait_until("every whole file is sent", || sink.ids().len() == 7);
    wait_until("every other is reported", || report.lock().unwrap().len() == 7);
    assert!(report.lock().unwrap().iter().all(|message| message.contains("set aside")), "{report:?}");
    assert!(analytics.close_blocking(SOON).is_complete());

    assert_eq!(sink.ids(), ["m0", "m5", "m6", "m7", "m8", "m9", "new"]);
    let left = directory.names("0000");
    assert_eq!(left.iter().filter(|name| name.ends_with(".corrupt")).count(), 7, "{left:?}");
    assert_eq!(left.len(), 8, "the lock and what was set aside: {left:?}");
    assert_eq!(fs::read_to_string(slot.join("notes.txt.corrupt")).unwrap(), "not ours");
    assert_eq!(spool.stats().quarantined, 7);
}

/// Whoever could put a link there would otherwise have any readable file sent, or written to.
#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let directory = Directory::new();
    leave_behind(&directory, &["m1"]);
    let outside = directory.path().join("outside");
    fs::rename(&directory.batches()[0], &outside).unwrap();
    let slot = directory.spool().join("0000");
    std::os::unix::fs::symlink(&outside, slot.join("00000000000000000000.batch")).unwrap();
    // A slot that is a link is not used either.
    std::os::unix::fs::symlink(directory.path(), directory.spool().join("0001")).unwrap();

    let (spool, sink) = (Spool::new(directory.spool()), Sink::up());
    let analytics = settings(&spool, &sink).build().unwrap();
    acknowledged(vec![analytics.send_with_receipt(event("m2")).unwrap()]);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ["m2"]);
    assert!(outside.exists());
    assert_eq!(directory.names("0000"), ["00000000000000000000.batch.corrupt", "lock"]);
}

/// The contents of a file that somebody else wrote, or that was ours.
fn contents() -> impl Strategy<Value = Contents> {
    prop_oneof![
        any::<Vec<u8>>().prop_map(Contents::Bytes),
        any::<prop::sample::Index>().prop_map(Contents::CutAt),
        (any::<prop::sample::Index>(), 0..8_u32).prop_map(|(at, bit)| Contents::Flipped(at, bit)),
    ]
}

#[derive(Clone, Debug)]
enum Contents {
    Bytes(Vec<u8>),
    CutAt(prop::sample::Index),
    Flipped(prop::sample::Index, u32),
}

impl Contents {
    fn of(&self, whole: &[u8]) -> Vec<u8> {
        match self {
            Contents::Bytes(bytes) => bytes.clone(),
            Contents::CutAt(at) => whole[..at.index(whole.len())].to_vec(),
            Contents::Flipped(at, bit) => {
                let mut bytes = whole.to_vec();
                bytes[at.index(whole.len())] ^= 1 << bit;
                bytes
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever lies in the slot: what is whole is sent, what is new is taken, and nothing else leaves.
    #[test]
    fn whatever_lies_in_the_directory_is_survived(
        strangers in prop::collection::vec(("[0-9]{20}\\.(batch|tmp|x|x\\.batch)|[a-z0-9.]{1,20}\\.batch|[!-.0-~]{3,40}", contents()), 0..8),
    ) {
        let directory = Directory::new();
        leave_behind(&directory, &["whole"]);
        let whole = fs::read(&directory.batches()[0]).unwrap();
        let slot = directory.spool().join("0000");
        for (name, contents) in &strangers {
            if !slot.join(name).exists() {
                fs::write(slot.join(name), contents.of(&whole)).unwrap();
            }
        }
        let (spool, sink) = (Spool::new(directory.spool()), Sink::up());
        let analytics = settings(&spool, &sink).build().unwrap();
        acknowledged(vec![analytics.send_with_receipt(event("new")).unwrap()]);
        prop_assert!(analytics.close_blocking(SOON).is_complete());
        prop_assert_eq!(sink.ids(), ["new", "whole"]);
        let left = directory.names("0000");
        prop_assert!(left.iter().all(|name| name == "lock" || name.ends_with(".corrupt")), "{:?}", left);
    }
}
