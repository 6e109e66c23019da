//! Measures a queue that is never empty: the cost of a call, and of an event, while many wait.
//!
//! The destination takes one event at a time, and only when it has a permit. The caller times a hundred calls, gives a
//! hundred permits, and continues when those events are delivered. So at every call, between the scenario's number of
//! events and a hundred more are waiting.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracklane::Analytics;
use tracklane::plugin::{Batch, Destination, QueueLimits};

use crate::item_purchased::call;
use crate::loopback::meter::Meter;
use crate::loopback::report::ClientReport;
use crate::loopback::scenario::Scenario;
use crate::loopback::timing;

/// Calls from one allowance to the next.
const BLOCK: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds events back.
struct Gate {
    allowed: Semaphore,
    left: Mutex<u64>,
    a_block_left: Condvar,
}

impl Gate {
    async fn pass(self: Arc<Self>) -> Result<(), tokio::sync::AcquireError> {
        self.allowed.acquire().await?.forget();
        let mut left = self.left.lock().expect("no panic");
        *left += 1;
        if left.is_multiple_of(BLOCK) {
            self.a_block_left.notify_one();
        }
        Ok(())
    }

    fn wait_until(&self, events: u64) {
        let left = self.left.lock().expect("no panic");
        drop(self.a_block_left.wait_while(left, |left| *left < events).expect("no panic"));
    }
}

pub(crate) fn run<S>(scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let (allowed, left, a_block_left) = (Semaphore::new(0), Mutex::new(0), Condvar::new());
    let gate = Arc::new(Gate { allowed, left, a_block_left });
    let analytics = client(gate.clone(), scenario.queue)?;
    for number in 0..scenario.waiting {
        analytics.track(call(number))?;
    }
    while analytics.stats().destinations.first().is_none_or(|held| held.accepted < scenario.waiting) {
        thread::sleep(Duration::from_millis(1));
    }
    let mut calls = Vec::with_capacity(scenario.events as usize);
    let meter = Meter::start();
    for block in 0..scenario.events / BLOCK {
        for number in block * BLOCK..(block + 1) * BLOCK {
            let event = call(number);
            calls.push(timing::time_one(|| analytics.track(event).expect("there is room")));
        }
        gate.allowed.add_permits(BLOCK as usize);
        gate.wait_until((block + 1) * BLOCK);
    }
    let report = meter.report();
    gate.allowed.add_permits(scenario.waiting as usize);
    analytics.close_blocking(PATIENCE);
    let ClientReport { p50, p99, p999, .. } = timing::report(calls);
    Ok(ClientReport { p50, p99, p999, ..report })
}

fn client(gate: Arc<Gate>, queue: usize) -> Result<Analytics, Box<dyn Error>> {
    let held = Destination::from_fn("held", move |_: Batch| gate.clone().pass())
        .queue(QueueLimits::new(queue, usize::MAX / 2))
        .max_in_flight(1)
        .attempt_timeout(PATIENCE);
    Ok(Analytics::builder().max_queue_size(queue).max_queue_bytes(usize::MAX / 2).plugin(held).build()?)
}
