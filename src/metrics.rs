//! The counts as metrics of the `metrics` facade, behind the feature `metrics`.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `tracklane_events_accepted_total`, `_refused_total`, `_delivered_total` | counter | none |
//! | `tracklane_events_dropped_total` | counter | `reason` |
//! | `tracklane_events_pending` | gauge | none |
//! | `tracklane_destination_delivered_total`, `_attempts_total`, `_retries_total`, `_bytes_total` | counter | `destination` |
//! | `tracklane_destination_dropped_total` | counter | `destination`, `reason` |
//! | `tracklane_destination_queued_events`, `_queued_bytes` | gauge | `destination` |
//!
//! They are set from a snapshot every so often: an event costs nothing more.

use std::sync::Weak;
use std::time::Duration;

use metrics::{counter, gauge};

use crate::ledger::{DestinationStats, Stats};
use crate::pipeline::Shared;

/// Sets the metrics every `interval`, until the client is gone.
pub(crate) async fn report(shared: Weak<Shared>, interval: Duration) {
    loop {
        let Some(client) = shared.upgrade() else { return };
        record(&client.stats());
        let next = client.clock.now().saturating_add(interval);
        let sleep = client.clock.sleep_until(next);
        drop(client);
        sleep.await;
    }
}

fn record(stats: &Stats) {
    counter!("tracklane_events_accepted_total").absolute(stats.accepted);
    counter!("tracklane_events_refused_total").absolute(stats.refused);
    counter!("tracklane_events_delivered_total").absolute(stats.delivered);
    for (reason, events) in stats.dropped.iter() {
        counter!("tracklane_events_dropped_total", "reason" => reason.as_str()).absolute(events);
    }
    gauge!("tracklane_events_pending").set(stats.pending as f64);
    stats.destinations.iter().for_each(record_destination);
}

fn record_destination(stats: &DestinationStats) {
    let name = stats.name.to_string();
    counter!("tracklane_destination_delivered_total", "destination" => name.clone()).absolute(stats.delivered);
    counter!("tracklane_destination_attempts_total", "destination" => name.clone()).absolute(stats.attempts);
    counter!("tracklane_destination_retries_total", "destination" => name.clone()).absolute(stats.retries);
    counter!("tracklane_destination_bytes_total", "destination" => name.clone()).absolute(stats.bytes);
    for (reason, events) in stats.dropped.iter().filter(|(_, events)| *events > 0) {
        let labels = [("destination", name.clone()), ("reason", reason.as_str().to_owned())];
        counter!("tracklane_destination_dropped_total", &labels).absolute(events);
    }
    gauge!("tracklane_destination_queued_events", "destination" => name.clone()).set(stats.queued_events as f64);
    gauge!("tracklane_destination_queued_bytes", "destination" => name).set(stats.queued_bytes as f64);
}
