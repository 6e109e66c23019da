//! What a run came to.

use std::time::Duration;

use serde_json::{Value, json};

use super::BenchArgs;
use super::machine::Machine;

const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)];

#[derive(Debug, Default)]
pub(super) struct Report {
    /// Events that the host took.
    pub(super) answered: u64,
    /// Events that it did not.
    pub(super) failed: u64,
    pub(super) bytes: u64,
    /// Of each request from when it was due to its answer; of the library, of each call.
    pub(super) latencies: Vec<Duration>,
    pub(super) took: Duration,
}

impl Report {
    pub(super) fn add(&mut self, other: Report) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.bytes += other.bytes;
        self.latencies.extend(other.latencies);
    }

    fn per_second(&self) -> f64 {
        (self.answered as f64 / self.took.as_secs_f64().max(f64::EPSILON)).round()
    }

    /// Each with its name.
    fn percentiles(&self) -> Vec<(&'static str, Duration)> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = |share: f64| sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default();
        PERCENTILES.iter().map(|(name, share)| (*name, at(*share))).collect()
    }

    pub(super) fn to_json(&self, args: &BenchArgs) -> Value {
        let micros = |(name, took): (&str, Duration)| (name.to_owned(), json!(took.as_nanos() as f64 / 1e3));
        json!({
            "schema": 1,
            "events": self.answered,
            "failed": self.failed,
            "eventsPerSecond": self.per_second(),
            "bytes": self.bytes,
            "seconds": self.took.as_secs_f64(),
            "through": through(args),
            "micros": self.percentiles().into_iter().map(micros).collect::<serde_json::Map<_, _>>(),
            "machine": Machine::here(),
        })
    }

    pub(super) fn to_lines(&self, args: &BenchArgs) -> Vec<String> {
        let what = if args.library { "a call" } else { "an answer" };
        let took = self.percentiles().into_iter().map(|(name, took)| format!("{name} {took:.1?}"));
        vec![
            format!(
                "{} events in {:.1?}: {} a second, {} failed",
                self.answered,
                self.took,
                self.per_second(),
                self.failed
            ),
            format!("{what} took {}", took.collect::<Vec<_>>().join(", ")),
            Machine::here().to_string(),
        ]
    }
}

fn through(args: &BenchArgs) -> &'static str {
    if args.library { "library" } else { "connections" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_requests() {
        let mut report = Report { latencies: (1..=99).map(Duration::from_millis).collect(), ..Report::default() };
        report.add(Report { latencies: vec![Duration::from_secs(5)], answered: 7, ..Report::default() });
        let shown = report.percentiles().into_iter().map(|(_, took)| took.as_millis()).collect::<Vec<_>>();
        assert_eq!((shown, report.answered), (vec![51, 90, 99, 5_000], 7));
        assert_eq!(Report::default().percentiles()[0].1, Duration::ZERO);
    }
}
