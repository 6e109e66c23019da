//! While the disk cannot be written, events go to the destination from memory.

use tracklane::plugin::{Answer, Batching, Verdict};
use tracklane::{DropReason, Outcome};

use super::*;

/// A spool whose disk is full while it is told so.
fn spool_on_full_disk(directory: &Directory) -> (Spool, Arc<AtomicBool>) {
    let full = Arc::new(AtomicBool::new(true));
    let is_full = full.clone();
    let spool = Spool::new(&directory.0).fault(Arc::new(move |path| {
        if is_full.load(Ordering::Acquire) && is_written(path) {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }));
    (spool, full)
}

#[test]
fn a_full_disk_degrades_to_memory() {
    let (directory, sink, said) = (Directory::new("full"), Sink::default(), Said::default());
    let (spool, full) = spool_on_full_disk(&directory);
    sink.up.store(true, Ordering::Release);
    let analytics = said.by(settings(&spool, sink.destination())).build().unwrap();

    // Full, and the destination is up: acknowledged when the destination has them.
    for receipts in [deliver(&analytics, 0..10), deliver(&analytics, 10..20)] {
        acknowledged(receipts);
    }
    assert_eq!(sink.ids().len(), 20);
    let stats = spool.stats();
    assert_eq!((stats.in_memory, stats.spooled, stats.files), (20, 0, 0));
    wait_until("the episode is reported", || !said.messages().is_empty());
    let messages = said.messages();
    assert!(
        messages.len() == 1 && messages[0].contains("memory") && messages[0].contains("cannot be written"),
        "{messages:?}"
    );

    // Full, and the destination is down: nothing is acknowledged, nothing is lost, and the disk is tried again.
    sink.up.store(false, Ordering::Release);
    let before = sink.attempts();
    let receipts = deliver(&analytics, 20..30);
    wait_until("the destination was tried", || sink.attempts() > before);
    assert_eq!(spool.stats().spooled, 0);
    full.store(false, Ordering::Release);
    acknowledged(receipts);
    assert_eq!(spool.stats().spooled, 10, "on the disk after all");

    sink.up.store(true, Ordering::Release);
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sink.ids(), ids(0..30));
}

/// A destination that takes events with even numbers, and refuses a batch that has another. Once it has taken one, its
/// batches are split.
fn picky(sink: &Sink) -> Destination {
    let sink = sink.clone();
    Destination::from_fn("picky", move |batch: Batch| {
        let ids: Vec<String> = batch.messages().map(|message| message.message_id().into_owned()).collect();
        sink.attempts.fetch_add(1, Ordering::AcqRel);
        let refused = ids.iter().any(|id| id.ends_with(['1', '3', '5', '7', '9']));
        let answer = match (sink.up.load(Ordering::Acquire), refused) {
            (false, _) => Answer::new(Verdict::Retry),
            (true, true) => Answer::new(Verdict::SplitIfProven),
            (true, false) => {
                sink.got.lock().unwrap().extend(ids);
                Answer::new(Verdict::Delivered)
            }
        };
        async move { Ok::<_, io::Error>(answer) }
    })
    .batching(Batching::every(8, Duration::from_millis(20)))
    .retry(RetryPolicy::new().max_retries(0))
}

/// Whether each was delivered; the others were rejected.
fn outcomes(receipts: Vec<Receipt>) -> Vec<bool> {
    let outcome = |receipt: Receipt| match receipt.wait().outcome {
        Outcome::Delivered => true,
        Outcome::Dropped(reason) => {
            assert_eq!(reason, DropReason::Rejected);
            false
        }
    };
    receipts.into_iter().map(outcome).collect()
}

#[test]
fn from_memory_each_event_ends_as_the_destination_says() {
    let (directory, sink) = (Directory::new("picky"), Sink::default());
    let (spool, _) = spool_on_full_disk(&directory);
    sink.up.store(true, Ordering::Release);
    let analytics = settings(&spool.clone().flush_at(8), picky(&sink)).build().unwrap();
    assert_eq!(outcomes(deliver(&analytics, 0..1)), [true], "it has worked");
    assert_eq!(outcomes(deliver(&analytics, 10..18)), [true, false, true, false, true, false, true, false]);
    assert_eq!(sink.ids(), ["m00", "m10", "m12", "m14", "m16"], "each once");
    assert_eq!((spool.stats().in_memory, spool.stats().spooled), (9, 0));
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.dropped.get(DropReason::Rejected)), (9, 5, 4));
    assert_eq!(analytics.close_blocking(SOON).failed, 4);
}

#[test]
fn what_was_refused_from_memory_is_not_called_delivered_when_the_rest_is_written() {
    let (directory, sink) = (Directory::new("picky-later"), Sink::default());
    let (spool, full) = spool_on_full_disk(&directory);
    let invalid_then_down = {
        let sink = sink.clone();
        Destination::from_fn("picky", move |batch: Batch| {
            sink.attempts.fetch_add(1, Ordering::AcqRel);
            let refused = batch.messages().any(|message| message.message_id() == "m01");
            async move { Ok::<_, io::Error>(Answer::new(if refused { Verdict::Reject } else { Verdict::Retry })) }
        })
        .batching(Batching::single())
        .retry(RetryPolicy::new().max_retries(0))
    };
    let analytics = settings(&spool.clone().flush_at(3), invalid_then_down).build().unwrap();
    let receipts = deliver(&analytics, 0..3);
    wait_until("each was tried", || sink.attempts() >= 3);
    full.store(false, Ordering::Release);
    assert_eq!(outcomes(receipts), [true, false, true]);
    assert_eq!((spool.stats().spooled, spool.stats().events), (2, 2), "two are on the disk");
    analytics.close_blocking(SOON);
}
