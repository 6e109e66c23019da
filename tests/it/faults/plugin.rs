//! Faults of user code: plugins, destinations, listeners and callbacks that fail, panic, hang or loop.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tower_service::Service;
use tracklane::plugin::{
    After, Batch, Destination, Flow, Host, Plugin, Registration, RetryPolicy, Transform, after, after_fn, before,
    before_fn, enrichment, enrichment_fn, utility,
};
use tracklane::signal::Failure;
use tracklane::testing::ManualClock;
use tracklane::{
    Analytics, BoxError, DropReason, Event, Kind, RefusedBecause, RegisterError, Settlement, Track, signal,
};

use crate::support::{SOON, Trial, eventually, quick};

/// A plugin that breaks where it is told to.
struct Breaks {
    name: String,
    at: &'static str,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Error,
    Panic,
    Hang,
}

impl Breaks {
    fn new(at: &'static str, how: How) -> Self {
        Self { name: format!("{how:?} at {at}"), at, how }
    }

    async fn work(&self, at: &str) -> Result<(), BoxError> {
        match self.how {
            _ if at != self.at => Ok(()),
            How::Error => Err("no".into()),
            How::Panic => panic!("on purpose"),
            How::Hang => std::future::pending().await,
        }
    }
}

impl Plugin for Breaks {
    fn name(&self) -> &str {
        &self.name
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        self.work("load").await
    }

    async fn unload(&self) -> Result<(), BoxError> {
        self.work("unload").await
    }
}

impl Transform for Breaks {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        event.context_mut().insert("half", "done");
        self.work("transform").await.map(|()| Flow::Continue)
    }
}

impl After for Breaks {
    async fn after(&self, _: &tracklane::event::Message, _: &Settlement) -> Result<(), BoxError> {
        self.work("after").await
    }
}

impl Drop for Breaks {
    fn drop(&mut self) {
        assert!(self.at != "drop", "dropped on purpose");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

/// Moves the clock to the limit of a plugin whenever one is waited for, until it is dropped.
struct TimeRunsOut {
    done: Arc<AtomicBool>,
    clockwork: Option<thread::JoinHandle<()>>,
}

impl TimeRunsOut {
    fn on(clock: ManualClock) -> Self {
        let limits = [Duration::from_secs(1), Duration::from_secs(10)];
        let done = Arc::new(AtomicBool::new(false));
        let stop = done.clone();
        let clockwork = thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                if let Some(next) = clock.next_wake().filter(|next| limits.contains(next)) {
                    clock.advance(next);
                }
                thread::yield_now();
            }
        });
        Self { done, clockwork: Some(clockwork) }
    }
}

impl Drop for TimeRunsOut {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        self.clockwork.take().map(thread::JoinHandle::join);
    }
}

/// A trial whose plugin hangs, panics or fails at `at`; the clock runs on by itself. Two events are sent.
#[track_caller]
fn two_events_past(how: How, plugin: Registration) -> (Trial, tracklane::Stats, TimeRunsOut) {
    let clock = ManualClock::new();
    let name = plugin.name().to_owned();
    // Not one of the plugins' limits, which are what the clock runs for.
    let request = Duration::from_secs(600);
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()).http_request_timeout(request).plugin(plugin));
    let time = TimeRunsOut::on(clock);
    trial.send(2);
    trial.flush();
    let stats = trial.assert_books_balance();
    let problem = match how {
        How::Error => "no",
        How::Panic => "panicked: on purpose",
        How::Hang => "did not end within",
    };
    let said = |failure: &Failure| *failure.source == *name && failure.message.contains(problem);
    trial.wait_for_failure(&format!("{name} is blamed"), said);
    (trial, stats, time)
}

const WAYS: [How; 3] = [How::Error, How::Panic, How::Hang];

#[test]
fn a_before_plugin_that_breaks_drops_the_event() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, before(Breaks::new("transform", how)));
        assert_eq!((stats.delivered, stats.dropped.total()), (0, 2), "{how:?}: before fails closed");
        let name = format!("{how:?} at transform");
        block_on(trial.analytics.deregister(&name)).expect("it is registered");
        let ended = trial.survives();
        assert_eq!(ended.stats.dropped.of(DropReason::BeforeFailed), 2, "{how:?}");
    }
}

