//! Flush, close and drop: what they wait for, their reports, and their deadlines.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, DropReason, FlushReport};

use crate::support::{Log, SOON, api, client, eventually, quick_retries, recorder, segment, track};

const SHORT: Duration = Duration::from_millis(100);
/// The longest time of a deadline of [`SHORT`] on a busy machine.
const KEPT: Duration = Duration::from_secs(5);

fn send(analytics: &Analytics, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        analytics.track(track("x").message_id(id.to_string())).unwrap();
    }
}

fn sorted(mut ids: Vec<String>) -> Vec<u32> {
    let mut ids: Vec<u32> = ids.drain(..).map(|id| id.parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn report(delivered: u64, failed: u64, pending: u64) -> (u64, u64, u64) {
    (delivered, failed, pending)
}

fn of(flush: FlushReport) -> (u64, u64, u64) {
    (flush.delivered, flush.failed, flush.pending)
}

#[test]
fn flush_means_flushed_however_slow_the_server_is() {
    let api = api();
    api.set_default(Reply::ok().delay(SHORT));
    let analytics = Analytics::builder().segment(segment(&api).flush_at(2)).build().unwrap();
    send(&analytics, 0..5);
    assert_eq!(of(analytics.flush_blocking(SOON)), report(5, 0, 0));
    assert_eq!(sorted(api.delivered_ids()), [0, 1, 2, 3, 4]);
    assert_eq!(of(analytics.flush_blocking(SOON)), report(0, 0, 0), "nothing was left");
}

#[test]
fn flush_waits_for_what_is_in_flight_and_for_retries() {
    let api = api();
    api.script([Reply::status(500), Reply::reset(), Reply::status(429), Reply::ok().delay(SHORT)]);
    let analytics = Analytics::builder().segment(segment(&api).flush_at(1).retry(quick_retries(10))).build().unwrap();
    send(&analytics, [1]);
    assert!(!api.wait_for_requests(1, SOON).is_empty());
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert_eq!((api.delivered_ids(), api.request_count()), (vec!["1".to_owned()], 4));
}

#[test]
fn flush_counts_what_failed() {
    let api = api();
    api.script([Reply::status(404)]);
    let analytics = Analytics::builder().segment(segment(&api).flush_at(2).max_in_flight(1)).build().unwrap();
    send(&analytics, 0..3);
    assert_eq!(of(analytics.flush_blocking(SOON)), report(1, 2, 0));
    assert_eq!(analytics.stats().dropped.get(DropReason::Rejected), 2);
}

#[test]
fn an_empty_flush_makes_no_request() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    for _ in 0..3 {
        assert_eq!(of(analytics.flush_blocking(SOON)), report(0, 0, 0));
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((api.request_count(), api.connections()), (0, 0));
}

#[test]
fn a_hundred_flushes_overlap_and_each_waits_for_its_own() {
    let api = api();
    api.set_default(Reply::ok().delay(Duration::from_millis(5)));
    let analytics = client(&api).build().unwrap();
    std::thread::scope(|scope| {
        for number in 0..100 {
            let (analytics, api) = (&analytics, &api);
            scope.spawn(move || {
                send(analytics, [number]);
                assert_eq!(analytics.flush_blocking(SOON).pending, 0);
                assert!(api.delivered_ids().contains(&number.to_string()), "{number} is there");
            });
        }
    });
    assert_eq!(sorted(api.delivered_ids()), (0..100).collect::<Vec<_>>());
}

#[test]
fn flush_keeps_its_deadline_and_loses_nothing_by_it() {
    let api = api();
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    api.reply_with(move |_| {
        let _ = held.lock().unwrap().recv();
        Reply::ok()
    });
    let analytics = client(&api).build().unwrap();
    send(&analytics, 0..3);
    for timeout in [SHORT, Duration::ZERO] {
        let start = Instant::now();
        assert_eq!(of(analytics.flush_blocking(timeout)), report(0, 0, 3));
        assert!(start.elapsed() < timeout + KEPT, "{:?}", start.elapsed());
    }
    drop(release);
    // Events that are delivered between the two lines do not count for this flush.
    assert_eq!(analytics.flush_blocking(Duration::MAX).pending, 0, "an endless deadline is one, too");
    assert_eq!(analytics.stats().delivered, 3);
}

#[test]
fn close_goes_on_retrying() {
    let api = api();
    api.script([Reply::status(500), Reply::status(503), Reply::close()]);
    let analytics = Analytics::builder().segment(segment(&api).retry(quick_retries(10))).build().unwrap();
    send(&analytics, 0..3);
    let closed = analytics.close_blocking(SOON);
    assert_eq!((closed.delivered, closed.failed, closed.pending, closed.unsent.len()), (3, 0, 0, 0));
    assert_eq!((sorted(api.delivered_ids()), api.request_count()), (vec![0, 1, 2], 4));
}

/// Closes a client with events in every state: in flight, between two attempts, waiting.
fn close_unsent(api: &TrackingApi) -> tracklane::CloseReport {
    let analytics = Analytics::builder().segment(segment(api).flush_at(2).max_in_flight(1)).build().unwrap();
    send(&analytics, 0..7);
    assert!(!api.wait_for_requests(1, SOON).is_empty());
    let start = Instant::now();
    let closed = analytics.close_blocking(SHORT);
    assert!(start.elapsed() < KEPT, "{:?}", start.elapsed());
    let stats = analytics.stats();
    assert_eq!((stats.dropped.get(DropReason::Closed), stats.delivered, stats.pending), (7, 0, 0));
    closed
}

#[test]
fn close_keeps_its_deadline_and_hands_back_what_can_be_sent_again() {
    for reply in [Reply::hang(), Reply::status(500)] {
        let silent = api();
        silent.set_default(reply);
        let closed = close_unsent(&silent);
        assert_eq!((closed.delivered, closed.failed, closed.pending), (0, 0, 7));
        let ids: Vec<String> = closed.unsent.iter().map(|event| event.message_id().into_owned()).collect();
        assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6"], "in order");

        let api = api();
        let second = client(&api).build().unwrap();
        for event in closed.unsent {
            second.send(event).unwrap();
        }
        assert!(second.close_blocking(SOON).is_complete());
        assert_eq!(sorted(api.delivered_ids()), [0, 1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn what_is_sent_again_is_the_same_event() {
    let silent = api();
    silent.set_default(Reply::hang());
    let analytics = Analytics::builder()
        .segment(segment(&silent).flush_at(1))
        .context(serde_json::json!({"app": {"name": "a"}}))
        .build()
        .unwrap();
    analytics.track(track("x").property("n", 9_007_199_254_740_993_u64).integration("Vero", false)).unwrap();
    let first = silent.wait_for_requests(1, SOON)[0].events().remove(0);
    let unsent = analytics.close_blocking(SHORT).clone().unsent;

    let api = api();
    let second = client(&api).build().unwrap();
    second.send(unsent.iter().next().unwrap()).unwrap();
    assert!(second.close_blocking(SOON).is_complete());
    assert_eq!(api.events(), [first], "ids, timestamp, context and all");
}

#[test]
fn a_second_close_waits_too_and_finds_nothing_more() {
    let api = api();
    api.set_default(Reply::ok().delay(SHORT));
    let analytics = client(&api).build().unwrap();
    send(&analytics, 0..2);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                assert!(analytics.clone().close_blocking(SOON).is_complete());
                assert_eq!(api.delivered_ids().len(), 2);
            });
        }
    });
    assert_eq!(analytics.close_blocking(SOON).delivered, 2, "what it delivered in all");
    assert_eq!(of(analytics.flush_blocking(SOON)), report(0, 0, 0), "a flush after it ends at once");
}

#[test]
fn dropping_the_last_handle_delivers_what_is_under_way() {
    let api = api();
    api.set_default(Reply::ok().delay(SHORT));
    let analytics = client(&api).build().unwrap();
    let clone = analytics.clone();
    send(&analytics, 0..20);
    drop(analytics);
    send(&clone, 20..25);
    drop(clone);
    assert_eq!(sorted(api.delivered_ids()), (0..25).collect::<Vec<_>>());
}

#[test]
fn dropping_the_last_handle_never_takes_much_longer_than_two_seconds() {
    let api = api();
    api.set_default(Reply::hang());
    let analytics = client(&api).build().unwrap();
    send(&analytics, 0..3);
    let start = Instant::now();
    drop(analytics);
    assert!((Duration::from_secs(2)..KEPT).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn close_hands_back_what_a_slow_plugin_has_not_let_through() {
    let (destination, arrived) = recorder("r");
    let slow = tracklane::plugin::enrichment(Slow(Duration::from_millis(20)));
    let analytics = Analytics::builder().plugin(destination).plugin(slow).build().unwrap();
    send(&analytics, 0..200);
    arrived.wait_for(1);
    let closed = analytics.close_blocking(Duration::ZERO);
    let stats = analytics.stats();
    // One is in the plugin's hands; it is the only one that is neither here nor there.
    assert!(closed.unsent.len() as u64 + stats.pending + stats.delivered >= 200, "{closed:?} {stats:?}");
    assert!(stats.pending <= 1, "{stats:?}");
    eventually("the one in the plugin's hands ends, too", || analytics.stats().pending == 0);
    let stats = analytics.stats();
    assert_eq!(stats.delivered + stats.dropped.get(DropReason::Closed), 200, "{stats:?}");
    let unsent: Vec<u32> = closed.unsent.iter().map(|event| event.message_id().parse().unwrap()).collect();
    assert!(unsent.is_sorted(), "the oldest first: {unsent:?}");
}

/// Lets each event wait.
struct Slow(Duration);

impl tracklane::plugin::Plugin for Slow {
    fn name(&self) -> &str {
        "slow"
    }
}

impl tracklane::plugin::Transform for Slow {
    async fn transform(&self, _: &mut tracklane::Event) -> Result<tracklane::plugin::Flow, tracklane::BoxError> {
        tokio::time::sleep(self.0).await;
        Ok(tracklane::plugin::Flow::Continue)
    }
}

#[test]
fn flush_and_close_keep_their_deadlines_when_callbacks_take_every_thread() {
    let (destination, _) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Arc::new(Mutex::new(held));
    // More than the runtime has threads for code that blocks.
    for _ in 0..600 {
        let held = held.clone();
        analytics
            .track(track("x").on_delivery(move |_| {
                let _ = held.lock().unwrap().recv();
            }))
            .unwrap();
    }
    crate::support::eventually("they are delivered", || analytics.stats().pending == 0);
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert!(analytics.flush(SHORT).await.is_complete());
        assert_eq!(analytics.close(SHORT).await.delivered, 600);
    });
    assert!(start.elapsed() < KEPT, "{:?}", start.elapsed());
    drop(release);
}

#[test]
fn close_waits_until_listeners_have_heard_what_happened() {
    let api = api();
    api.set_default(Reply::status(404));
    let heard = Log::new();
    let log = heard.clone();
    let slow = move |failure: &tracklane::signal::Failure| {
        std::thread::sleep(SHORT);
        log.push(failure.message.clone());
    };
    let analytics = client(&api).on(tracklane::signal::Error, slow).build().unwrap();
    send(&analytics, [1]);
    assert_eq!(analytics.close_blocking(SOON).failed, 1);
    assert_eq!(heard.len(), 1);
}

#[test]
fn a_listener_may_close_the_client_without_waiting_for_itself() {
    let api = api();
    api.set_default(Reply::status(404));
    let analytics = client(&api).build().unwrap();
    let (closing, took) = (analytics.clone(), Log::new());
    let log = took.clone();
    analytics.on(tracklane::signal::Error, move |_| {
        let start = Instant::now();
        closing.close_blocking(SOON);
        log.push(start.elapsed());
    });
    send(&analytics, [1]);
    assert!(took.wait_for(1)[0] < KEPT, "{:?}", took.all());
}

#[test]
fn what_is_asked_for_after_the_close_is_refused_at_once() {
    let (destination, _) = recorder("r");
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::scope(|scope| {
        // A registration gets an answer, before the close or after it.
        let registered: Vec<_> = (0..20)
            .map(|number| {
                let analytics = analytics.clone();
                scope.spawn(move || {
                    let utility = tracklane::plugin::enrichment_fn(&number.to_string(), |_: &mut tracklane::Event| ());
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(analytics.register(utility))
                })
            })
            .collect();
        runtime.block_on(analytics.close(SOON));
        for registered in registered {
            let registered = registered.join().unwrap();
            assert!(matches!(registered, Ok(()) | Err(tracklane::RegisterError::Closed)), "{registered:?}");
        }
    });
    assert!(matches!(runtime.block_on(analytics.deregister("r")), Err(tracklane::RegisterError::Closed)));
}
