//! A destination of your own: its lane gives it batches, retries, splitting and a queue. The destination only returns a
//! verdict for each batch.
//!
//! ```text
//! cargo run --example destination_plugin
//! ```

use std::error::Error;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use tower::Service;
use tracklane::plugin::{Answer, Batch, Batching, Destination, QueueLimits, RetryPolicy, Verdict};
use tracklane::{Analytics, Track, signal};

/// A warehouse that is busy at first, and accepts at most four rows at once.
#[derive(Default)]
struct Warehouse {
    rows: usize,
    warmed_up: bool,
}

impl Service<Batch> for Warehouse {
    type Response = Answer;
    type Error = std::io::Error;
    type Future = Ready<Result<Answer, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        if !std::mem::replace(&mut self.warmed_up, true) {
            // The lane retries after an error, with a backoff.
            return ready(Err(std::io::Error::other("the warehouse is starting")));
        }
        if batch.len() > 4 {
            println!("batch of {}: too large, please split it", batch.len());
            return ready(Ok(Answer::new(Verdict::Split)));
        }
        self.rows += batch.len();
        println!("batch of {} stored, {} rows so far", batch.len(), self.rows);
        ready(Ok(Answer::new(Verdict::Delivered)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let warehouse = Destination::new("warehouse", Warehouse::default())
        .batching(Batching::every(10, Duration::from_millis(200)))
        .retry(RetryPolicy::new().max_retries(3).backoff(Duration::from_millis(50), Duration::from_secs(1)))
        .queue(QueueLimits::new(1_000, 1024 * 1024));

    let analytics =
        Analytics::builder().plugin(warehouse).on(signal::Error, |failure| println!("{failure}")).build()?;
    for order in 0..10 {
        analytics.track(Track::new("Order Completed").user_id(order).property("order_id", order))?;
    }
    analytics.close(Duration::from_secs(10)).await;
    let stats = analytics.stats();
    println!("{} delivered, {} dropped", stats.delivered, stats.dropped.total());
    if stats.dropped.total() == 0 { Ok(()) } else { Err(format!("not delivered: {:?}", stats.dropped).into()) }
}