#[test]
fn an_enrichment_plugin_that_breaks_is_rolled_back() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, enrichment(Breaks::new("transform", how)));
        assert_eq!(stats.delivered, 2, "{how:?}: enrichment fails open");
        block_on(trial.analytics.deregister(&format!("{how:?} at transform"))).expect("it is registered");
        let ended = trial.survives();
        for event in ended.api.events() {
            assert!(event["context"].get("half").is_none(), "{how:?}: what was half done is taken back");
        }
    }
}

#[test]
fn an_after_plugin_that_breaks_changes_nothing() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, after(Breaks::new("after", how)));
        assert_eq!(stats.delivered, 2, "{how:?}");
        block_on(trial.analytics.deregister(&format!("{how:?} at after"))).expect("it is registered");
        trial.survives();
    }
}

#[test]
fn a_plugin_that_does_not_load_is_not_registered() {
    for how in WAYS {
        let (trial, stats, _time) = two_events_past(how, enrichment(Breaks::new("load", how)));
        assert_eq!(stats.delivered, 2, "{how:?}: the client works without it");
        let unknown = block_on(trial.analytics.deregister(&format!("{how:?} at load")));
        assert!(matches!(unknown, Err(RegisterError::Unknown { .. })), "{how:?}: {unknown:?}");
        trial.survives();
    }
}

#[test]
fn a_plugin_that_does_not_unload_is_gone_all_the_same() {
    for how in [How::Error, How::Panic] {
        let mut trial = Trial::with(|settings| settings.plugin(utility(Breaks::new("unload", how))));
        trial.send(1);
        let name = format!("{how:?} at unload");
        let unloaded = block_on(trial.analytics.deregister(&name));
        assert!(matches!(unloaded, Err(RegisterError::Unload { .. })), "{how:?}: {unloaded:?}");
        assert!(matches!(block_on(trial.analytics.deregister(&name)), Err(RegisterError::Unknown { .. })));
        trial.survives();
    }
}

#[test]
fn a_plugin_that_panics_in_its_drop_is_contained() {
    let roles: [fn(Breaks) -> Registration; 4] = [before, enrichment, after, utility];
    for role in roles {
        let mut trial = Trial::with(|settings| settings.plugin(role(Breaks::new("drop", How::Panic))));
        trial.send(1);
        let _ = block_on(trial.analytics.deregister("Panic at drop"));
        // Refused registrations are dropped, too.
        let doubles = [role(Breaks::new("drop", How::Panic)), role(Breaks::new("drop", How::Panic))];
        let [first, second] = doubles.map(|double| block_on(trial.analytics.register(double)));
        assert!(first.is_ok() && matches!(second, Err(RegisterError::Duplicate { .. })));
        trial.survives();
    }
}

#[test]
fn a_plugin_that_keeps_breaking_is_not_called_any_more() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let breaks = move |_: &mut Event| {
        counter.fetch_add(1, Ordering::SeqCst);
        panic!("on purpose")
    };
    let breaks = enrichment_fn("breaks", move |event: &mut Event| -> () { breaks(event) });
    let mut trial = Trial::with(|settings| settings.plugin(breaks));
    trial.send(20);
    assert_eq!(trial.settled(), (20, 0));
    assert_eq!(calls.load(Ordering::SeqCst), 5, "five panics in a row are enough");
    trial.wait_for_failure("quarantine", |failure| failure.message.contains("not called any more"));
    trial.survives();
}

/// What a destination of its own does with each batch, beside Segment.
fn beside_segment(name: &str, work: impl Fn() + Send + Sync + 'static) -> Destination {
    let work = Arc::new(work);
    Destination::from_fn(name, move |_: Batch| {
        let work = work.clone();
        async move {
            work();
            Ok::<(), BoxError>(())
        }
    })
    .retry(quick())
}

#[test]
fn a_destination_that_panics_costs_its_own_batches_only() {
    let calls = AtomicUsize::new(0);
    let panics = beside_segment("panics", move || assert!(calls.fetch_add(1, Ordering::SeqCst) >= 3, "on purpose"));
    let mut trial = Trial::with(|settings| settings.plugin(panics));
    assert_eq!(trial.send_each(5), (5, 0), "Segment has them all");
    let ended = trial.survives();
    let beside = &ended.stats.destinations[1];
    assert_eq!((beside.delivered, beside.dropped.of(DropReason::Panicked)), (3, 3), "it works again after a panic");
    assert!(ended.failures.iter().all(|failure| &*failure.source == "panics"), "{:?}", ended.failures);
}

