//! One batch at a time: batches leave alone and in order, whatever the destination answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracklane::plugin::{Batch, Batching, Destination, RetryPolicy, Verdict};
use tracklane::{Analytics, Track};

/// A destination with the verdicts of `script`. After them it delivers everything.
#[derive(Default)]
struct Scripted {
    script: Mutex<Vec<Verdict>>,
    /// Splits whatever is more than one event.
    splits: bool,
    taken: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Scripted {
    async fn take(self: Arc<Self>, batch: Batch) -> Result<Verdict, std::io::Error> {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        // Another attempt would begin now, if it may.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if self.splits && batch.len() > 1 {
            return Ok(Verdict::Split);
        }
        let mut script = self.script.lock().unwrap();
        let verdict = if script.is_empty() { Verdict::Delivered } else { script.remove(0) };
        if verdict == Verdict::Delivered {
            let names = batch.messages().map(|message| message.event().name().unwrap_or_default().into_owned());
            self.taken.lock().unwrap().extend(names);
        }
        Ok(verdict)
    }
}

#[test]
fn with_one_place_halves_and_retries_keep_the_order() {
    let destination = Arc::new(Scripted::default());
    // Four events: split; the first half fails; it is split; its first event fails. Then all are delivered.
    *destination.script.lock().unwrap() = vec![Verdict::Split, Verdict::Retry, Verdict::Split, Verdict::Retry];
    let service = destination.clone();
    let analytics = Analytics::builder()
        .plugin(
            Destination::from_fn("scripted", move |batch| service.clone().take(batch))
                .batching(Batching::every(4, Duration::from_secs(3600)))
                .retry(RetryPolicy::new().backoff(Duration::from_millis(1), Duration::from_millis(1)))
                .max_in_flight(1),
        )
        .build()
        .unwrap();
    let names: Vec<String> = (0..8).map(|number| format!("event {number}")).collect();
    for name in &names {
        analytics.track(Track::new(name).user_id("u1")).unwrap();
    }
    assert!(analytics.flush_blocking(Duration::from_secs(20)).is_complete());
    assert_eq!(*destination.taken.lock().unwrap(), names);
    assert_eq!(destination.most_under_way.load(Ordering::SeqCst), 1);
}

#[test]
fn halves_of_a_batch_take_no_more_places_than_there_are() {
    // The batch falls into eight single events, of which more than two are due at once.
    let destination = Arc::new(Scripted { splits: true, ..Scripted::default() });
    let service = destination.clone();
    let analytics = Analytics::builder()
        .plugin(
            Destination::from_fn("scripted", move |batch| service.clone().take(batch))
                .batching(Batching::every(8, Duration::from_secs(3600)))
                .max_in_flight(2),
        )
        .build()
        .unwrap();
    for number in 0..8 {
        analytics.track(Track::new(format!("event {number}")).user_id("u1")).unwrap();
    }
    assert!(analytics.flush_blocking(Duration::from_secs(20)).is_complete());
    assert_eq!(destination.taken.lock().unwrap().len(), 8);
    assert_eq!(destination.most_under_way.load(Ordering::SeqCst), 2);
}
