//! The client process with this crate: sends the events, and reports what they cost.

use std::error::Error;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Batching, Destination, QueueLimits};
use tracklane::segment::Segment;
use tracklane::{Analytics, Event, Track};

use super::meter::Meter;
use super::quiet;
use super::report::ClientReport;
use super::scenario::Scenario;
use super::timing;
use crate::item_purchased;

const PATIENCE: Duration = Duration::from_secs(120);
/// The time that a refused caller waits before the next attempt.
const AGAIN: Duration = Duration::from_micros(200);

pub(crate) fn segment<S>(url: &str, scenario: &Scenario<S>) -> Result<Analytics, Box<dyn Error>> {
    let segment = Segment::new("WRITE_KEY").host(url).flush_at(scenario.flush_at);
    let segment = segment.max_in_flight(scenario.in_flight).gzip(scenario.gzip);
    let settings = Analytics::builder().segment(segment).max_queue_size(scenario.queue);
    Ok(settings.max_queue_bytes(usize::MAX / 2).build()?)
}

pub(crate) fn no_network<S>(scenario: &Scenario<S>) -> Result<Analytics, Box<dyn Error>> {
    let mut settings = Analytics::builder().max_queue_size(scenario.queue).max_queue_bytes(usize::MAX / 2);
    for number in 0..scenario.destinations {
        let nothing = |_: Batch| async { Ok::<_, std::io::Error>(()) };
        let destination = Destination::from_fn(&format!("destination {number}"), nothing)
            .batching(Batching::every(scenario.flush_at, Duration::from_secs(10)))
            .queue(QueueLimits::new(scenario.queue, usize::MAX / 2))
            .max_in_flight(scenario.in_flight);
        settings = settings.plugin(destination);
    }
    Ok(settings.build()?)
}

pub(crate) fn send<S>(analytics: &Analytics, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let meter = Meter::start();
    let (refused, calls) = match scenario.rate {
        None => (at_full_speed(analytics, scenario.events)?, Vec::new()),
        Some(rate) => at_even_distances(analytics, scenario.events, rate)?,
    };
    let flushed = analytics.flush_blocking(PATIENCE);
    let report = meter.report();
    if !flushed.is_complete() {
        return Err(format!("not everything was delivered: {flushed:?}").into());
    }
    let dropped = analytics.stats().dropped.total();
    let ClientReport { p50, p99, p999, .. } = timing::report(calls);
    Ok(ClientReport { refused, dropped, p50, p99, p999, ..report })
}

/// Sends with receipts: waits for each group of `at_once` events before the next.
pub(crate) fn send_with_receipts<S>(
    analytics: &Analytics,
    scenario: &Scenario<S>,
    at_once: usize,
) -> Result<ClientReport, Box<dyn Error>> {
    let meter = Meter::start();
    let mut receipts = Vec::with_capacity(at_once);
    for number in 0..scenario.events {
        receipts.push(analytics.send_with_receipt(item_purchased::call(number))?);
        if receipts.len() < at_once && number + 1 < scenario.events {
            continue;
        }
        for receipt in receipts.drain(..) {
            let settlement = receipt.wait();
            if !settlement.is_delivered() {
                return Err(format!("an event was not delivered: {settlement:?}").into());
            }
        }
    }
    Ok(meter.report())
}

/// Sends few events, with the scenario's number of clients, and reports the cost of their threads.
pub(crate) fn send_quietly<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let clients = (0..scenario.clients).map(|_| segment(url, scenario)).collect::<Result<Vec<_>, _>>()?;
    for client in &clients {
        // The connection is there, and all code has run once.
        client.track(Track::new(item_purchased::NAME).user_id("first"))?;
        client.flush_blocking(PATIENCE);
    }
    let mut next = clients.iter().cycle();
    let report = quiet::run(scenario, item_purchased::call, |event| {
        let client = next.next().expect("it begins again");
        client.track(event).expect("there is room");
    });
    for client in &clients {
        let closed = client.close_blocking(PATIENCE);
        if !closed.is_complete() {
            return Err(format!("not everything was delivered: {closed:?}").into());
        }
    }
    Ok(report)
}