/// A service that panics in the place that is asked for.
#[derive(Clone)]
struct Explosive {
    at: &'static str,
    left: Arc<AtomicUsize>,
}

impl Explosive {
    fn explode(&self, at: &str) {
        let less = |left: usize| left.checked_sub(1);
        if at == self.at && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            panic!("on purpose in {at}");
        }
    }
}

struct ExplodesInDrop(Explosive);

impl Drop for ExplodesInDrop {
    fn drop(&mut self) {
        self.0.explode("drop of the future");
    }
}

impl Service<Batch> for Explosive {
    type Response = ();
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.explode("poll_ready");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        self.explode("call");
        let held = ExplodesInDrop(self.clone());
        Box::pin(async move {
            held.0.explode("the future");
            Ok(())
        })
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        self.explode("drop");
    }
}

#[test]
fn a_panic_in_any_part_of_a_destination_stays_in_its_lane() {
    for at in ["poll_ready", "call", "the future", "drop of the future", "drop"] {
        let left = Arc::new(AtomicUsize::new(1));
        let explosive = move || Explosive { at, left: left.clone() };
        let destination = Destination::rebuildable("explosive", explosive).retry(quick());
        let mut trial = Trial::with(|settings| settings.plugin(destination));
        assert_eq!(trial.send_each(4), (4, 0), "{at}");
        let beside = &trial.assert_books_balance().destinations[1];
        assert!(beside.delivered >= 3, "{at}: it works again: {beside:?}");
        block_on(trial.analytics.deregister("explosive")).expect("it is registered");
        trial.survives();
    }
}

/// Dead after as many batches as it has lives for.
struct Mortal(usize);

impl Service<Batch> for Mortal {
    type Response = ();
    type Error = BoxError;
    type Future = std::future::Ready<Result<(), BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(if self.0 == 0 { Err("dead".into()) } else { Ok(()) })
    }

    fn call(&mut self, _: Batch) -> Self::Future {
        self.0 -= 1;
        std::future::ready(Ok(()))
    }
}

#[test]
fn a_dead_service_is_made_again() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let make = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Mortal(2)
    };
    let mortal = Destination::rebuildable("mortal", make).retry(quick()).in_flight(NonZeroUsize::MIN);
    let mut trial = Trial::with(|settings| settings.plugin(mortal));
    trial.send_each(20);
    trial.wait_for_failure("the death", |failure| failure.message.contains("dead; it is made again"));
    let ended = trial.survives();
    assert_eq!(ended.stats.destinations[1].delivered, 21, "what the dead one did not take, the next one does");
    assert_eq!(made.load(Ordering::SeqCst), 11);
}

#[test]
fn a_service_that_dies_again_and_again_is_given_up() {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let make = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Mortal(0)
    };
    let mut trial = Trial::with(|settings| settings.plugin(Destination::rebuildable("stillborn", make).retry(quick())));
    assert_eq!(trial.send_each(3), (3, 0), "Segment is not concerned");
    let failure = trial.wait_for_failure("the end", |failure| failure.dropped == Some(DropReason::Unavailable));
    assert!(failure.message.contains("can take no more events: dead"), "{failure}");
    let ended = trial.survives();
    assert_eq!(made.load(Ordering::SeqCst), 5);
    assert_eq!(ended.stats.destinations[1].dropped.of(DropReason::Unavailable), 4);
}

#[test]
fn a_dead_service_that_cannot_be_made_again_is_given_up() {
    let mut trial = Trial::with(|settings| settings.plugin(Destination::new("mortal", Mortal(1))));
    assert_eq!(trial.send_each(3), (3, 0));
    let ended = trial.survives();
    let mortal = &ended.stats.destinations[1];
    assert_eq!((mortal.delivered, mortal.dropped.of(DropReason::Unavailable)), (1, 3));
}

#[test]
fn a_destination_that_hangs_holds_up_nobody() {
    let hangs = Destination::from_fn("hangs", |_: Batch| std::future::pending::<Result<(), BoxError>>());
    let mut trial = Trial::with(|settings| settings.plugin(hangs.attempt_timeout(SOON)));
    trial.send(3);
    trial.api.wait_for_events(3, SOON);
    let report = trial.flush_within(Duration::from_millis(50));
    assert_eq!(report.pending, 3, "the flush ends in time and says what is left");
    let closed = trial.analytics.close_blocking(Duration::from_millis(50));
    assert_eq!((closed.pending, closed.unsent.len()), (3, 3));
    let ended = trial.ends();
    assert_eq!(ended.stats.destinations[0].delivered, 3, "Segment has them");
    assert_eq!(ended.stats.destinations[1].dropped.of(DropReason::Closed), 3);
}

