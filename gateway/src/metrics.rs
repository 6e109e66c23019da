//! Counts in Prometheus' text format (version 0.0.4).
//!
//! Invariant: for a source, `received = accepted + rejected + refused`, except for events under way.

use std::fmt::Write;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use tracklane_spool::Backlog;

use crate::clock_skew::age;
use crate::jetstream::JetStream;
use crate::state::State;

/// Everything that is counted. Looks at the folders of the log.
pub(crate) fn write(state: &State) -> String {
    let mut page = Page::default();
    page.family("tracklane_gateway_requests_total", "counter", "Requests that were decided, by status.");
    for (status, count) in state.requests.by_status() {
        page.value(&[("status", &status.to_string())], count as f64);
    }
    page.family("tracklane_gateway_request_bytes_total", "counter", "Bytes of their bodies, as they came.");
    page.value(&[], state.requests.bytes() as f64);
    page.family("tracklane_gateway_events_total", "counter", "Events by source and what became of them.");
    for (source, counts) in state.counts() {
        for (outcome, count) in [
            ("received", &counts.received),
            ("accepted", &counts.accepted),
            ("dropped", &counts.dropped),
            ("rejected", &counts.rejected),
            ("refused", &counts.refused),
        ] {
            page.value(&[("source", &source), ("outcome", outcome)], count.load(Relaxed) as f64);
        }
    }
    destinations(state, &mut page);
    if let Some(streams) = state.jetstream() {
        jetstream(streams, &mut page);
    }
    page.family("tracklane_gateway_config_current", "gauge", "1 while the configuration file is in force.");
    page.value(&[], f64::from(u8::from(state.is_current.load(Acquire))));
    page.family("tracklane_gateway_uptime_seconds", "gauge", "Time since the start.");
    page.value(&[], state.started.elapsed().as_secs_f64());
    page.text
}

/// The figure of one destination.
type Figure = fn(&tracklane_spool::SpoolStats) -> u64;

fn destinations(state: &State, page: &mut Page) {
    let live = state.live();
    let figures: [(&str, &str, &str, Figure); 7] = [
        ("stored_total", "counter", "Events that were synced to the disk.", |stats| stats.spooled),
        ("delivered_total", "counter", "Events that the destination has.", |stats| stats.delivered),
        ("skipped_total", "counter", "Events that the destination has no use for.", |stats| stats.skipped),
        ("dead_total", "counter", "Events that the destination refused for good.", |stats| stats.refused),
        ("expired_total", "counter", "Events that waited longer than max_age, and are dead.", |stats| stats.expired),
        ("waiting_events", "gauge", "Events that wait on the disk.", |stats| stats.events),
        ("waiting_bytes", "gauge", "Bytes that they take.", |stats| stats.bytes),
    ];
    for (name, kind, help, figure) in figures {
        page.family(&format!("tracklane_gateway_destination_{name}"), kind, help);
        for (pipeline, running) in &live.pipelines {
            for (destination, stats) in running.stats() {
                page.value(&[("pipeline", pipeline), ("destination", destination)], figure(&stats) as f64);
            }
        }
    }
    page.family("tracklane_gateway_destination_oldest_seconds", "gauge", "How long the oldest event waits.");
    for (pipeline, running) in &live.pipelines {
        for (destination, _) in running.stats() {
            let backlog = Backlog::of(state.layout().spool(pipeline, destination)).unwrap_or_default();
            let oldest = backlog.oldest.map_or(0.0, |written| age(written).as_secs_f64());
            page.value(&[("pipeline", pipeline), ("destination", destination)], oldest);
        }
    }
}

fn jetstream(streams: &JetStream, page: &mut Page) {
    let counts = streams.counts();
    for (name, help, count) in [
        ("events", "Events in messages that JetStream has acknowledged.", &counts.events),
        ("messages", "Messages that it has acknowledged.", &counts.messages),
        ("repeats", "Of those, the ones that it had already.", &counts.repeats),
        ("failures", "Messages that it has not acknowledged, each attempt.", &counts.failures),
    ] {
        page.family(&format!("tracklane_gateway_jetstream_{name}_total"), "counter", help);
        page.value(&[], count.load(Relaxed) as f64);
    }
    let help = "1 while JetStream takes nothing, and events go to this machine's disk.";
    page.family("tracklane_gateway_jetstream_trouble", "gauge", help);
    page.value(&[], f64::from(u8::from(streams.trouble().is_some())));
}

/// A page in the format.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) text: String,
    name: String,
}

impl Page {
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        name.clone_into(&mut self.name);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub(crate) fn value(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(&self.name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            let _ = write!(self.text, "{}{label}=\"{value}\"", if at == 0 { "{" } else { "," });
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_labels_escaped() {
        let mut page = Page::default();
        page.family("a_total", "counter", "As.");
        page.value(&[("destination", "say \"hi\" \\ \n")], 3.0);
        page.value(&[], 0.5);
        let expected = "# HELP a_total As.\n# TYPE a_total counter\n\
                        a_total{destination=\"say \\\"hi\\\" \\\\ \\n\"} 3\na_total 0.5\n";
        assert_eq!(page.text, expected);
    }
}