/// Sends few events to a destination that handles each alone, and reports the delay.
pub(crate) fn send_quietly_one_by_one<S>(scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let (arrived, arrivals) = mpsc::channel();
    let takes = move |_: Batch| {
        let _ = arrived.send(Instant::now());
        async { Ok::<_, std::io::Error>(()) }
    };
    let destination = Destination::from_fn("single", takes).batching(Batching::single());
    let destination = destination.max_in_flight(1);
    let analytics = Analytics::builder().plugin(destination).build()?;
    analytics.track(item_purchased::call(0))?;
    arrivals.recv()?;
    let mut sent = Vec::with_capacity(scenario.events as usize);
    let report = quiet::run(scenario, item_purchased::call, |event| {
        sent.push(Instant::now());
        analytics.track(event).expect("there is room");
    });
    analytics.close_blocking(PATIENCE);
    let late =
        sent.into_iter().zip(arrivals.iter()).map(|(sent, arrived)| (arrived - sent).as_nanos() as u64).collect();
    Ok(ClientReport { arrival_p99: timing::report(late).p99, ..report })
}

/// Times each call of `track`. `prepare` makes the input before, and `build` the event from it.
pub(crate) fn time<S, T: Send>(
    analytics: &Analytics,
    scenario: &Scenario<S>,
    prepare: impl Fn(u64) -> T + Sync,
    build: impl Fn(T) -> Track + Sync,
) -> Result<ClientReport, Box<dyn Error>> {
    // The connection is there, and all code has run once.
    analytics.track(Track::new(item_purchased::NAME).user_id("first"))?;
    analytics.flush_blocking(PATIENCE);
    let call = |input| analytics.track(build(input)).expect("there is room");
    let calls = timing::time(scenario, prepare, call);
    let report = analytics.close_blocking(PATIENCE);
    if report.pending > 0 || report.failed > 0 {
        return Err(format!("not everything was delivered: {report:?}").into());
    }
    Ok(timing::report(calls))
}

fn at_full_speed(analytics: &Analytics, events: u64) -> Result<u64, Box<dyn Error>> {
    let mut refused = 0;
    for number in 0..events {
        refused += insist(analytics, item_purchased::call(number))?;
    }
    Ok(refused)
}

/// Tries until the event is accepted. Returns the number of refusals.
fn insist(analytics: &Analytics, event: impl Into<Event>) -> Result<u64, Box<dyn Error>> {
    let (mut event, mut refused) = (event.into(), 0);
    loop {
        match analytics.send(event) {
            Ok(()) => return Ok(refused),
            Err(error) if error.is_queue_full() => event = error.into_event(),
            Err(error) => return Err(error.into()),
        }
        refused += 1;
        thread::sleep(AGAIN);
    }
}

/// Sends events at a rate: sleeps when it is ahead, and times each call with an event that was built before.
fn at_even_distances(analytics: &Analytics, events: u64, rate: u64) -> Result<(u64, Vec<u64>), Box<dyn Error>> {
    let (start, mut refused) = (Instant::now(), 0);
    let mut calls = Vec::with_capacity(events as usize);
    for number in 0..events {
        let event = item_purchased::call(number);
        let due = start + Duration::from_nanos(number * 1_000_000_000 / rate);
        let early = due.saturating_duration_since(Instant::now());
        if early > Duration::from_micros(100) {
            thread::sleep(early);
        }
        let before = Instant::now();
        let outcome = analytics.track(event);
        calls.push(before.elapsed().as_nanos() as u64);
        if let Err(error) = outcome {
            refused += 1 + insist(analytics, error.into_event())?;
        }
    }
    Ok((refused, calls))
}