#[test]
fn an_attempt_that_hangs_is_cut_and_tried_again() {
    let (clock, calls) = (ManualClock::new(), AtomicUsize::new(0));
    let first_hangs = Destination::from_fn("first hangs", move |_: Batch| {
        let hangs = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if hangs { std::future::pending().await } else { Ok::<(), BoxError>(()) } }
    });
    let limit = Duration::from_secs(33);
    let first_hangs = first_hangs.attempt_timeout(limit).retry(quick());
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()).plugin(first_hangs));
    trial.send(1);
    // Segment's attempt must be over: it has a limit on the same clock.
    eventually("Segment has it", || {
        trial.assert_books_balance().destinations.first().is_some_and(|segment| segment.delivered == 1)
    });
    assert!(clock.wait_for_sleeper(limit..=limit));
    clock.advance(limit);
    eventually("the next attempt succeeds", || {
        clock.advance(Duration::from_millis(4));
        trial.assert_books_balance().delivered == 1
    });
    assert_eq!(trial.survives().stats.destinations[1].delivered, 2);
}

#[test]
fn a_plugin_that_blocks_the_thread_delays_events_and_no_caller() {
    let (release, blocked) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (inner, inner_blocked) = (release.clone(), blocked.clone());
    let first = AtomicBool::new(true);
    let blocks = enrichment_fn("blocks", move |_: &mut Event| {
        if first.swap(false, Ordering::SeqCst) {
            inner_blocked.wait();
            inner.wait();
        }
    });
    let mut trial = Trial::with(|settings| settings.plugin(blocks));
    trial.send(1);
    blocked.wait();
    trial.send(100);
    let report = trial.flush_within(Duration::from_millis(50));
    assert_eq!(report.pending, 101, "no call blocks, and a flush ends in time");
    release.wait();
    assert_eq!(trial.settled(), (101, 0));
    trial.survives();
}

