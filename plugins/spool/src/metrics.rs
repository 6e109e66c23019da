//! The counts of a spool as metrics of the `metrics` facade, behind the feature `metrics`.
//!
//! Invariant: the recorder is user code. It runs on a thread of its own, its panic is caught, and no code waits longer
//! than [`LAST`] for it. Counters are set to their absolute value, so a recorder may be installed at any time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::disk_thread::DiskThread;
use crate::report;
use crate::setup::Setup;
use crate::stats::{Counters, SpoolStats};

/// The time that the end waits for the recorder.
const LAST: Duration = Duration::from_millis(100);

/// A count: its name, its description, and its value.
type Count = (&'static str, &'static str, fn(&SpoolStats) -> u64);

const COUNTERS: [Count; 7] = [
    ("tracklane_spool_spooled_total", "Events that were written to the disk", |stats| stats.spooled),
    ("tracklane_spool_delivered_total", "Events from the disk that the destination has", |stats| stats.delivered),
    ("tracklane_spool_refused_total", "Events from the disk that the destination refused", |stats| stats.refused),
    ("tracklane_spool_skipped_total", "Events from the disk that nobody wanted", |stats| stats.skipped),
    ("tracklane_spool_expired_total", "Events from the disk that became too old", |stats| stats.expired),
    ("tracklane_spool_in_memory_total", "Events that went from memory, past the disk", |stats| stats.in_memory),
    ("tracklane_spool_quarantined_total", "Files that were set aside", |stats| stats.quarantined),
];

const GAUGES: [Count; 3] = [
    ("tracklane_spool_files", "Files that wait on the disk", |stats| stats.files),
    ("tracklane_spool_events", "Events that wait on the disk", |stats| stats.events),
    ("tracklane_spool_bytes", "Bytes that wait on the disk, in whole blocks", |stats| stats.bytes),
];

/// The task that updates the recorder.
pub(crate) struct Metrics {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Metrics {
    /// Starts to update the recorder, if the settings ask for it.
    pub(crate) fn start(setup: &Setup, destination: &str) -> Option<Self> {
        let interval = setup.metrics?.max(Duration::from_millis(1));
        let (stop, stopped) = watch::channel(false);
        let counters = setup.counters.clone();
        let labels = labels(destination, &setup.root);
        Some(Self { stop, task: tokio::spawn(tell_every(interval, counters, labels, stopped)) })
    }

    /// Updates the recorder once more, and then ends the task.
    pub(crate) async fn end(self) {
        self.stop.send_replace(true);
        let _ = timeout(LAST, self.task).await;
    }
}

/// Returns the labels. Two spools may have destinations of the same name, so the directory distinguishes them.
fn labels(destination: &str, directory: &Path) -> [Label; 2] {
    let directory = directory.display().to_string();
    [Label::new("destination", destination.to_owned()), Label::new("directory", directory)]
}

async fn tell_every(
    interval: Duration,
    counters: Arc<Counters>,
    labels: [Label; 2],
    mut stopped: watch::Receiver<bool>,
) {
    let thread = match DiskThread::start("tracklane-count") {
        Ok(thread) => thread,
        Err(error) => {
            report::log(|| tracing::error!(target: "tracklane", %error, "no thread for the metrics of the spool"));
            return;
        }
    };
    let mut is_last = false;
    loop {
        let (stats, labels) = (counters.snapshot(), labels.to_vec());
        if thread.run(move || tell(&stats, &labels)).await.is_err() {
            let what = "recorder of metrics";
            report::log(|| tracing::error!(target: "tracklane", what, "panicked; the panic was caught"));
        }
        if is_last {
            return;
        }
        is_last = timeout(interval, stopped.wait_for(|stopped| *stopped)).await.is_ok();
    }
}

/// Says what each metric is, too: a recorder may be installed at any time.
fn tell(stats: &SpoolStats, labels: &[Label]) {
    for (name, what, count) in COUNTERS {
        describe_counter!(name, Unit::Count, what);
        counter!(name, labels.to_vec()).absolute(count(stats));
    }
    for (name, what, count) in GAUGES {
        let unit = if name.ends_with("bytes") { Unit::Bytes } else { Unit::Count };
        describe_gauge!(name, unit, what);
        gauge!(name, labels.to_vec()).set(count(stats) as f64);
    }
}

#[cfg(test)]
mod tests {
    use metrics::with_local_recorder;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    #[test]
    fn every_count_is_told_with_its_own_value_and_described() {
        let stats = SpoolStats {
            files: 1,
            events: 2,
            bytes: 3,
            spooled: 4,
            delivered: 5,
            refused: 6,
            skipped: 7,
            expired: 8,
            in_memory: 9,
            quarantined: 10,
        };
        let recorder = DebuggingRecorder::new();
        let labels = labels("warehouse", Path::new("/spool"));
        with_local_recorder(&recorder, || tell(&stats, &labels));
        let mut told: Vec<_> = recorder
            .snapshotter()
            .snapshot()
            .into_vec()
            .into_iter()
            .map(|(key, unit, what, value)| {
                assert!(unit.is_some() && what.is_some(), "{key:?} is described");
                let labels: Vec<_> = key.key().labels().map(|label| (label.key(), label.value())).collect();
                assert_eq!(labels, [("destination", "warehouse"), ("directory", "/spool")]);
                let value = match value {
                    DebugValue::Counter(count) => count,
                    DebugValue::Gauge(value) => value.0 as u64,
                    DebugValue::Histogram(_) => panic!("{key:?} is no histogram"),
                };
                (key.key().name().trim_start_matches("tracklane_spool_").to_owned(), value)
            })
            .collect();
        told.sort_by_key(|(_, value)| *value);
        let expected = [
            ("files", 1),
            ("events", 2),
            ("bytes", 3),
            ("spooled_total", 4),
            ("delivered_total", 5),
            ("refused_total", 6),
            ("skipped_total", 7),
            ("expired_total", 8),
            ("in_memory_total", 9),
            ("quarantined_total", 10),
        ];
        assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
