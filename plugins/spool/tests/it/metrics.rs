//! The counts of a spool as metrics.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tracklane::{Analytics, Track};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, settings, wait_until};

/// The metrics of the spool in `directory`, by their names.
fn of(snapshotter: &Snapshotter, directory: &str) -> BTreeMap<String, u64> {
    let all = snapshotter.snapshot().into_vec().into_iter();
    let of_spool = all
        .filter(|(key, ..)| key.key().labels().any(|label| label.key() == "directory" && label.value() == directory));
    of_spool
        .map(|(key, _, _, value)| {
            let value = match value {
                DebugValue::Counter(count) => count,
                DebugValue::Gauge(value) => value.0 as u64,
                DebugValue::Histogram(_) => panic!("{key:?} is no histogram"),
            };
            (key.key().name().to_owned(), value)
        })
        .collect()
}

#[test]
fn a_spool_tells_what_waits_while_it_runs_and_all_of_it_at_the_end() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().expect("no other test of this program installs one");
    let directory = Directory::new();
    // Nobody can watch for a series that is not there yet.
    let quiet = Directory::new();
    let waits = Analytics::builder()
        .plugin(Spool::new(quiet.spool()).metrics(Duration::from_secs(3_600)).in_front_of(Sink::up().destination()));
    let waits = waits.build().unwrap();
    let quiet_path = quiet.spool().display().to_string();
    wait_until("every count is there before anything happened", || {
        let told = of(&snapshotter, &quiet_path);
        told.len() == 10 && told.values().all(|value| *value == 0)
    });
    waits.close_blocking(SOON);
    let (spool, sink) = (Spool::new(directory.spool()).metrics(Duration::from_millis(20)), Sink::up());
    sink.up.store(false, Ordering::Release);
    let path = directory.spool().display().to_string();
    let analytics = settings(&spool, &sink).build().unwrap();
    for _ in 0..3 {
        analytics.track(Track::new("Tested").user_id("u1")).unwrap();
    }
    assert!(analytics.flush_blocking(SOON).is_complete());
    let begin = Instant::now();
    // A snapshot empties the counters, so one snapshot is searched for both.
    while of(&snapshotter, &path).get("tracklane_spool_events") != Some(&3) {
        assert!(begin.elapsed() < SOON, "the backlog is not told: {:?}", of(&snapshotter, &path));
        std::thread::sleep(Duration::from_millis(5));
    }
    sink.up.store(true, Ordering::Release);
    let report = analytics.close_blocking(SOON);
    assert!(report.is_complete(), "{report:?}");
    let stats = spool.stats();
    let told = of(&snapshotter, &path);
    assert_eq!(told.get("tracklane_spool_events"), Some(&stats.events), "{told:?}, {stats:?}");
    assert_eq!(told.get("tracklane_spool_spooled_total"), Some(&3), "{told:?}");
    assert_eq!(told.get("tracklane_spool_delivered_total"), Some(&stats.delivered), "{told:?}, {stats:?}");
}