#[test]
fn listeners_that_panic_hang_or_send_do_not_disturb_delivery() {
    let mut trial = Trial::new();
    let heard = Arc::new(AtomicUsize::new(0));
    let (counter, (release, hung)) = (heard.clone(), mpsc::channel::<()>());
    let hung = std::sync::Mutex::new(hung);
    trial.analytics.on(signal::Flush, |_| panic!("on purpose"));
    let slow = trial.analytics.on(signal::HttpRequest, move |_| assert!(hung.lock().expect("alone").recv().is_err()));
    trial.analytics.on(signal::Flush, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(trial.send_each(1100), (1100, 0));
    eventually("the others are still called", || heard.load(Ordering::SeqCst) + 100 >= 1100);
    assert!(slow.missed() > 0, "a listener that hangs loses signals of its own, which are counted");
    drop(release);
    let ended = trial.survives();
    assert_eq!(ended.api.request_count(), 1101, "nothing is sent twice");
    assert_eq!(ended.failures.len(), 0, "no false alarm");
}

#[test]
fn a_callback_that_panics_is_contained() {
    let trial = Trial::new();
    let event = Track::new("Fault 999999").user_id("u").on_delivery(|_| panic!("on purpose"));
    trial.analytics.track(event).expect("accepted");
    assert_eq!(trial.settled(), (1, 0));
    trial.api.clear();
    trial.survives();
}

/// Where the client is put once there is one, for user code that sends events itself.
type Place = Arc<OnceLock<Analytics>>;

/// Sends another event, if the client is there. Counts the loops that were cut.
fn send_again(place: &Place, cut: &AtomicUsize) {
    let Some(analytics) = place.get() else { return };
    if let Err(refused) = analytics.track(Track::new("Again").user_id("u1")) {
        assert_eq!(*refused.because(), RefusedBecause::Loop);
        cut.fetch_add(1, Ordering::SeqCst);
    }
}

/// Registers user code that answers every event with another one, and checks that it ends.
#[track_caller]
fn is_cut(how: &str, register: impl FnOnce(&Analytics, Place, Arc<AtomicUsize>)) {
    let (place, cut) = (Place::default(), Arc::new(AtomicUsize::new(0)));
    let trial = Trial::new();
    register(&trial.analytics, place.clone(), cut.clone());
    assert!(place.set(trial.analytics.clone()).is_ok());
    trial.analytics.track(Track::new("Once").user_id("u1")).expect("accepted");
    eventually(how, || cut.load(Ordering::SeqCst) == 1);
    trial.flush();
    let stats = trial.assert_books_balance();
    assert_eq!((stats.accepted, stats.refused), (8, 1), "{how}: one led to seven, and the eighth was refused");
    trial.wait_for_failure("the loop is reported", |failure| failure.message.contains("because of its own events"));
    trial.analytics.close_blocking(SOON);
}

#[test]
fn a_loop_of_events_is_cut() {
    let listens = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::Track, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of calls", listens);
    let flushes = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::Flush, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of batches", flushes);
    let requests = |analytics: &Analytics, place, cut: Arc<AtomicUsize>| {
        analytics.on(signal::HttpRequest, move |_| send_again(&place, &cut));
    };
    is_cut("a listener of requests", requests);
    is_cut("an after plugin", |analytics, place, cut| {
        block_on(analytics.register(after_fn("again", move |_, _| send_again(&place, &cut)))).expect("a new name");
    });
    is_cut("a before plugin", |analytics, place, cut| {
        let again = before_fn("again", move |_: &mut Event| send_again(&place, &cut));
        block_on(analytics.register(again)).expect("a new name");
    });
    is_cut("an enrichment plugin", |analytics, place, cut| {
        let again = enrichment_fn("again", move |_: &mut Event| send_again(&place, &cut)).only([Kind::Track]);
        block_on(analytics.register(again)).expect("a new name");
    });
    is_cut("a destination", |analytics, place, cut| {
        let again = beside_segment("again", move || send_again(&place, &cut));
        block_on(analytics.register(again)).expect("a new name");
    });
}

#[test]
fn a_callback_that_sends_with_a_callback_is_cut() {
    fn send(place: Place, cut: Arc<AtomicUsize>) {
        let Some(analytics) = place.get().cloned() else { return };
        let counter = cut.clone();
        let again = Track::new("Again").user_id("u1").on_delivery(move |_| send(place, cut));
        if analytics.track(again).is_err_and(|refused| *refused.because() == RefusedBecause::Loop) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
    let trial = Trial::new();
    let (place, cut) = (Place::default(), Arc::new(AtomicUsize::new(0)));
    assert!(place.set(trial.analytics.clone()).is_ok());
    send(place, cut.clone());
    eventually("the loop is cut", || cut.load(Ordering::SeqCst) == 1);
    assert_eq!(trial.assert_books_balance().accepted, 8);
    trial.analytics.close_blocking(SOON);
}

#[test]
fn plugins_come_and_go_under_load() {
    let mut trial = Trial::with(|settings| settings.flush_at(50).max_in_flight(4)).unordered();
    let stop = Arc::new(AtomicBool::new(false));
    let registrars: Vec<_> = (0..4)
        .map(|thread| {
            let (analytics, stop) = (trial.analytics.clone(), stop.clone());
            thread::spawn(move || {
                let (name, mut rounds) = (format!("plugin {thread}"), 0_u32);
                while !stop.load(Ordering::SeqCst) || rounds < 10 {
                    let registration: Registration = match thread {
                        0 => enrichment_fn(&name, |_: &mut Event| ()),
                        1 => before_fn(&name, |_: &mut Event| ()),
                        2 => after_fn(&name, |_, _| ()),
                        _ => beside_segment(&name, || ()).retry(RetryPolicy::new()).into(),
                    };
                    block_on(analytics.register(registration)).expect("nobody else uses the name");
                    let again = block_on(analytics.register(enrichment_fn(&name, |_: &mut Event| ())));
                    assert!(matches!(again, Err(RegisterError::Duplicate { .. })));
                    block_on(analytics.deregister(&name)).expect("it is registered");
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    for _ in 0..20 {
        trial.send(100);
        trial.assert_books_balance();
    }
    stop.store(true, Ordering::SeqCst);
    let rounds: u32 = registrars.into_iter().map(|registrar| registrar.join().expect("it does not panic")).sum();
    assert!(rounds >= 40);
    assert_eq!(trial.survives().stats.delivered, 2001);
}
