//! The counts as metrics of the `metrics` facade, behind the feature `metrics`. `docs/SETTINGS.md` has their names.
//!
//! Always: an event costs nothing more, since they are taken from a snapshot every so often, and once more at the
//! close. What has changed since the one before is added, so that the clients of a process add up.

use std::sync::{Mutex, PoisonError};

use metrics::{Label, counter, gauge};

use crate::ledger::{DestinationStats, Drops, Stats};

/// What the metrics know of one client.
#[derive(Default)]
pub(crate) struct Reported(Mutex<Stats>);

impl Reported {
    /// Adds what has changed. The snapshot is taken while no other is added, so that none is older than the one before.
    pub(crate) fn update(&self, snapshot: impl FnOnce() -> Stats) {
        let mut before = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = snapshot();
        counter!("tracklane_events_accepted_total").increment(now.accepted - before.accepted);
        counter!("tracklane_events_refused_total").increment(now.refused - before.refused);
        counter!("tracklane_events_delivered_total").increment(now.delivered - before.delivered);
        dropped("tracklane_events_dropped_total", &[], &now.dropped, &before.dropped);
        gauge!("tracklane_events_pending").increment(now.pending as f64 - before.pending as f64);
        for destination in &before.destinations {
            if !now.destinations.iter().any(|later| continues(destination, later)) {
                deregistered(destination);
            }
        }
        for destination in &now.destinations {
            destination_changed(destination, before.destinations.iter().find(|known| continues(known, destination)));
        }
        *before = now;
    }
}

/// Whether the counts are later ones of the same registration: with less than before it was registered again.
fn continues(before: &DestinationStats, now: &DestinationStats) -> bool {
    let counts = |of: &DestinationStats| [of.delivered, of.attempts, of.retries, of.bytes];
    before.name == now.name
        && std::iter::zip(counts(before), counts(now)).all(|(before, now)| before <= now)
        && now.dropped.iter().all(|(reason, events)| before.dropped.of(reason) <= events)
}

fn dropped(name: &'static str, labels: &[Label], now: &Drops, before: &Drops) {
    for (reason, events) in now.iter() {
        let labels: Vec<Label> = labels.iter().cloned().chain([Label::new("reason", reason.as_str())]).collect();
        counter!(name, labels).increment(events - before.of(reason));
    }
}

fn destination_changed(now: &DestinationStats, before: Option<&DestinationStats>) {
    let labels = labels(now);
    let change = |of: fn(&DestinationStats) -> u64| of(now) - before.map_or(0, of);
    counter!("tracklane_destination_delivered_total", labels.clone()).increment(change(|stats| stats.delivered));
    counter!("tracklane_destination_attempts_total", labels.clone()).increment(change(|stats| stats.attempts));
    counter!("tracklane_destination_retries_total", labels.clone()).increment(change(|stats| stats.retries));
    counter!("tracklane_destination_bytes_total", labels.clone()).increment(change(|stats| stats.bytes));
    let drops_before = before.map(|stats| stats.dropped).unwrap_or_default();
    dropped("tracklane_destination_dropped_total", &labels, &now.dropped, &drops_before);
    let change = |of: fn(&DestinationStats) -> u64| of(now) as f64 - before.map_or(0, of) as f64;
    gauge!("tracklane_destination_queued_events", labels.clone()).increment(change(|stats| stats.queued_events));
    gauge!("tracklane_destination_queued_bytes", labels).increment(change(|stats| stats.queued_bytes));
}

/// Nothing of it waits any more.
fn deregistered(before: &DestinationStats) {
    let labels = labels(before);
    gauge!("tracklane_destination_queued_events", labels.clone()).decrement(before.queued_events as f64);
    gauge!("tracklane_destination_queued_bytes", labels).decrement(before.queued_bytes as f64);
}

fn labels(destination: &DestinationStats) -> Vec<Label> {
    vec![Label::new("destination", destination.name.to_string())]
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    /// What a destination says that has delivered so many events one by one, while one waits.
    fn stats(delivered: u64) -> Stats {
        let destination = DestinationStats {
            name: "d".into(),
            accepted: delivered + 1,
            delivered,
            dropped: Drops::default(),
            pending: 1,
            queued_events: 1,
            queued_bytes: 100,
            batches: delivered,
            attempts: delivered,
            retries: 0,
            bytes: 100 * delivered,
        };
        Stats { destinations: vec![destination], ..Stats::default() }
    }

    #[test]
    fn a_destination_that_is_registered_again_begins_anew_and_leaves_nothing_waiting() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || {
            let reported = Reported::default();
            [stats(5), stats(2), stats(3), Stats::default()].into_iter().for_each(|now| reported.update(|| now));
        });
        // Taken once: what was counted goes with it.
        let all = snapshotter.snapshot().into_vec();
        let said = |name: &str| &all.iter().find(|(key, ..)| key.key().name() == name).expect("it is told").3;
        let DebugValue::Counter(delivered) = said("tracklane_destination_delivered_total") else { panic!("a counter") };
        let DebugValue::Gauge(queued) = said("tracklane_destination_queued_events") else { panic!("a gauge") };
        assert_eq!((*delivered, queued.into_inner()), (5 + 2 + 1, 0.0));
    }
}
