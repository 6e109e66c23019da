//! The counts of all clients of a process, and how they reach a recorder.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::ledger::{DestinationStats, Drops, Stats};

/// The sums over the clients of a process.
#[derive(Default)]
pub(super) struct Totals(Mutex<ProcessCounts>);

#[derive(Clone, Default)]
struct ProcessCounts {
    /// Grows with every change.
    version: u64,
    accepted: u64,
    refused: u64,
    delivered: u64,
    dropped: Drops,
    pending: u64,
    /// By name.
    destinations: BTreeMap<String, DestinationCounts>,
}

#[derive(Clone, Default)]
struct DestinationCounts {
    delivered: u64,
    attempts: u64,
    retries: u64,
    bytes: u64,
    dropped: Drops,
    queued_events: u64,
    queued_bytes: u64,
}

static OF_PROCESS: LazyLock<Totals> = LazyLock::new(Totals::default);

impl Totals {
    pub(super) fn of_process() -> &'static Self {
        &OF_PROCESS
    }

    /// Adds what one client has counted since `before`.
    pub(super) fn change(&self, before: &Stats, now: &Stats) {
        let mut counted = self.counted();
        counted.version += 1;
        counted.accepted += now.accepted - before.accepted;
        counted.refused += now.refused - before.refused;
        counted.delivered += now.delivered - before.delivered;
        add(&mut counted.dropped, &now.dropped, &before.dropped);
        counted.pending = counted.pending + now.pending - before.pending;
        for ended in &before.destinations {
            if !now.destinations.iter().any(|later| continues(ended, later)) {
                counted.destination(ended).nothing_waits(ended);
            }
        }
        for destination in &now.destinations {
            let before = before.destinations.iter().find(|known| continues(known, destination));
            counted.destination(destination).change(before, destination);
        }
    }

    /// Reports the current counts to the recorder. It is called without a lock, so another thread may report older
    /// counts at the same time. A thread that finds newer counts afterwards reports those, so the last report is the
    /// newest.
    pub(super) fn tell(&self) {
        loop {
            let counted = self.counted().clone();
            counted.tell();
            if self.counted().version == counted.version {
                return;
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, ProcessCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProcessCounts {
    fn destination(&mut self, of: &DestinationStats) -> &mut DestinationCounts {
        self.destinations.entry(of.name.to_string()).or_default()
    }

    /// Accepted events first, so that whoever reads meanwhile sees no more delivered than accepted.
    fn tell(&self) {
        describe();
        counter!("tracklane_events_accepted_total").absolute(self.accepted);
        counter!("tracklane_events_refused_total").absolute(self.refused);
        counter!("tracklane_events_delivered_total").absolute(self.delivered);
        tell_dropped("tracklane_events_dropped_total", &[], &self.dropped);
        gauge!("tracklane_events_pending").set(self.pending as f64);
        for (name, destination) in &self.destinations {
            destination.tell(&[Label::new("destination", name.clone())]);
        }
    }
}

impl DestinationCounts {
    fn change(&mut self, before: Option<&DestinationStats>, now: &DestinationStats) {
        let change = |of: fn(&DestinationStats) -> u64| of(now) - before.map_or(0, of);
        self.delivered += change(|stats| stats.delivered);
        self.attempts += change(|stats| stats.attempts);
        self.retries += change(|stats| stats.retries);
        self.bytes += change(|stats| stats.bytes);
        add(&mut self.dropped, &now.dropped, &before.map(|stats| stats.dropped).unwrap_or_default());
        if let Some(before) = before {
            self.nothing_waits(before);
        }
        self.queued_events += now.queued_events;
        self.queued_bytes += now.queued_bytes;
    }

    /// Subtracts what was pending `before`.
    fn nothing_waits(&mut self, before: &DestinationStats) {
        self.queued_events -= before.queued_events;
        self.queued_bytes -= before.queued_bytes;
    }

    fn tell(&self, labels: &[Label]) {
        let labelled = || labels.to_vec();
        // Attempts before their results, as for the whole.
        counter!("tracklane_destination_attempts_total", labelled()).absolute(self.attempts);
        counter!("tracklane_destination_retries_total", labelled()).absolute(self.retries);
        counter!("tracklane_destination_bytes_total", labelled()).absolute(self.bytes);
        counter!("tracklane_destination_delivered_total", labelled()).absolute(self.delivered);
        tell_dropped("tracklane_destination_dropped_total", labels, &self.dropped);
        gauge!("tracklane_destination_queued_events", labelled()).set(self.queued_events as f64);
        gauge!("tracklane_destination_queued_bytes", labelled()).set(self.queued_bytes as f64);
    }
}

/// Describes each metric. Repeated for each report, because a recorder may be installed at any time.
fn describe() {
    describe_counter!("tracklane_events_accepted_total", Unit::Count, "Events that calls have handed over");
    describe_counter!("tracklane_events_refused_total", Unit::Count, "Calls that were refused with an error");
    describe_counter!("tracklane_events_delivered_total", Unit::Count, "Events that at least one destination has");
    describe_counter!("tracklane_events_dropped_total", Unit::Count, "Events that no destination got, by reason");
    describe_gauge!("tracklane_events_pending", Unit::Count, "Events that are under way");
    describe_counter!("tracklane_destination_attempts_total", Unit::Count, "Attempts to deliver a batch");
    describe_counter!("tracklane_destination_retries_total", Unit::Count, "Attempts after the first of a batch");
    describe_counter!("tracklane_destination_bytes_total", Unit::Bytes, "Bytes of events in all attempts");
    describe_counter!("tracklane_destination_delivered_total", Unit::Count, "Events that the destination has");
    describe_counter!("tracklane_destination_dropped_total", Unit::Count, "Events that it did not get, by reason");
    describe_gauge!("tracklane_destination_queued_events", Unit::Count, "Events that wait for the destination");
    describe_gauge!("tracklane_destination_queued_bytes", Unit::Bytes, "Bytes of events that wait for the destination");
}

/// Returns whether the counts are later ones of the same registration. Lower counts mean that it was registered again.
fn continues(before: &DestinationStats, now: &DestinationStats) -> bool {
    let counts = |of: &DestinationStats| [of.delivered, of.attempts, of.retries, of.bytes];
    before.name == now.name
        && std::iter::zip(counts(before), counts(now)).all(|(before, now)| before <= now)
        && now.dropped.iter().all(|(reason, events)| before.dropped.get(reason) <= events)
}

fn add(sum: &mut Drops, now: &Drops, before: &Drops) {
    now.iter().for_each(|(reason, events)| sum.add(reason, events - before.get(reason)));
}

fn tell_dropped(name: &'static str, labels: &[Label], dropped: &Drops) {
    for (reason, events) in dropped.iter() {
        let labels: Vec<Label> = labels.iter().cloned().chain([Label::new("reason", reason.as_str())]).collect();
        counter!(name, labels).absolute(events);
    }
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    /// Returns the counts of a client whose destination has delivered so many events one by one, while one waits.
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
        Stats { accepted: delivered + 1, delivered, pending: 1, destinations: vec![destination], ..Stats::default() }
    }

    /// Returns the value that a new recorder gets.
    fn told(totals: &Totals, name: &str) -> f64 {
        let recorder = DebuggingRecorder::new();
        metrics::with_local_recorder(&recorder, || totals.tell());
        let all = recorder.snapshotter().snapshot().into_vec();
        let undescribed = all.iter().find(|(_, unit, description, _)| unit.is_none() || description.is_none());
        assert!(undescribed.is_none(), "{undescribed:?}");
        match &all.iter().find(|(key, ..)| key.key().name() == name).expect("it is told").3 {
            DebugValue::Counter(value) => *value as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(_) => panic!("there are none"),
        }
    }

    #[test]
    fn a_destination_that_is_registered_again_begins_anew_and_leaves_nothing_waiting() {
        let totals = Totals::default();
        let none = Stats { accepted: 4, delivered: 3, ..Stats::default() };
        let history = [Stats::default(), stats(3), Stats { accepted: 4, delivered: 3, ..stats(2) }, none];
        history.windows(2).for_each(|pair| totals.change(&pair[0], &pair[1]));
        assert_eq!(told(&totals, "tracklane_destination_delivered_total"), 5.0);
        assert_eq!(told(&totals, "tracklane_destination_queued_events"), 0.0);
    }

    #[test]
    fn a_recorder_that_comes_late_or_has_forgotten_is_told_all_and_nothing_is_negative() {
        let totals = Totals::default();
        totals.change(&Stats::default(), &stats(5));
        // No recorder was there so far.
        totals.change(&stats(5), &Stats { accepted: 6, delivered: 6, ..Stats::default() });
        for _ in 0..2 {
            assert_eq!(told(&totals, "tracklane_events_accepted_total"), 6.0);
            assert_eq!(told(&totals, "tracklane_events_delivered_total"), 6.0);
            assert_eq!(told(&totals, "tracklane_events_pending"), 0.0);
        }
    }

    #[test]
    fn clients_add_up_and_one_that_has_ended_leaves_its_counts() {
        let totals = Totals::default();
        let (one, other) = (stats(5), stats(7));
        totals.change(&Stats::default(), &one);
        totals.change(&Stats::default(), &other);
        assert_eq!(told(&totals, "tracklane_events_pending"), 2.0);
        totals.change(&one, &Stats { pending: 0, destinations: Vec::new(), ..one.clone() });
        assert_eq!(told(&totals, "tracklane_events_pending"), 1.0);
        assert_eq!(told(&totals, "tracklane_events_delivered_total"), 12.0);
        assert_eq!(told(&totals, "tracklane_destination_queued_events"), 1.0);
    }
}
