//! A client without a thread: it works while somebody awaits it, under any executor.

mod batches;
mod conservation;
mod features;
mod http;
mod time;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::plugin::{Batch, Batching, Destination, Host, Plugin, enrichment_fn, utility};
use tracklane::{Analytics, BoxError, Builder, DropReason, Event, Outcome, signal};

use crate::support::{Arrived, Log, SOON, api, client, quick_retries, recorder, track};

/// A sleep for executors that have no timers: it looks once a millisecond.
fn sleep(time: Duration) -> impl Future<Output = ()> {
    let end = Instant::now() + time;
    poll_fn(move |cx| {
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        thread::sleep(Duration::from_millis(1));
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

fn driven(builder: Builder) -> Analytics {
    builder.driven(sleep).build().unwrap()
}

/// A driven client with one destination, and what that has.
fn with_recorder() -> (Analytics, Arrived) {
    let (destination, arrived) = recorder("r");
    (driven(Analytics::builder().plugin(destination)), arrived)
}

/// A destination that never answers.
fn hanging() -> Destination {
    Destination::from_fn("hangs", |_: Batch| std::future::pending::<Result<(), std::io::Error>>())
}

/// Polls `future` as often, and lets it go.
fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
    }
    None
}

#[test]
fn nothing_runs_between_calls_and_a_flush_works_on_the_task_of_the_caller() {
    let (ran_on, log) = (Log::new(), Log::new());
    let (on, heard) = (ran_on.clone(), log.clone());
    let (destination, arrived) = recorder("r");
    let enrichment = enrichment_fn("where", move |_: &mut Event| on.push(thread::current().id()));
    let settings = Analytics::builder().plugin(destination.batching(Batching::single())).plugin(enrichment);
    let analytics = driven(settings.on(signal::Track, move |_| heard.push(thread::current().id())));
    for number in 0..100 {
        analytics.track(track(&number.to_string())).unwrap();
    }
    thread::sleep(Duration::from_millis(50));
    assert_eq!((arrived.len(), ran_on.len(), log.len()), (0, 0, 0), "nothing has run");
    assert_eq!(analytics.stats().pending, 100);

    let report = pollster::block_on(analytics.flush(SOON));
    assert_eq!((report.delivered, report.is_complete()), (100, true));
    let here = thread::current().id();
    assert!(ran_on.all().iter().chain(&log.all()).all(|thread| *thread == here), "on this thread and no other");
    assert_eq!((ran_on.len(), log.len()), (100, 100));
    assert!(pollster::block_on(analytics.close(SOON)).is_complete());
}

#[test]
fn it_is_used_as_any_other_client_under_tokio_s_current_thread_runtime() {
    let api = api();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let analytics = client(&api).driven(tokio::time::sleep).build().unwrap();
        analytics
            .register(enrichment_fn("e", |event: &mut Event| drop(event.context_mut().insert("x", 1))))
            .await
            .unwrap();
        analytics.track(track("1")).unwrap();
        assert!(analytics.flush(SOON).await.is_complete());
        let one = analytics.send_with_receipt(track("2")).unwrap();
        let other = analytics.send_with_receipt(track("3")).unwrap();
        let (flushed, one, other) = tokio::join!(analytics.flush(SOON), one, other);
        assert!(flushed.is_complete() && one.is_delivered() && other.is_delivered());
        analytics.deregister("e").await.unwrap();
        analytics.send_when_ready(track("4")).await.unwrap();
        assert!(analytics.close(SOON).await.is_complete());
    });
    let events = api.events();
    assert_eq!(events.len(), 4);
    assert_eq!((&events[0]["context"]["x"], &events[3]["context"]["x"]), (&1.into(), &serde_json::Value::Null));
}

#[test]
fn a_receipt_alone_drives_and_so_does_whoever_blocks_for_it() {
    let (analytics, arrived) = with_recorder();
    let receipt = analytics.send_with_receipt(track("1")).unwrap();
    assert!(pollster::block_on(receipt).is_delivered());
    assert!(analytics.send_with_receipt(track("2")).unwrap().wait().is_delivered());
    assert!(analytics.blocking(SOON).track(track("3")).unwrap().is_delivered());
    analytics.track(track("4")).unwrap();
    assert_eq!(analytics.flush_blocking(SOON).delivered, 1);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.names(), ["1", "2", "3", "4"]);
}

