//! The library's own client, called by one thread.

use std::thread;
use std::time::{Duration, Instant};

use tracklane::segment::Segment;
use tracklane::{Analytics, Event};

use super::{BenchArgs, EVENT, Report};
use crate::exit::Failure;

/// How often calls that are due are made.
const TICK: Duration = Duration::from_millis(1);
/// How long the end may take.
const CLOSE: Duration = Duration::from_secs(30);

pub(super) fn run(args: &BenchArgs) -> Result<Report, Failure> {
    let segment = Segment::new(args.write_key.as_str()).host(&args.host).flush_at(args.batch as usize);
    let client = Analytics::builder().segment(segment).build().map_err(|error| Failure::usage(error.to_string()))?;
    let mut template: Event =
        serde_json::from_str(&format!("{EVENT}\"}}")).map_err(|error| Failure::cannot_run(error.to_string()))?;
    template.set_timestamp(None::<tracklane::Timestamp>);
    let (begun, mut calls, mut report) = (Instant::now(), 0_u64, Report::default());
    while begun.elapsed() < args.time {
        let due = match args.rate {
            0 => u64::MAX,
            rate => (begun.elapsed().as_secs_f64() * f64::from(rate)) as u64,
        };
        if calls >= due {
            thread::sleep(TICK);
            continue;
        }
        let event = template.clone();
        let called = Instant::now();
        match client.send(event) {
            Ok(()) => {
                calls += 1;
                report.latencies.push(called.elapsed());
            }
            // The queue is full: what has no rate goes as fast as the host takes it.
            Err(_) if args.rate == 0 => thread::sleep(TICK),
            Err(_) => {
                calls += 1;
                report.failed += 1;
            }
        }
    }
    let end = client.close_blocking(CLOSE);
    report.answered = end.delivered;
    report.failed += end.failed + end.pending;
    report.bytes = client.stats().bytes;
    report.took = begun.elapsed();
    Ok(report)
}
