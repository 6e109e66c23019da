//! Sends as many events as the argument says to a destination that does nothing, each built before its call.

use std::error::Error;
use std::io;
use std::time::Duration;

use tracklane::Analytics;
use tracklane::plugin::{Batch, Batching, Destination, QueueLimits};

#[path = "../item_purchased/mod.rs"]
mod item_purchased;

/// More than any run needs.
const BYTES: usize = usize::MAX / 2;

fn main() -> Result<(), Box<dyn Error>> {
    let events: u64 = std::env::args().nth(1).ok_or("usage: instructions EVENTS")?.parse()?;
    let room = usize::try_from(events)?;
    let nothing = |_: Batch| async { Ok::<_, io::Error>(()) };
    let destination = Destination::from_fn("nothing", nothing)
        .batching(Batching::every(100, Duration::from_secs(10)))
        .queue(QueueLimits::new(room, BYTES));
    let analytics = Analytics::builder().max_queue_size(room).max_queue_bytes(BYTES).plugin(destination).build()?;
    for call in (0..events).map(item_purchased::call) {
        analytics.track(call)?;
    }
    let flushed = analytics.flush_blocking(Duration::from_secs(60));
    if !flushed.is_complete() {
        return Err(format!("not everything was delivered: {flushed:?}").into());
    }
    Ok(())
}