#[test]
fn a_flush_keeps_its_deadline_and_what_is_pending_goes_on_with_the_next() {
    let (let_go, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let destination = Destination::from_fn("waits", move |_: Batch| {
        let goes = held.lock().unwrap().try_recv().is_ok();
        async move {
            if !goes {
                std::future::pending::<()>().await;
            }
            Ok::<(), std::io::Error>(())
        }
    });
    let limit = Duration::from_millis(100);
    let analytics = driven(Analytics::builder().plugin(destination.attempt_timeout(limit).retry(quick_retries(100))));
    analytics.track(track("x")).unwrap();
    let start = Instant::now();
    let report = pollster::block_on(analytics.flush(limit / 2));
    assert_eq!((report.pending, report.delivered), (1, 0));
    assert!(start.elapsed() >= limit / 2 && start.elapsed() < SOON / 4, "{:?}", start.elapsed());

    let_go.send(()).unwrap();
    thread::sleep(limit);
    // The attempt that hung has had its time meanwhile, which is noticed now.
    assert_eq!(pollster::block_on(analytics.flush(SOON)).delivered, 1);
    assert_eq!(analytics.stats().attempts, 2);
}

#[test]
fn a_flush_that_is_let_go_half_way_loses_nothing_and_holds_nothing_up() {
    let (destination, arrived) = recorder("r");
    let slow = destination.batching(Batching::every(1_000, Duration::from_secs(3600)));
    let analytics = driven(Analytics::builder().plugin(slow).plugin(hanging()));
    analytics.track(track("1").integration("hangs", false)).unwrap();
    analytics.track(track("2")).unwrap();
    assert!(poll_times(analytics.flush(SOON), 20).is_none(), "one of two destinations hangs");
    assert_eq!(arrived.len(), 2);
    // That flush has ended, so batches wait until they are full again.
    analytics.track(track("3").integration("hangs", false)).unwrap();
    assert!(poll_times(analytics.drive(), 20).is_none());
    assert_eq!(arrived.len(), 2, "nobody flushes");
    let report = pollster::block_on(analytics.close(Duration::from_millis(50)));
    assert_eq!((arrived.len(), report.delivered, report.unsent.len()), (3, 2, 1), "{report:?}");
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.pending), (3, 3, 0));
}

#[test]
fn a_close_hands_back_unloads_and_refuses_calls() {
    let unloads = Arc::new(AtomicU64::new(0));
    let analytics = driven(Analytics::builder().plugin(hanging()).plugin(utility(Counted(unloads.clone()))));
    for number in 0..3 {
        analytics.track(track("x").message_id(number.to_string())).unwrap();
    }
    let start = Instant::now();
    let report = pollster::block_on(analytics.close(Duration::from_millis(50)));
    assert!(start.elapsed() < SOON / 4, "{:?}", start.elapsed());
    let ids: Vec<String> = report.unsent.iter().map(|event| event.message_id().into_owned()).collect();
    assert_eq!((report.pending, ids), (3, vec!["0".to_owned(), "1".to_owned(), "2".to_owned()]));
    assert_eq!(unloads.load(Ordering::SeqCst), 1);
    assert!(analytics.track(track("x")).unwrap_err().is_closed());
    assert_eq!(analytics.stats().dropped.get(DropReason::Closed), 3);
    assert_eq!(pollster::block_on(analytics.close(SOON)).unsent.len(), 0, "handed back once");
    assert!(poll_times(analytics.drive(), 1).is_some(), "there is nothing more to drive");
}

/// Counts how often it is unloaded.
struct Counted(Arc<AtomicU64>);

impl Plugin for Counted {
    fn name(&self) -> &str {
        "counted"
    }

    async fn unload(&self) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_drop_without_a_close_tells_everybody_and_unloads() {
    let (unloads, ends) = (Arc::new(AtomicU64::new(0)), Log::new());
    let log = ends.clone();
    let analytics = driven(Analytics::builder().plugin(hanging()).plugin(utility(Counted(unloads.clone()))));
    let watched = track("x").on_delivery(move |end| log.push(end.outcome));
    let receipt = analytics.send_with_receipt(watched).unwrap();
    assert!(poll_times(analytics.flush(SOON), 20).is_none());
    analytics.track(track("not begun")).unwrap();
    drop(analytics);
    assert_eq!(ends.all(), [Outcome::Dropped(DropReason::Closed)]);
    assert_eq!(poll_times(receipt, 1).unwrap().outcome, Outcome::Dropped(DropReason::Closed));
    assert_eq!(unloads.load(Ordering::SeqCst), 1);
}

#[test]
fn what_a_client_held_is_free_when_its_last_handle_is_gone() {
    let held = Arc::new(());
    for closes in [true, false] {
        let (plugin, listener) = (held.clone(), held.clone());
        let settings = Analytics::builder().plugin(hanging()).plugin(enrichment_fn("e", move |_: &mut Event| {
            let _ = &plugin;
        }));
        let analytics = driven(settings.on(signal::Error, move |_| {
            let _ = &listener;
        }));
        analytics.track(track("x")).unwrap();
        assert!(poll_times(analytics.flush(SOON), 20).is_none());
        if closes {
            pollster::block_on(analytics.close(Duration::from_millis(20)));
        }
        drop(analytics);
        assert_eq!(Arc::strong_count(&held), 1, "after a close: {closes}");
    }
}

#[test]
fn listeners_and_callbacks_run_when_it_is_driven_and_their_panics_stay_there() {
    let (analytics, _arrived) = with_recorder();
    let heard = Log::new();
    let (told, called) = (heard.clone(), heard.clone());
    analytics.on(signal::Flush, move |_| {
        told.push("flush");
        panic!("on purpose: a listener");
    });
    let event = track("x").on_delivery(move |end| {
        called.push(if end.is_delivered() { "delivered" } else { "lost" });
        panic!("on purpose: a callback");
    });
    analytics.track(event).unwrap();
    assert_eq!(heard.len(), 0);
    let report = pollster::block_on(analytics.flush(SOON));
    assert_eq!((report.delivered, report.callbacks), (1, 0));
    assert!(heard.all().contains(&"delivered"), "{:?}", heard.all());
    assert!(analytics.stats().contained_panics >= 1);
    assert!(pollster::block_on(analytics.close(SOON)).is_complete());
}

#[test]
fn a_plugin_that_awaits_its_own_client_hangs_nobody() {
    /// Flushes and registers from within an event.
    struct Asks(Log<u64>);

    impl Plugin for Asks {
        fn name(&self) -> &str {
            "asks"
        }

        async fn load(&self, host: &Host) -> Result<(), BoxError> {
            self.0.push(host.flush(Duration::from_secs(2)).await.pending);
            Ok(())
        }
    }

    let asked = Log::new();
    let (destination, arrived) = recorder("r");
    let analytics = driven(Analytics::builder().plugin(destination.batching(Batching::single())));
    analytics.track(track("before")).unwrap();
    let start = Instant::now();
    pollster::block_on(analytics.register(utility(Asks(asked.clone())))).unwrap();
    assert_eq!(asked.all(), [0], "what came before is delivered by the flush");
    analytics.track(track("after")).unwrap();
    assert!(pollster::block_on(analytics.close(SOON)).is_complete());
    assert_eq!(arrived.names(), ["before", "after"]);
    assert!(start.elapsed() < SOON / 4, "{:?}", start.elapsed());
}

#[test]
fn flushes_at_once_on_several_threads_all_end() {
    let (analytics, arrived) = with_recorder();
    thread::scope(|scope| {
        for thread in 0..4 {
            let analytics = &analytics;
            scope.spawn(move || {
                for number in 0..50 {
                    analytics.track(track(&format!("{thread}/{number}"))).unwrap();
                    assert!(pollster::block_on(analytics.flush(SOON)).is_complete());
                }
            });
        }
    });
    assert_eq!((arrived.len(), analytics.stats().delivered), (200, 200));
}

#[test]
fn another_driver_takes_over_when_the_first_goes() {
    let (analytics, arrived) = with_recorder();
    let mut first = Box::pin(analytics.drive());
    let mut second = Box::pin(analytics.drive());
    let woken = Arc::new(Woken(AtomicU64::new(0)));
    let waker = Waker::from(woken.clone());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let before = woken.0.load(Ordering::SeqCst);
    drop(first);
    assert!(woken.0.load(Ordering::SeqCst) > before, "the second is told");
    analytics.track(track("x")).unwrap();
    let receipt = analytics.send_with_receipt(track("y")).unwrap();
    assert!(pollster::block_on(receipt).is_delivered());
    assert_eq!(arrived.names(), ["x", "y"]);
}

struct Woken(AtomicU64);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_full_queue_is_emptied_by_whoever_waits_for_room() {
    let (destination, arrived) = recorder("r");
    let analytics = driven(Analytics::builder().plugin(destination.batching(Batching::single())).max_queue_size(10));
    pollster::block_on(async {
        for number in 0..100 {
            analytics.send_when_ready(track(&number.to_string())).await.unwrap();
        }
    });
    assert!(arrived.len() >= 90);
    assert!(pollster::block_on(analytics.close(SOON)).is_complete());
    assert_eq!(arrived.len(), 100);
}

#[test]
fn the_pipeline_is_driven_by_hand_as_of_any_other_client() {
    use tower::ServiceExt;

    let (analytics, arrived) = with_recorder();
    pollster::block_on(analytics.pipeline().oneshot(track("x").into())).unwrap();
    assert!(pollster::block_on(analytics.close(SOON)).is_complete());
    assert_eq!(arrived.names(), ["x"]);
}
